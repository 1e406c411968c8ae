//! The usage record of a booking that has ended.

use super::year_of;
use crate::domain::usage::{Evidence, UsageMinutes, UsageState};
use crate::domain::{EventId, Instant, Slot, UserId};
use crate::error::{AppError, Code};
use crate::operations::{charge, subsidy};
use crate::store::booking::Booking;
use crate::store::usage::{Columns, UsageRecord};
use crate::store::{self, Conn, Constraint, StoreError};

/// What is known at the end of a use besides the booking.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The actual interval.
    pub interval: Slot,
    pub minutes: UsageMinutes,
    pub samples: i64,
    pub statutory: bool,
    pub evidence: Evidence,
    /// Who ended it; nobody when it was closed by time.
    pub entered_by: Option<UserId>,
    pub event: EventId,
    pub now: Instant,
}

/// Makes the record and opens its charge, in the transaction and under the locks (instrument, usage) of the deed that ends the booking. 409
/// `usage_overlaps` when the channel already has a record in this time, `period_locked` in a final year.
pub fn insert_finished(
    tx: &mut Conn,
    booking: &Booking,
    finished: &Finished,
) -> Result<UsageRecord, AppError> {
    subsidy::refuse_locked(tx, &[year_of(finished.interval.ends_at())])?;
    let is_own_use = booking.organization_id == booking.host_organization_id;
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
        operator: booking.operator.clone(),
        client_reference: None,
        state: UsageState::initial(is_own_use),
        reason: None,
        evidence: finished.evidence,
        entered_at: Some(finished.now),
        entered_by: finished.entered_by,
        event_id: finished.event,
        updated_at: finished.now,
    };
    let record = store::usage::insert(tx, first).map_err(|error| match error {
        StoreError::Violated(Constraint::UsageOverlap) => AppError::conflict(Code::usage_overlaps),
        other => other.into(),
    })?;
    charge::open_for(tx, &record, finished.event, finished.now)?;
    Ok(record)
}
