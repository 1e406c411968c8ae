//! Whether the desk vouches for a use that its operator started or finished himself: then it counts like one that the desk ran.

use serde_json::json;

use super::context::{UsageContext, UsageView};
use super::{day_of, news};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{UsageRecordId, UserId};
use crate::error::{AppError, Code};
use crate::operations::run::{Outcome, Run};
use crate::operations::yearly_run;
use crate::store::booking::Booking;
use crate::store::usage::{Columns, UsageRecord};
use crate::store::{self, Conn};

/// The desk saw the use. 403 `second_person_required` for the operator himself; 409 `invalid_state` for what was typed, and for
/// what is disputed or voided.
pub async fn attest(
    run: &Run<UsageView>,
    id: UsageRecordId,
    body: Result<(), AppError>,
) -> Outcome<UsageView> {
    let action = run.action;
    run.on(id, body, move |tx, actor, context: UsageContext, ()| {
        let UsageContext { record, ties } = &context;
        let booking = record.booking_id.map(|id| store::booking::get(tx, id));
        let booking = booking.transpose()?;
        let operators = [
            booking.as_ref().and_then(Booking::operator),
            operator_of(record),
        ];
        if operators.contains(&actor.user_id()) {
            return Err(AppError::Denied(Code::second_person_required));
        }
        if record.evidence != Evidence::Manual {
            // It stands on more than that already.
            return Ok(context.view(record.clone()));
        }
        if !booking.is_some_and(|booking| is_seen(record, &booking)) || is_retimed(tx, record)? {
            return Err(AppError::conflict(Code::invalid_state)
                .with("state", record.state.as_str())
                .with("allowed", record.state.allowed()));
        }
        yearly_run::refuse_locked(tx, &[day_of(record.ended_at)])?;
        let event = news::event(actor, action, record.id, ties, news::Texts::default())?
            .before(told(record.version, record.evidence))?
            .after(told(record.version + 1, Evidence::Confirmed))?;
        let next = Columns {
            evidence: Evidence::Confirmed,
            event_id: store::event::append(tx, &event)?,
            updated_at: actor.now,
            ..record.columns()
        };
        Ok(context.view(store::usage::update(tx, record, next)?))
    })
    .await
}

fn told(version: i64, evidence: Evidence) -> serde_json::Value {
    json!({ "version": version, "evidence": evidence })
}

/// The person named in the record itself.
fn operator_of(record: &UsageRecord) -> Option<UserId> {
    let named = record.operator.as_ref()?.get("user_id")?.as_i64()?;
    named.try_into().ok()
}

/// Whether it is the record of a booking that was started and finished on the platform, with the interval of that use.
fn is_seen(record: &UsageRecord, booking: &Booking) -> bool {
    let interval = (Some(record.started_at), Some(record.ended_at));
    let has_hands = booking.details.started_by.is_some() && booking.details.finished_by.is_some();
    matches!(record.state, UsageState::Recorded | UsageState::Confirmed)
        && booking.operator().is_some()
        && has_hands
        && (booking.started_at, booking.ended_at) == interval
}

/// Whether somebody corrected its minutes since: typed they stay.
fn is_retimed(tx: &mut Conn, record: &UsageRecord) -> Result<bool, AppError> {
    let minutes = |of: &UsageRecord| (of.prepare_minutes, of.run_minutes, of.post_minutes);
    let replaced = store::usage::list_replaced(tx, record)?;
    Ok(replaced
        .iter()
        .any(|earlier| minutes(earlier) != minutes(record)))
}
