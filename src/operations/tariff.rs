//! Tariffs: the host makes dated prices of an instrument. Two of one class and mode never hold on one day.

use crate::app::App;
use crate::domain::access::{self, Caller, Deed, InstrumentTies};
use crate::domain::tariff::Tariff;
use crate::domain::{InstrumentId, TariffId};
use crate::error::{AppError, Code};
use crate::operations::deed::{Act, perform};
use crate::store::event::Subject;
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// 404 when the instrument is not the caller's to see (a visitor sees what is public), 403 when the deed is not the
/// caller's to do; a visitor, or somebody who only looks, names no deed.
pub fn admit(
    conn: &mut Conn,
    caller: Option<&Caller>,
    id: InstrumentId,
    deed: Option<Deed>,
) -> Result<InstrumentTies, AppError> {
    let ties = store::instrument::get_ties(conn, id, caller.map(|caller| caller.user_id))?;
    match (caller, deed) {
        (Some(caller), Some(deed)) => access::may_on_instrument(caller, deed, &ties)?,
        (Some(caller), None) => access::sees_instrument(caller, &ties)?,
        (None, _) if ties.is_public => {}
        (None, _) => return Err(AppError::NotFound),
    }
    Ok(ties)
}

/// Makes a price. 422 for what is wrong with it, 409 `tariff_overlaps` with the one in the way.
pub async fn create(
    app: &App,
    act: &Act,
    instrument: InstrumentId,
    new: Tariff,
) -> Result<TariffId, AppError> {
    let own = act.clone();
    let run = move |tx: &mut Conn| run(tx, &own, instrument, &new);
    let refused = match perform(app, act, run).await {
        Err(AppError::Conflict(conflict)) if conflict.code == Code::tariff_overlaps => {
            AppError::Conflict(conflict)
        }
        done => return done,
    };
    let find =
        move |conn: &mut Conn| {
            Ok::<_, AppError>(store::tariff::list(conn, instrument)?.into_iter().find(
                |(_, known)| {
                    known.customer_class == new.customer_class
                        && known.mode == new.mode
                        && known.period.overlaps(&new.period)
                },
            ))
        };
    // Tariffs are never removed, so what was in the way still is.
    Err(match app.store.read(find).await? {
        Some((existing, _)) => refused.with("existing_id", existing.number()),
        None => refused,
    })
}

fn run(
    tx: &mut Conn,
    act: &Act,
    instrument: InstrumentId,
    new: &Tariff,
) -> Result<TariffId, AppError> {
    let ties = admit(tx, Some(&act.caller), instrument, Some(Deed::TariffCreate))?;
    Lock::Instrument(instrument).take(tx)?;
    Lock::UsageShared.take(tx)?;
    new.validate()?;
    let created_at = store::evaluation::after_freezes(tx, act.now)?;
    let id =
        store::tariff::insert(tx, instrument, new, created_at).map_err(|error| match error {
            StoreError::Violated(Constraint::TariffOverlap) => {
                AppError::conflict(Code::tariff_overlaps)
            }
            other => other.into(),
        })?;
    let event = act
        .event("tariff_create", Subject::new("tariff", id))
        .of(ties.host_organization_id, None)
        .after(serde_json::json!({ "instrument_id": instrument, "tariff": new }))?;
    let event = store::event::append(tx, &event)?;
    let managers = store::instrument::list_managers(tx, instrument)?;
    store::event::announce(tx, event, &managers, act.now)?;
    Ok(id)
}
