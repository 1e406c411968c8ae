//! A host tells of a service that took place, with nothing but its word: evidence `manual`.

use serde_json::Value;

use super::clash::{self, Claim};
use super::context::UsageView;
use super::{day_of, news};
use crate::domain::access::{Action, BookingTies};
use crate::domain::organization::OrganizationState;
use crate::domain::usage::{Evidence, UsageFacts, UsageMinutes, UsageState};
use crate::domain::{BookingId, EventId, InstrumentId, Operator, OrganizationId, UsageRecordId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may};
use crate::operations::subject::{Ties, authorize};
use crate::operations::{charge, yearly_run};
use crate::store::booking::Booking;
use crate::store::event::NewEvent;
use crate::store::instrument::Instrument;
use crate::store::organization::Organization;
use crate::store::usage::{Columns, Target, UsageRecord};
use crate::store::{self, Conn, Json, Lock};

/// A record to type in.
#[derive(Debug, Clone)]
pub struct NewUsage {
    pub instrument_id: InstrumentId,
    /// The using unit; the host itself for own use.
    pub organization_id: OrganizationId,
    /// A booking of that instrument by that unit.
    pub booking_id: Option<BookingId>,
    pub facts: UsageFacts,
}

/// Records a service. 422 for what is wrong with it, 409 `usage_overlaps`, `client_reference_used`, `period_locked`.
pub async fn record(run: &Run<UsageView>, new: Result<NewUsage, AppError>) -> Outcome<UsageView> {
    may(&run.actor, run.action)?;
    let new = new?;
    let claim = Claim {
        target: Target {
            instrument_id: new.instrument_id,
            channel: new.facts.channel,
            slot: new.facts.slot,
            except: None,
        },
        unit: new.organization_id,
        client_reference: new.facts.client_reference.clone(),
    };
    let claimed = move |_: &mut Conn| Ok(claim.clone());
    clash::settle(&run.app, &run.actor, claimed, || {
        run.with(Ok(new.clone()), enter)
    })
    .await
}

fn enter(tx: &mut Conn, actor: &Actor, new: &NewUsage) -> Result<UsageView, AppError> {
    Lock::take_records_of(new.instrument_id, tx)?;
    let (instrument, ties) = instrument_for(tx, actor, new)?;
    let mut faults = Vec::new();
    let unit = find_unit(tx, new.organization_id)?;
    if unit.is_none() {
        faults.push(unknown("organization_id", new.organization_id.number()));
    }
    let mut booked_by = None;
    if let Some(booking) = new.booking_id {
        match find_booking(tx, booking, new)? {
            Some(found) => booked_by = Some(found.booked_by),
            None => faults.push(unknown("booking_id", booking.number())),
        }
    }
    faults.extend(unknown_operator(tx, new.facts.operator.as_ref())?);
    let minutes = match new.facts.check(instrument.capacity(), actor.now) {
        Ok(minutes) => Some(minutes),
        Err(more) => {
            faults.extend(more);
            None
        }
    };
    let (Some(minutes), Some(_), true) = (minutes, unit, faults.is_empty()) else {
        return Err(faults.into());
    };
    yearly_run::refuse_locked(tx, &[day_of(new.facts.slot.ends_at())])?;
    let entry = Entry {
        action: Action::UsageRecordCreate,
        ties: BookingTies { booked_by, ..ties },
        instrument: instrument.id,
        booking: new.booking_id,
        facts: &new.facts,
        minutes,
    };
    Ok(UsageView {
        record: entry.insert(tx, actor)?,
        host_organization_id: ties.instrument.host_organization_id,
    })
}

/// The instrument, and who would be tied to the record. One that is not the caller's to see is an unknown reference.
fn instrument_for(
    tx: &mut Conn,
    actor: &Actor,
    new: &NewUsage,
) -> Result<(Instrument, BookingTies), AppError> {
    let hidden = || AppError::refused("instrument_id", Code::unknown_reference);
    let instrument = match store::instrument::get(tx, new.instrument_id) {
        Err(store::StoreError::NotFound) => return Err(hidden()),
        found => found?,
    };
    let ties = store::instrument::get_ties(tx, instrument.id, actor.user_id())?;
    match authorize(actor, Action::UsageRecordCreate, &Ties::Instrument(ties)) {
        Err(AppError::NotFound) => return Err(hidden()),
        authorized => authorized?,
    }
    let ties = BookingTies {
        instrument: ties,
        organization_id: new.organization_id,
        booked_by: None,
        operator: None,
    };
    Ok((instrument, ties))
}

/// A unit that can use instruments: verified, or suspended since.
pub fn find_unit(tx: &mut Conn, id: OrganizationId) -> Result<Option<Organization>, AppError> {
    match store::organization::get(tx, id) {
        Err(store::StoreError::NotFound) => Ok(None),
        found => Ok(Some(found?).filter(can_use)),
    }
}

/// Organizations that were never verified have no records.
pub fn can_use(unit: &Organization) -> bool {
    matches!(
        unit.state,
        OrganizationState::Verified | OrganizationState::Suspended
    )
}

/// The booking the record stands on, if it is one of that instrument by that unit.
fn find_booking(tx: &mut Conn, id: BookingId, new: &NewUsage) -> Result<Option<Booking>, AppError> {
    let is_its = |booking: &Booking| {
        booking.instrument_id == new.instrument_id && booking.organization_id == new.organization_id
    };
    match store::booking::get(tx, id) {
        Err(store::StoreError::NotFound) => Ok(None),
        found => Ok(Some(found?).filter(is_its)),
    }
}

/// A fault when the operator is no person of the platform.
pub fn unknown_operator(
    tx: &mut Conn,
    operator: Option<&Operator>,
) -> Result<Option<Fault>, AppError> {
    let Some(id) = operator.and_then(|operator| operator.user_id) else {
        return Ok(None);
    };
    match store::user::get(tx, id) {
        Err(store::StoreError::NotFound) => Ok(Some(unknown("operator.user_id", id.number()))),
        found => found.map(|_| None).map_err(AppError::from),
    }
}

pub fn unknown(field: &str, id: i64) -> Fault {
    Fault::field(field, Code::unknown_reference).actual(id)
}

/// A checked record on its way in.
pub struct Entry<'a> {
    pub action: Action,
    pub ties: BookingTies,
    pub instrument: InstrumentId,
    pub booking: Option<BookingId>,
    pub facts: &'a UsageFacts,
    pub minutes: UsageMinutes,
}

impl Entry<'_> {
    /// Appends the event, writes version 1 and opens the charge.
    fn insert(&self, tx: &mut Conn, actor: &Actor) -> Result<UsageRecord, AppError> {
        let id = store::usage::reserve_id(tx)?;
        let event = store::event::append(tx, &self.event(actor, id)?)?;
        let columns = self.columns(actor, event)?;
        let written = store::usage::insert(tx, id, columns).map_err(clash::conflict)?;
        charge::open_for(tx, actor, &written, event)?;
        Ok(written)
    }

    fn state(&self) -> UsageState {
        UsageState::initial(super::is_own_use(&self.ties))
    }

    /// The event that tells of the record.
    pub fn event(&self, actor: &Actor, id: UsageRecordId) -> Result<NewEvent, AppError> {
        let (facts, ties) = (self.facts, &self.ties);
        let whose = (self.instrument, ties.organization_id);
        let told = news::told(1, self.state(), whose, facts, self.minutes);
        let texts = news::Texts::of(facts, None);
        Ok(news::event(actor, self.action, id, ties, texts)?.after(told)?)
    }

    /// Version 1, made by `event_id`.
    pub fn columns(&self, actor: &Actor, event_id: EventId) -> Result<Columns, AppError> {
        let facts = self.facts;
        Ok(Columns {
            record_no: None,
            instrument_id: self.instrument,
            organization_id: self.ties.organization_id,
            booking_id: self.booking,
            channel: facts.channel,
            started_at: facts.slot.starts_at(),
            ended_at: facts.slot.ends_at(),
            prepare_minutes: self.minutes.prepare(),
            run_minutes: self.minutes.run(),
            post_minutes: self.minutes.post(),
            samples: facts.samples,
            mode: facts.mode,
            purpose: facts.purpose,
            statutory: facts.statutory,
            service_class: facts.context.service_class,
            project: facts.context.project.clone(),
            project_level: facts.context.project_level,
            operator: operator_column(facts.operator.as_ref())?,
            reference: facts.client_reference.clone().into(),
            state: self.state(),
            reason: None,
            evidence: Evidence::Manual,
            entered_at: Some(actor.now),
            entered_by: Some(actor.caller()?.user_id),
            event_id,
            updated_at: actor.now,
        })
    }
}

/// An operator as the column keeps it.
pub fn operator_column(operator: Option<&Operator>) -> Result<Option<Json<Value>>, AppError> {
    let value = operator.map(serde_json::to_value).transpose()?;
    Ok(value.map(Json::of).transpose()?)
}
