//! The usage record of a booking that has ended.

use super::record::operator_column;
use super::{day_of, news};
use crate::domain::access::Action;
use crate::domain::usage::{
    Evidence, GivenMinutes, ServiceContext, UsageFacts, UsageMinutes, UsageState,
};
use crate::domain::{Instant, Slot, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::usage::clash;
use crate::operations::{charge, yearly_run};
use crate::store::booking::Booking;
use crate::store::event::{self, Subject};
use crate::store::usage::{Columns, UsageRecord};
use crate::store::{self, Conn};

/// What is known at the end of a use besides the booking.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The actual interval.
    pub interval: Slot,
    pub minutes: UsageMinutes,
    pub samples: i64,
    pub statutory: bool,
    pub context: ServiceContext,
    pub evidence: Evidence,
}

/// The record of a booking that has ended: the one that names it already, else a new one. Another system may have told of the
/// use first.
pub fn find_or_insert(
    tx: &mut Conn,
    by: &Actor,
    booking: &Booking,
    finished: &Finished,
) -> Result<UsageRecordId, AppError> {
    match store::usage::find_first_of(tx, booking.id)? {
        Some(record) => Ok(record),
        None => Ok(insert_finished(tx, by, booking, finished)?.id),
    }
}

/// Makes the record with its event and opens its charge, in the transaction and under the locks of the action that ends the
/// booking. 409 `usage_overlaps` when the channel already has a record in this time, `period_locked` in a final year.
fn insert_finished(
    tx: &mut Conn,
    by: &Actor,
    booking: &Booking,
    finished: &Finished,
) -> Result<UsageRecord, AppError> {
    yearly_run::refuse_locked(tx, &[day_of(finished.interval.ends_at())])?;
    let is_own_use = booking.organization_id == booking.host_organization_id;
    let state = UsageState::initial(is_own_use);
    let id = store::usage::reserve_id(tx)?;
    let facts = UsageFacts {
        channel: booking.channel,
        slot: finished.interval,
        minutes: GivenMinutes::default(),
        samples: finished.samples,
        mode: booking.mode,
        purpose: booking.purpose,
        statutory: finished.statutory,
        operator: None,
        client_reference: None,
        context: finished.context.clone(),
    };
    let whose = (booking.instrument_id, booking.organization_id);
    let told = news::told(1, state, whose, &facts, finished.minutes);
    let event = by
        .event(Action::UsageRecordOpen, Subject::new("usage_record", id))
        .of(booking.host_organization_id, Some(booking.organization_id))
        .after(told)?;
    let texts = news::Texts {
        project: facts.context.project.as_deref(),
        ..news::Texts::default()
    };
    let event = texts.onto(event)?;
    let event = event::append(tx, &event)?;
    let now: Instant = by.now;
    let first = Columns {
        record_no: None,
        instrument_id: booking.instrument_id,
        organization_id: booking.organization_id,
        booking_id: Some(booking.id),
        channel: booking.channel,
        started_at: finished.interval.starts_at(),
        ended_at: finished.interval.ends_at(),
        prepare_minutes: finished.minutes.prepare(),
        run_minutes: finished.minutes.run(),
        post_minutes: finished.minutes.post(),
        samples: finished.samples,
        mode: booking.mode,
        purpose: booking.purpose,
        statutory: finished.statutory,
        service_class: facts.context.service_class,
        project: facts.context.project.clone(),
        project_level: facts.context.project_level,
        operator: operator_column(booking.details.operator.as_ref())?,
        reference: None.into(),
        state,
        reason: None,
        evidence: finished.evidence,
        entered_at: Some(now),
        entered_by: by.user_id(),
        event_id: event,
        updated_at: now,
    };
    let record = store::usage::insert(tx, id, first).map_err(clash::conflict)?;
    charge::open_for(tx, by, &record, event)?;
    Ok(record)
}
