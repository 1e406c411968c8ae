//! Whether the rows of an import can all be recorded: what each refers to, what each says, and which stand in each other's
//! or another record's way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;

use super::super::day_of;
use super::super::record::{Entry, can_use};
use super::ImportRow;
use crate::domain::access::{Action, BookingTies, InstrumentTies};
use crate::domain::usage::{Capacity, UsageFacts, UsageMinutes};
use crate::domain::{Instant, InstrumentId, OrganizationId, Slot, TypedKey, UsageRecordId, Uscc};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::lost_zeros::Padded;
use crate::operations::subject::{Ties, authorize};
use crate::operations::table_fault;
use crate::operations::yearly_run;
use crate::store::usage::Busy;
use crate::store::{self, Conn};

/// A row that can be recorded.
pub struct Checked {
    pub instrument: InstrumentId,
    pub ties: BookingTies,
    pub facts: UsageFacts,
    pub minutes: UsageMinutes,
    reference_may_lack_zeros: bool,
}

impl Checked {
    /// What its price depends on first: the instrument, and the local day on which the use began.
    pub fn instrument_and_day(&self) -> (InstrumentId, NaiveDate) {
        (self.instrument, self.facts.slot.starts_at().local_date())
    }

    /// The record it comes to.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            action: Action::UsageRecordImport,
            ties: self.ties,
            instrument: self.instrument,
            booking: None,
            facts: &self.facts,
            minutes: self.minutes,
        }
    }
}

/// Every row checked, or every fault.
pub fn check(conn: &mut Conn, actor: &Actor, rows: &[ImportRow]) -> Result<Vec<Checked>, AppError> {
    let mut references = References::default();
    let mut faults = Vec::new();
    let mut checked = Vec::with_capacity(rows.len());
    for row in rows {
        match check_one(conn, actor, row, &mut references)? {
            Ok(one) => checked.push((row.row, one)),
            Err(more) => faults.extend(more),
        }
    }
    faults.extend(in_each_others_way(&checked));
    faults.extend(in_the_way(conn, &checked)?);
    faults.extend(in_locked_years(conn, &checked)?);
    table_fault::refuse(faults)?;
    Ok(checked.into_iter().map(|(_, one)| one).collect())
}

fn check_one(
    conn: &mut Conn,
    actor: &Actor,
    row: &ImportRow,
    references: &mut References,
) -> Result<Result<Checked, Vec<Fault>>, AppError> {
    let mut faults = Vec::new();
    let unknown =
        |column, value: &str| Fault::cell(row.row, column, Code::unknown_reference).actual(value);
    let instrument = references.instrument(conn, actor, &row.asset_no)?;
    if instrument.is_none() {
        let lost = references.padded(conn, actor)?;
        let lost = lost.fault("asset_no", &row.asset_no);
        faults.push(match lost {
            Some(lost) => at(row.row, lost),
            None => unknown("asset_no", &row.asset_no),
        });
    }
    let unit = references.unit(conn, &row.using_uscc)?;
    if unit.is_none() {
        faults.push(unknown("using_uscc", &row.using_uscc));
    }
    let unlimited = Capacity {
        channels: i64::MAX,
        accepted_on: None,
    };
    let on = instrument.map_or(unlimited, |known| known.capacity);
    let minutes = row.facts.check(on, actor.now);
    let broken = minutes.clone().err().unwrap_or_default();
    faults.extend(broken.into_iter().map(|fault| {
        // The sheet has one column for what is one field with parts.
        let column = fault.name().split('.').next().unwrap_or_default();
        Fault {
            place: Location::Cell {
                row: row.row,
                column: column.to_owned(),
            },
            ..fault
        }
    }));
    Ok(match (instrument, unit, minutes) {
        (Some(instrument), Some(unit), Ok(minutes)) => Ok(Checked {
            instrument: instrument.id,
            ties: BookingTies {
                instrument: instrument.ties,
                organization_id: unit,
                booked_by: None,
                operator: None,
            },
            facts: row.facts.clone(),
            minutes,
            reference_may_lack_zeros: row.reference_may_lack_zeros,
        }),
        _ => Err(faults),
    })
}

/// Rows of one file that overlap, or use one reference twice.
fn in_each_others_way(checked: &[(u32, Checked)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut references = BTreeMap::new();
    let mut slots: BTreeMap<_, Vec<(Instant, Instant, u32)>> = BTreeMap::new();
    for (row, one) in checked {
        let slot = one.facts.slot;
        slots
            .entry((one.instrument, one.facts.channel))
            .or_default()
            .push((slot.starts_at(), slot.ends_at(), *row));
        if let Some(reference) = &one.facts.client_reference {
            let key = (one.ties.organization_id, reference.folded());
            match references.get(&key) {
                Some(first) => faults.push(
                    Fault::cell(*row, "client_reference", Code::client_reference_used)
                        .limit(format!("{first}, {row}"))
                        .actual(reference.as_str()),
                ),
                None => drop(references.insert(key, *row)),
            }
        }
    }
    for (_, mut rows) in slots {
        rows.sort_unstable();
        let mut busy: Option<(Instant, u32)> = None;
        for (starts_at, ends_at, row) in rows {
            if let Some((_, first)) = busy.filter(|(until, _)| starts_at < *until) {
                let (first, second) = (first.min(row), first.max(row));
                let fault = Fault::cell(row, "started_at", Code::usage_overlaps);
                faults.push(fault.limit(format!("{first}, {second}")));
            }
            busy = busy.max(Some((ends_at, row)));
        }
    }
    faults
}

/// Rows whose time or reference another record has.
fn in_the_way(conn: &mut Conn, checked: &[(u32, Checked)]) -> Result<Vec<Fault>, AppError> {
    let records = Records::around(conn, checked)?;
    let mut faults = Vec::new();
    for (row, one) in checked {
        let place = (one.instrument, one.facts.channel);
        if let Some(record) = records.overlapping(place, one.facts.slot) {
            faults.push(
                Fault::cell(*row, "started_at", Code::usage_overlaps).actual(record.number()),
            );
        }
        if let Some(reference) = &one.facts.client_reference
            && one.reference_may_lack_zeros
            && let Some(lost) = records.lost(one.ties.organization_id, reference)
        {
            faults.push(at(*row, lost));
        }
        if let Some(reference) = &one.facts.client_reference
            && let Some(record) = records.referred(one.ties.organization_id, reference)
        {
            faults.push(
                Fault::cell(*row, "client_reference", Code::client_reference_used)
                    .actual(record.number()),
            );
        }
    }
    Ok(faults)
}

/// The fault of a field, at the cell of its column.
fn at(row: u32, fault: Fault) -> Fault {
    let column = fault.name().to_owned();
    Fault {
        place: Location::Cell { row, column },
        ..fault
    }
}

/// The records there are that rows may run into, read in few queries.
#[derive(Default)]
struct Records {
    /// By instrument and channel, in the order of their beginning: they do not overlap.
    busy: BTreeMap<(InstrumentId, i64), Vec<Busy>>,
    references: HashMap<(OrganizationId, String), UsageRecordId>,
    /// Of the units that use references.
    padded: HashMap<OrganizationId, Padded>,
}

impl Records {
    fn around(conn: &mut Conn, checked: &[(u32, Checked)]) -> Result<Self, AppError> {
        let mut spans: BTreeMap<InstrumentId, (Instant, Instant)> = BTreeMap::new();
        let mut references: BTreeMap<OrganizationId, Vec<String>> = BTreeMap::new();
        for (_, one) in checked {
            let slot = one.facts.slot;
            let span = spans
                .entry(one.instrument)
                .or_insert((slot.starts_at(), slot.ends_at()));
            *span = (span.0.min(slot.starts_at()), span.1.max(slot.ends_at()));
            if let Some(reference) = &one.facts.client_reference {
                let of_unit = references.entry(one.ties.organization_id).or_default();
                of_unit.push(reference.folded());
            }
        }
        let mut found = Self::default();
        for (instrument, span) in spans {
            for busy in store::usage::list_busy(conn, instrument, span)? {
                let place = (instrument, busy.channel);
                found.busy.entry(place).or_default().push(busy);
            }
        }
        for (unit, references) in references {
            let padded = store::usage::list_zero_padded(conn, unit)?;
            found.padded.insert(unit, Padded::of(padded));
            for (reference, id) in store::usage::list_referred(conn, unit, &references)? {
                found.references.insert((unit, reference), id);
            }
        }
        Ok(found)
    }

    /// The first record in this time.
    fn overlapping(&self, place: (InstrumentId, i64), slot: Slot) -> Option<UsageRecordId> {
        let busy = self.busy.get(&place)?;
        let next = busy.partition_point(|record| record.ended_at <= slot.starts_at());
        let record = busy.get(next)?;
        (record.started_at < slot.ends_at()).then_some(record.id)
    }

    /// A reference that is one of another record without its zeros.
    fn lost(&self, unit: OrganizationId, reference: &TypedKey) -> Option<Fault> {
        self.padded.get(&unit)?.fault("client_reference", reference)
    }

    fn referred(&self, unit: OrganizationId, reference: &TypedKey) -> Option<UsageRecordId> {
        self.references.get(&(unit, reference.folded())).copied()
    }
}

/// Rows of years that are final.
fn in_locked_years(conn: &mut Conn, checked: &[(u32, Checked)]) -> Result<Vec<Fault>, AppError> {
    let day = |one: &Checked| day_of(one.facts.slot.ends_at());
    let days: BTreeSet<NaiveDate> = checked.iter().map(|(_, one)| day(one)).collect();
    let locked = yearly_run::locked_among(conn, &days)?;
    let faults = checked.iter().filter_map(|(row, one)| {
        let year = locked.get(&day(one))?;
        Some(Fault::cell(*row, "ended_at", Code::period_locked).actual(*year))
    });
    Ok(faults.collect())
}

/// An instrument the caller may record on.
#[derive(Clone, Copy)]
struct Known {
    id: InstrumentId,
    capacity: Capacity,
    ties: InstrumentTies,
}

/// What asset numbers and codes stand for, each asked once.
#[derive(Default)]
struct References {
    instruments: BTreeMap<String, Option<Known>>,
    /// Asset numbers of the host that begin with zeros, read when one is not known.
    padded: Option<Padded>,
    units: BTreeMap<String, Option<OrganizationId>>,
}

impl References {
    fn instrument(
        &mut self,
        conn: &mut Conn,
        actor: &Actor,
        asset_no: &TypedKey,
    ) -> Result<Option<Known>, AppError> {
        if let Some(known) = self.instruments.get(&asset_no.folded()) {
            return Ok(*known);
        }
        let host = actor.caller()?.organization_id;
        let known = match store::instrument::find_by_asset_no(conn, host, asset_no)? {
            Some(found) => {
                let ties = store::instrument::get_ties(conn, found.id, actor.user_id())?;
                let known = Known {
                    id: found.id,
                    capacity: found.capacity(),
                    ties,
                };
                let may = authorize(actor, Action::UsageRecordImport, &Ties::Instrument(ties));
                may.is_ok().then_some(known)
            }
            None => None,
        };
        self.instruments.insert(asset_no.folded(), known);
        Ok(known)
    }

    fn padded(&mut self, conn: &mut Conn, actor: &Actor) -> Result<&Padded, AppError> {
        if self.padded.is_none() {
            let host = actor.caller()?.organization_id;
            let known = store::instrument::list_zero_padded(conn, host)?;
            self.padded = Some(Padded::of(known));
        }
        Ok(self.padded.get_or_insert_default())
    }

    fn unit(&mut self, conn: &mut Conn, uscc: &str) -> Result<Option<OrganizationId>, AppError> {
        if let Some(known) = self.units.get(uscc) {
            return Ok(*known);
        }
        let known = match Uscc::parse(uscc) {
            Ok(code) => store::organization::find_by_uscc(conn, &code)?
                .filter(can_use)
                .map(|unit| unit.id),
            Err(_) => None,
        };
        self.units.insert(uscc.to_owned(), known);
        Ok(known)
    }
}
