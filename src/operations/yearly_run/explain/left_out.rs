//! All money of a unit's year, charge by charge as it stood at the freeze: what is in the base of its award, and what is left out
//! for which reason, down to the records.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::records::Terms;
use crate::domain::evaluation::{
    Host, Instrument, Judge, RecordEffect, ServiceDetail, Subject, UsageGroup, UsageGroupKey,
    UsageTotals, UsingUnit,
};
use crate::domain::subsidy::{ChargeMoney, ChargeVerdict, LeftOutReason, YearMoney};
use crate::domain::usage::Evidence;
use crate::domain::{ChargeId, Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::operations::yearly_run::freeze::Details;
use crate::store::Conn;
use crate::store::usage::UsageRecord;
use crate::store::yearly_input::{self, ChargeRow, RecordIncome, Side};

/// Charges that are read at once.
const CHARGES_READ: i64 = 2_000;

/// Verdicts that are kept at once.
const VERDICTS_MAX: usize = 10_000;

/// What of one charge is left out for a reason, with the record as it was frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutRecord {
    pub charge_id: ChargeId,
    pub usage_record_id: UsageRecordId,
    pub version: i64,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub effective_minutes: Minutes,
    pub amount: Fen,
}

impl LeftOutRecord {
    fn new(row: &ChargeRow, amount: Fen) -> Self {
        Self {
            charge_id: row.id,
            usage_record_id: row.usage_record_id,
            version: row.record_version,
            instrument_id: row.instrument_id,
            organization_id: row.organization_id,
            effective_minutes: row.minutes,
            amount,
        }
    }
}

/// Whose records to list, for which reason, and after which charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOutChoice {
    pub reason: LeftOutReason,
    pub after: Option<ChargeId>,
}

/// A page of records, and the charge to go on after.
#[derive(Debug, Clone, Default)]
pub struct LeftOutPage {
    pub records: Vec<LeftOutRecord>,
    pub next: Option<ChargeId>,
}

/// The first records of each reason.
pub(super) type Firsts = BTreeMap<LeftOutReason, Vec<LeftOutRecord>>;

/// The charges of a unit, with the policy that judges them.
pub(super) struct Charges<'a> {
    pub side: Side,
    terms: &'a Terms<'a>,
    judge: Judge<'a>,
    details: Details<'a>,
    instruments: BTreeMap<InstrumentId, (&'a Host, &'a Instrument)>,
    users: BTreeMap<OrganizationId, UsingUnit>,
    verdicts: BTreeMap<(InstrumentId, UsageGroupKey), ChargeVerdict>,
}

/// A charge in its parts, in the base or left out.
type Parted = (ChargeRow, Vec<(Option<LeftOutReason>, Fen)>);

impl<'a> Charges<'a> {
    pub(super) fn new(
        terms: &'a Terms<'a>,
        side: Side,
        judge: Judge<'a>,
        details: Details<'a>,
    ) -> Self {
        let units = judge.inputs.units();
        let instruments = units.flat_map(|host| {
            let instruments = host.instruments.iter();
            instruments.map(move |one| (one.id, (host, one)))
        });
        Self {
            side,
            terms,
            instruments: instruments.collect(),
            judge,
            details,
            users: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        }
    }

    /// Everything, added up, with so many records of each reason. That no fen is lost is asked here, not hoped for.
    pub(super) fn sum(
        &mut self,
        conn: &mut Conn,
        firsts_max: usize,
    ) -> Result<(YearMoney, Firsts), AppError> {
        let (mut year, mut firsts) = (YearMoney::default(), Firsts::new());
        let mut after = None;
        loop {
            let (rows, next) = self.read(conn, after)?;
            for (row, parts) in &rows {
                year.add(row.amount_fen, parts, row.minutes)
                    .map_err(AppError::internal)?;
                for (reason, part) in parts {
                    let Some(reason) = reason else { continue };
                    let known = firsts.entry(*reason).or_default();
                    if known.len() < firsts_max {
                        known.push(LeftOutRecord::new(row, *part));
                    }
                }
            }
            after = next;
            if next.is_none() {
                break;
            }
        }
        match year.adds_up() {
            true => Ok((year, firsts)),
            false => Err(AppError::internal(format!(
                "the charges of unit {} are not all in the base or left out",
                self.side.organization_id()
            ))),
        }
    }

    /// The records of one reason; their amounts sum to its figure.
    pub(super) fn page(
        &mut self,
        conn: &mut Conn,
        choice: LeftOutChoice,
        limit: usize,
    ) -> Result<LeftOutPage, AppError> {
        let mut page = LeftOutPage::default();
        let mut after = choice.after;
        loop {
            let (rows, next) = self.read(conn, after)?;
            for (row, parts) in &rows {
                let parts = parts.iter();
                let own = parts.filter(|(reason, _)| *reason == Some(choice.reason));
                let amount = Fen::sum(own.map(|(_, part)| *part)).map_err(AppError::internal)?;
                if amount == Fen::ZERO {
                    continue;
                }
                if page.records.len() == limit {
                    page.next = page.records.last().map(|record| record.charge_id);
                    return Ok(page);
                }
                page.records.push(LeftOutRecord::new(row, amount));
            }
            after = next;
            if next.is_none() {
                return Ok(page);
            }
        }
    }

    /// The next charges, each with its verdict.
    fn read(
        &mut self,
        conn: &mut Conn,
        after: Option<ChargeId>,
    ) -> Result<(Vec<Parted>, Option<ChargeId>), AppError> {
        let (scope, side) = (&self.terms.scope, self.side);
        let (rows, next) = yearly_input::list_charges(conn, scope, side, after, CHARGES_READ)?;
        self.know_users(conn, &rows)?;
        let mut details = self.details_of(conn, &rows)?;
        // No more verdicts are kept than a page has: where each record is a class of its own, none comes again.
        if self.verdicts.len() > VERDICTS_MAX {
            self.verdicts.clear();
        }
        let parted = rows.into_iter().map(|row| {
            let detail = details.remove(&row.usage_record_id);
            let parts = self.parts(&row, detail);
            (row, parts)
        });
        Ok((parted.collect(), next))
    }

    /// The finer facts of the records, where the pack asks them.
    fn details_of(
        &mut self,
        conn: &mut Conn,
        rows: &[ChargeRow],
    ) -> Result<BTreeMap<UsageRecordId, Arc<ServiceDetail>>, AppError> {
        if !self.details.are_asked() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<UsageRecordId> = rows.iter().map(|row| row.usage_record_id).collect();
        let scope = &self.terms.scope;
        let mut paid: BTreeMap<UsageRecordId, Vec<RecordIncome>> = BTreeMap::new();
        for ids in ids.chunks(1_000) {
            for row in yearly_input::list_income_of(conn, scope, ids)? {
                paid.entry(row.usage_record_id).or_default().push(row);
            }
        }
        let stood = yearly_input::list_stood(conn, scope, &ids)?;
        let records: Vec<UsageRecord> = stood.into_values().collect();
        self.details.certify(conn, &records)?;
        let detail = |record: &UsageRecord| {
            let paid = paid.remove(&record.id).unwrap_or_default();
            Some((record.id, self.details.of(record, &paid)?))
        };
        Ok(records.iter().filter_map(detail).collect())
    }

    fn know_users(&mut self, conn: &mut Conn, rows: &[ChargeRow]) -> Result<(), AppError> {
        let is_known = |row: &ChargeRow| {
            let id = row.organization_id;
            self.judge.inputs.using_unit(id).is_some() || self.users.contains_key(&id)
        };
        if !rows.iter().all(is_known) {
            // Who neither used confirmed nor paid in the year has no place in the frozen inputs.
            for member in yearly_input::list_members(conn)? {
                let user = UsingUnit {
                    organization_id: member.id,
                    uscc: member.uscc.to_string(),
                    region_code: member.region_code.to_string(),
                    kind: Some(member.kind),
                    certifications: Default::default(),
                };
                self.users.insert(member.id, user);
            }
        }
        Ok(())
    }

    fn parts(
        &mut self,
        row: &ChargeRow,
        detail: Option<Arc<ServiceDetail>>,
    ) -> Vec<(Option<LeftOutReason>, Fen)> {
        let (user, relations) = (row.organization_id, &self.terms.relations);
        let effects = &self.judge.inputs.effects().records;
        let effect = effects.get(&row.usage_record_id).copied();
        let key = UsageGroupKey {
            using_unit_id: user,
            relation: relations.at(row.host_organization_id, user, row.ended_at),
            evidence: match effect {
                Some(RecordEffect::Manual) => Evidence::Manual,
                _ => row.evidence,
            },
            statutory: row.statutory,
            detail,
        };
        let class = (row.instrument_id, key);
        let verdict = match self.verdicts.get(&class) {
            Some(verdict) => *verdict,
            None => {
                let verdict = self.verdict(&class);
                self.verdicts.insert(class, verdict);
                verdict
            }
        };
        let verdict = match effect {
            Some(RecordEffect::Excluded) => verdict.taken_out(),
            _ => verdict,
        };
        verdict.parts(&ChargeMoney {
            state: row.state,
            amount: row.amount_fen,
            is_invoiced: row.is_invoiced,
            paid: row.paid_fen,
            voucher: row.voucher_fen,
            other_year: row.other_year_fen,
            returned: row.returned_fen,
        })
    }

    fn verdict(&self, (instrument_id, key): &(InstrumentId, UsageGroupKey)) -> ChargeVerdict {
        let found = self.instruments.get(instrument_id).copied();
        let known = self.judge.inputs.using_unit(key.using_unit_id);
        let cell = UsageGroup {
            key: key.clone(),
            service: UsageTotals::default(),
        };
        let award = self.terms.award;
        let host = found.map(|(host, _)| host);
        let of_host = |host: &Host| {
            let unit = host.organization_id;
            self.terms.grades.of(unit, Some(*instrument_id))
        };
        let subject = Subject {
            host,
            instrument: found.map(|(_, instrument)| instrument),
            user: known.or_else(|| self.users.get(&key.using_unit_id)),
            cell: Some(&cell),
            grade: host.and_then(of_host),
            award: award.map(|award| award.code.as_str()),
        };
        ChargeVerdict::of(&self.judge, award, &subject)
    }
}
