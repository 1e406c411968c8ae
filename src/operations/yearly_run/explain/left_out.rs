//! All money of a unit's year, charge by charge as it stood at the freeze: what is in the base of its award, and what is left out
//! for which reason, down to the records.

use std::collections::BTreeMap;

use crate::domain::evaluation::{
    Host, Judge, RecordEffect, Relations, Subject, UsageGroup, UsageGroupKey, UsageTotals,
    UsingUnit,
};
use crate::domain::policy::Award;
use crate::domain::subsidy::{ChargeMoney, ChargeVerdict, LeftOutReason, YearMoney};
use crate::domain::usage::Evidence;
use crate::domain::{ChargeId, Fen, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::yearly_input::{self, ChargeRow, Scope};

/// Charges that are read at once.
const CHARGES_READ: i64 = 2_000;

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

/// The charges of a unit, with the policy that judges them.
pub(super) struct Charges<'a> {
    pub scope: &'a Scope,
    pub relations: &'a Relations,
    pub host: OrganizationId,
    pub judge: Judge<'a>,
    /// `None`: the policy pays nothing.
    pub award: Option<&'a Award>,
    users: BTreeMap<OrganizationId, UsingUnit>,
    verdicts: BTreeMap<(InstrumentId, UsageGroupKey), ChargeVerdict>,
}

impl<'a> Charges<'a> {
    pub(super) fn new(
        scope: &'a Scope,
        relations: &'a Relations,
        host: OrganizationId,
        judge: Judge<'a>,
        award: Option<&'a Award>,
    ) -> Self {
        Self {
            scope,
            relations,
            host,
            judge,
            award,
            users: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        }
    }

    /// Everything, added up. That no fen is lost is asked here, not hoped for.
    pub(super) fn sum(&mut self, conn: &mut Conn) -> Result<YearMoney, AppError> {
        let mut year = YearMoney::default();
        let mut after = None;
        loop {
            let (rows, next) = self.read(conn, after)?;
            for row in &rows {
                let parts = self.parts(row);
                year.add(row.amount_fen, &parts, row.minutes)
                    .map_err(AppError::internal)?;
            }
            after = next;
            if next.is_none() {
                break;
            }
        }
        match year.adds_up() {
            true => Ok(year),
            false => Err(AppError::internal(format!(
                "the charges of unit {} are not all in the base or left out",
                self.host
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
            for row in &rows {
                let parts = self.parts(row).into_iter();
                let own = parts.filter(|(reason, _)| *reason == Some(choice.reason));
                let amount = Fen::sum(own.map(|(_, part)| part)).map_err(AppError::internal)?;
                if amount == Fen::ZERO {
                    continue;
                }
                if page.records.len() == limit {
                    page.next = page.records.last().map(|record| record.charge_id);
                    return Ok(page);
                }
                page.records.push(LeftOutRecord {
                    charge_id: row.id,
                    usage_record_id: row.usage_record_id,
                    version: row.record_version,
                    instrument_id: row.instrument_id,
                    organization_id: row.organization_id,
                    effective_minutes: row.minutes,
                    amount,
                });
            }
            after = next;
            if next.is_none() {
                return Ok(page);
            }
        }
    }

    fn read(
        &mut self,
        conn: &mut Conn,
        after: Option<ChargeId>,
    ) -> Result<(Vec<ChargeRow>, Option<ChargeId>), AppError> {
        let found = yearly_input::list_charges(conn, self.scope, self.host, after, CHARGES_READ)?;
        let is_known = |row: &ChargeRow| {
            let id = row.organization_id;
            self.judge.inputs.using_unit(id).is_some() || self.users.contains_key(&id)
        };
        if !found.0.iter().all(is_known) {
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
        Ok(found)
    }

    fn parts(&mut self, row: &ChargeRow) -> Vec<(Option<LeftOutReason>, Fen)> {
        let user = row.organization_id;
        let effects = &self.judge.inputs.effects().records;
        let effect = effects.get(&row.usage_record_id).copied();
        let key = UsageGroupKey {
            using_unit_id: user,
            relation: self.relations.at(self.host, user, row.ended_at),
            evidence: match effect {
                Some(RecordEffect::Manual) => Evidence::Manual,
                _ => row.evidence,
            },
            statutory: row.statutory,
            detail: None,
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
        let mut units = self.judge.inputs.units();
        let host: Option<&Host> = units.find(|unit| unit.organization_id == self.host);
        let mut instruments = host.into_iter().flat_map(|host| &host.instruments);
        let instrument = instruments.find(|one| one.id == *instrument_id);
        let known = self.judge.inputs.using_unit(key.using_unit_id);
        let cell = UsageGroup {
            key: key.clone(),
            service: UsageTotals::default(),
        };
        let subject = Subject {
            host,
            instrument,
            user: known.or_else(|| self.users.get(&key.using_unit_id)),
            cell: Some(&cell),
            award: self.award.map(|award| award.code.as_str()),
            ..Subject::default()
        };
        ChargeVerdict::of(&self.judge, self.award, &subject)
    }
}
