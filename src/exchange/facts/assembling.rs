//! From rows to frozen inputs of a year or window: each row finds its organization and instrument, and says what it gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use num_rational::BigRational;

use super::rows::{
    AdoptedRow, AwardedRow, CertificationRow, InstrumentRow, OrganizationRow, ReportedRow,
    RequestsRow, UsageRow,
};
use super::{Facts, FactsFile, Question};
use crate::domain::evaluation::{
    Awarded, AwardedTo, Host, Inputs, InputsMistake, Instrument, InstrumentFacts, InstrumentFlags,
    RecordFacts, Relation, ServiceDetail, UsageGroup, UsageGroupKey, UsageTotals, UsingUnit,
    days_in_service,
};
use crate::domain::exemption::ShareMode;
use crate::domain::policy::{Grain, IncomeBy};
use crate::domain::usage::UsageState;
use crate::domain::{Code, Fault, InstrumentId, Minutes, OrganizationId, certification};
use crate::operations::province::OrganizationRole;
use chrono::NaiveDate;

/// What is known so far.
pub(super) struct Assembling<'a> {
    question: &'a Question<'a>,
    grain: Grain,
    organizations: BTreeMap<String, Organization>,
    /// USCCs as they were given; relations are made when all are known.
    related_to: Vec<(u32, String, String)>,
    related: BTreeSet<(String, String)>,
    certified: BTreeMap<String, Vec<CertificationRow>>,
    hosts: BTreeMap<String, Host>,
    instruments: BTreeMap<(String, String), Instrument>,
    cells: Vec<(InstrumentId, UsageGroup)>,
    awarded: BTreeSet<Awarded>,
    records: BTreeSet<String>,
}

struct Organization {
    id: OrganizationId,
    row: OrganizationRow,
}

impl<'a> Assembling<'a> {
    pub fn new(question: &'a Question<'a>) -> Self {
        Self {
            question,
            grain: question.policy.grain(),
            organizations: BTreeMap::new(),
            related_to: Vec::new(),
            related: BTreeSet::new(),
            certified: BTreeMap::new(),
            hosts: BTreeMap::new(),
            instruments: BTreeMap::new(),
            cells: Vec::new(),
            awarded: BTreeSet::new(),
            records: BTreeSet::new(),
        }
    }

    pub fn organization(&mut self, number: u32, row: OrganizationRow) -> Vec<Fault> {
        let next = i64::try_from(self.organizations.len() + 1).unwrap_or(i64::MAX);
        let Ok(id) = OrganizationId::try_from(next) else {
            return vec![Fault::cell(number, "uscc", Code::too_many)];
        };
        if self.organizations.contains_key(&row.uscc) {
            return vec![duplicate(number, "uscc", &row.uscc)];
        }
        if let Some(other) = &row.related_to {
            let related = (number, row.uscc.clone(), other.clone());
            self.related_to.push(related);
        }
        if row.role == OrganizationRole::Host {
            let mut host = Host::new(id, row.uscc.clone(), row.kind);
            host.region_code = row.region_code.clone();
            self.hosts.insert(row.uscc.clone(), host);
        }
        let uscc = row.uscc.clone();
        self.organizations.insert(uscc, Organization { id, row });
        Vec::new()
    }

    /// Makes the relations, once every organization is known: symmetric, not transitive.
    pub fn relate(&mut self, faults: &mut BTreeMap<FactsFile, Vec<Fault>>) {
        for (number, one, other) in std::mem::take(&mut self.related_to) {
            if self.organizations.contains_key(&other) {
                self.related.insert((one.clone(), other.clone()));
                self.related.insert((other, one));
            } else {
                let of_file = faults.entry(FactsFile::Organizations).or_default();
                of_file.push(unknown(number, "related_to", &other));
            }
        }
    }

    pub fn certification(&mut self, number: u32, row: CertificationRow) -> Vec<Fault> {
        if !self.organizations.contains_key(&row.uscc) {
            return vec![unknown(number, "uscc", &row.uscc)];
        }
        let of_unit = self.certified.entry(row.uscc.clone()).or_default();
        of_unit.push(row);
        Vec::new()
    }

    /// What an organization is certified as on a day.
    fn certifications(&self, uscc: &str, on: NaiveDate) -> BTreeSet<String> {
        let rows = self.certified.get(uscc).into_iter().flatten();
        let held = rows.filter(|row| {
            row.valid_from.is_none_or(|from| from <= on)
                && row.valid_until.is_none_or(|until| on <= until)
        });
        let mut words: BTreeSet<String> = held.map(|row| row.certification.clone()).collect();
        let organization = self.organizations.get(uscc);
        if organization.is_some_and(|known| known.row.is_sme) {
            words.insert(certification::SMALL.to_owned());
        }
        words
    }

    pub fn instrument(&mut self, number: u32, row: InstrumentRow) -> Vec<Fault> {
        if !self.organizations.contains_key(&row.host_uscc) {
            return vec![unknown(number, "host_uscc", &row.host_uscc)];
        }
        if !self.hosts.contains_key(&row.host_uscc) {
            return vec![Fault::cell(
                number,
                "host_uscc",
                Code::organization_is_no_host,
            )];
        }
        let key = (row.host_uscc.clone(), row.asset_no.clone());
        if self.instruments.contains_key(&key) {
            return vec![duplicate(number, "asset_no", &row.asset_no)];
        }
        let next = i64::try_from(self.instruments.len() + 1).unwrap_or(i64::MAX);
        let Ok(id) = InstrumentId::try_from(next) else {
            return vec![Fault::cell(number, "asset_no", Code::too_many)];
        };
        let span = &self.question.of.span;
        let enabled_on = row.enabled_on.unwrap_or(span.first_on);
        let is_gone = row.retired_on.is_some_and(|on| on < span.first_on);
        let instrument = Instrument {
            id,
            asset_no: row.asset_no,
            purpose_type: row.purpose_type,
            original_value_fen: row.original_value_fen,
            days_in_service: days_in_service(span, enabled_on, row.retired_on),
            flags: InstrumentFlags {
                listed: enabled_on <= span.last_on && !is_gone,
                externally_shared: row.share_mode == Some(ShareMode::External),
                exempted: row.exempted,
                complete: row.is_complete,
            },
            facts: InstrumentFacts {
                category_code: row.category_code.unwrap_or_default(),
                funding: row.funding,
                is_set: row.is_set,
                share_mode: row.share_mode,
                accepted_on: row.accepted_on,
                submitted_on: row.submitted_on,
                reported: BTreeMap::new(),
            },
            cells: Vec::new(),
        };
        self.instruments.insert(key, instrument);
        Vec::new()
    }

    pub fn usage(&mut self, number: u32, row: UsageRow) -> Vec<Fault> {
        if !self.records.insert(row.record_no.clone()) {
            return vec![duplicate(number, "record_no", &row.record_no)];
        }
        if !self.organizations.contains_key(&row.host_uscc) {
            return vec![unknown(number, "host_uscc", &row.host_uscc)];
        }
        let Some(user) = self.organizations.get(&row.user_uscc).map(|known| known.id) else {
            return vec![unknown(number, "user_uscc", &row.user_uscc)];
        };
        let key = (row.host_uscc.clone(), row.asset_no.clone());
        let Some(instrument) = self.instruments.get(&key).map(|known| known.id) else {
            return vec![unknown(number, "asset_no", &row.asset_no)];
        };
        if row.state != UsageState::Confirmed {
            return Vec::new();
        }
        // A record belongs to the day of its last moment: what ends at midnight to the day before.
        let ended_on = row.ended_at.plus_seconds(-1).local_date();
        let relation = self.relation(&row.host_uscc, &row.user_uscc);
        let key = UsageGroupKey {
            using_unit_id: user,
            relation,
            evidence: row.evidence,
            statutory: row.statutory,
            detail: self.detail(&row, ended_on),
        };
        let span = &self.question.of.span;
        let mut service = UsageTotals::default();
        if span.contains(ended_on) {
            let minutes = [row.prepare_minutes, row.run_minutes, row.post_minutes];
            let effective = minutes.iter().map(|part| part.number()).sum();
            service.effective_minutes = Minutes::new(effective);
            service.prepare_minutes = row.prepare_minutes;
            service.post_minutes = row.post_minutes;
            service.records = 1;
            service.samples = row.samples;
            if let Some(level) = row.satisfaction.filter(|_| relation == Relation::External)
                && let Some(host) = self.hosts.get_mut(&row.host_uscc)
            {
                *host.answers.entry(level).or_default() += 1;
            }
        }
        let income_on = row
            .invoice_no
            .as_ref()
            .and(match self.question.policy.year.income_by {
                IncomeBy::PaidOn => row.paid_on,
                IncomeBy::InvoicedOn => row.invoiced_on,
                IncomeBy::EndedAt => Some(ended_on),
            });
        if income_on.is_some_and(|on| span.contains(on)) {
            service.voucher_fen = row.voucher_fen;
            service.payer_fen = match row.fee_fen.checked_sub(row.voucher_fen) {
                Ok(paid) => paid,
                Err(_) => return vec![Fault::cell(number, "fee_fen", Code::out_of_range)],
            };
        }
        if service != UsageTotals::default() {
            self.cells.push((instrument, UsageGroup { key, service }));
        }
        Vec::new()
    }

    fn relation(&self, host: &str, user: &str) -> Relation {
        if host == user {
            return Relation::Host;
        }
        let pair = (host.to_owned(), user.to_owned());
        match self.related.contains(&pair) {
            true => Relation::Related,
            false => Relation::External,
        }
    }

    fn detail(&self, row: &UsageRow, ended_on: NaiveDate) -> Option<Arc<ServiceDetail>> {
        if !self.grain.detail && !self.grain.record {
            return None;
        }
        let record = self.grain.record.then(|| RecordFacts {
            paid_on: row.paid_on,
            ended_on,
            record_no: row.record_no.clone(),
        });
        let mut detail = ServiceDetail {
            record,
            ..ServiceDetail::default()
        };
        if self.grain.detail {
            detail.purpose = row.purpose;
            detail.mode = row.mode;
            detail.service_class = row.service_class;
            detail.project.clone_from(&row.project);
            detail.project_level = row.project_level;
        }
        detail.certifications = self.certifications(&row.user_uscc, ended_on);
        Some(Arc::new(detail))
    }

    pub fn requests(&mut self, number: u32, row: RequestsRow) -> Vec<Fault> {
        let Some(host) = self.hosts.get_mut(&row.host_uscc) else {
            return vec![unknown(number, "host_uscc", &row.host_uscc)];
        };
        host.counts.requests_received += row.received;
        host.counts.requests_answered_in_time += row.answered_in_time;
        Vec::new()
    }

    pub fn reported(&mut self, number: u32, row: ReportedRow) -> Vec<Fault> {
        let Some(host) = self.hosts.get_mut(&row.uscc) else {
            return vec![unknown(number, "uscc", &row.uscc)];
        };
        let before = match row.asset_no {
            None => host.reported.insert(row.name.clone(), row.value),
            Some(asset_no) => {
                let key = (row.uscc, asset_no);
                let Some(instrument) = self.instruments.get_mut(&key) else {
                    return vec![unknown(number, "asset_no", &key.1)];
                };
                let reported = &mut instrument.facts.reported;
                reported.insert(row.name.clone(), row.value)
            }
        };
        match before {
            Some(_) => vec![duplicate(number, "name", &row.name)],
            None => Vec::new(),
        }
    }

    pub fn awarded(&mut self, number: u32, row: AwardedRow) -> Vec<Fault> {
        let Some(unit) = self.organizations.get(&row.uscc).map(|known| known.id) else {
            return vec![unknown(number, "uscc", &row.uscc)];
        };
        let award_code = row.award_code;
        if let Some(asset_no) = row.asset_no {
            let key = (row.uscc, asset_no);
            let Some(instrument) = self.instruments.get(&key) else {
                return vec![unknown(number, "asset_no", &key.1)];
            };
            let to = AwardedTo::Instrument(instrument.id);
            self.awarded.insert(Awarded {
                award_code: award_code.clone(),
                to,
            });
        }
        if let Some(project) = row.project {
            let to = AwardedTo::Project(unit, project);
            self.awarded.insert(Awarded { award_code, to });
        }
        Vec::new()
    }

    pub fn adopted(&mut self, number: u32, row: AdoptedRow) -> Vec<Fault> {
        let Some(host) = self.hosts.get_mut(&row.host_uscc) else {
            return vec![unknown(number, "host_uscc", &row.host_uscc)];
        };
        match host.adopted.replace(row.grade) {
            Some(_) => vec![duplicate(number, "host_uscc", &row.host_uscc)],
            None => Vec::new(),
        }
    }

    pub fn experts(
        &mut self,
        number: u32,
        uscc: &str,
        points: BTreeMap<String, BigRational>,
    ) -> Vec<Fault> {
        let scores = &self.question.policy.scores;
        let beyond = points.iter().find(|(id, given)| {
            let score = scores.iter().find(|score| score.id == **id);
            score.is_some_and(|score| **given > score.max)
        });
        if let Some((id, _)) = beyond {
            return vec![Fault::cell(number, id.as_str(), Code::out_of_range)];
        }
        let Some(host) = self.hosts.get_mut(uscc) else {
            return vec![unknown(number, "host_uscc", uscc)];
        };
        host.expert_scores.extend(points);
        Vec::new()
    }

    pub fn finish(mut self) -> Result<Facts, InputsMistake> {
        let last_on = self.question.of.span.last_on;
        let mut using_units = Vec::new();
        let mut names = BTreeMap::new();
        let mut usccs = BTreeMap::new();
        for (uscc, known) in &self.organizations {
            names.insert(known.id, known.row.name.clone());
            usccs.insert(known.id, uscc.clone());
            using_units.push(UsingUnit {
                organization_id: known.id,
                uscc: uscc.clone(),
                region_code: known.row.region_code.clone(),
                kind: Some(known.row.kind),
                certifications: self.certifications(uscc, last_on),
            });
        }
        let held = self
            .hosts
            .keys()
            .map(|uscc| self.certifications(uscc, last_on));
        let held: Vec<BTreeSet<String>> = held.collect();
        for (host, certifications) in self.hosts.values_mut().zip(held) {
            host.certifications = certifications;
        }
        let host_ids: BTreeMap<String, OrganizationId> = self
            .hosts
            .iter()
            .map(|(uscc, host)| (uscc.clone(), host.organization_id))
            .collect();
        let instruments = self.instruments.into_iter();
        let instruments = instruments.filter_map(|((uscc, _), instrument)| {
            Some((host_ids.get(&uscc).copied()?, instrument))
        });
        let inputs = Inputs::assemble_of(
            self.question.of,
            self.hosts.into_values().collect(),
            instruments.collect(),
            using_units,
            self.cells,
        )?;
        Ok(Facts {
            inputs: inputs
                .with_days(self.question.days.clone())
                .with_awarded(self.awarded),
            names,
            uscc: usccs,
        })
    }
}

fn unknown(number: u32, column: &str, what: &str) -> Fault {
    Fault::cell(number, column, Code::unknown_reference).actual(what)
}

fn duplicate(number: u32, column: &str, what: &str) -> Fault {
    Fault::cell(number, column, Code::duplicate).actual(what)
}
