//! What the trail tells of a usage record, and who hears of it. Names and free text stay out of the event.

use serde_json::{Value, json};

use crate::domain::access::Action;
use crate::domain::access::{BookingTies, Role};
use crate::domain::usage::{Operator, UsageFacts, UsageMinutes, UsageState};
use crate::domain::{EventId, InstrumentId, OrganizationId, UsageRecordId, UserId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::personal;
use crate::store::event::{NewEvent, Subject};
use crate::store::usage::UsageRecord;
use crate::store::{self, Conn};

/// A version of a record as events tell it: no names, no free text.
pub fn told(
    version: i64,
    state: UsageState,
    (instrument, unit): (InstrumentId, OrganizationId),
    facts: &UsageFacts,
    minutes: UsageMinutes,
) -> Value {
    json!({
        "version": version,
        "state": state,
        "instrument_id": instrument,
        "organization_id": unit,
        "channel": facts.channel,
        "started_at": facts.slot.starts_at(),
        "ended_at": facts.slot.ends_at(),
        "prepare_minutes": minutes.prepare(),
        "run_minutes": minutes.run(),
        "post_minutes": minutes.post(),
        "samples": facts.samples,
        "mode": facts.mode,
        "purpose": facts.purpose,
        "statutory": facts.statutory,
    })
}

/// The event of an action on a record, with its erasable texts.
pub fn event(
    actor: &Actor,
    action: Action,
    id: UsageRecordId,
    ties: &BookingTies,
    (operator, reason): (Option<&Operator>, Option<&str>),
) -> Result<NewEvent, AppError> {
    let event = actor.event(action, Subject::new("usage_record", id)).of(
        ties.instrument.host_organization_id,
        Some(ties.organization_id),
    );
    if operator.is_none() && reason.is_none() {
        return Ok(event);
    }
    let texts = json!({ "operator": operator, "reason": reason });
    Ok(event.personal(personal(texts)?))
}

/// Tells the using unit what the host did: its administrators and whoever booked.
pub fn tell_unit(
    tx: &mut Conn,
    actor: &Actor,
    event: EventId,
    ties: &BookingTies,
) -> Result<(), AppError> {
    let mut people = store::user::list_with_roles(tx, ties.organization_id, &[Role::UnitAdmin])?;
    if let Some(booker) = ties.booked_by
        && store::user::is_active_member(tx, booker, ties.organization_id)?
    {
        people.push(booker);
    }
    announce(tx, actor, event, people)
}

/// Tells the host what the using unit did: its administrators and the managers of the instrument.
pub fn tell_host(
    tx: &mut Conn,
    actor: &Actor,
    event: EventId,
    ties: &BookingTies,
    record: &UsageRecord,
) -> Result<(), AppError> {
    let host = ties.instrument.host_organization_id;
    let mut people = store::user::list_with_roles(tx, host, &[Role::HostAdmin])?;
    people.extend(store::instrument::list_acting_managers(
        tx,
        record.instrument_id,
    )?);
    announce(tx, actor, event, people)
}

/// Nobody is told what they did themselves.
fn announce(
    tx: &mut Conn,
    actor: &Actor,
    event: EventId,
    mut people: Vec<UserId>,
) -> Result<(), AppError> {
    people.retain(|person| Some(*person) != actor.user_id());
    Ok(store::event::announce(tx, event, &people, actor.now)?)
}
