//! Usage records: typed or imported by the host, confirmed or disputed by the using unit, corrected and voided by the host.
//! Every version names the event that made it; the database refuses two records at one time on one channel.

mod clash;
mod correct;
mod decide;
pub mod finished;
mod import;
mod news;
mod record;

use chrono::Datelike;

use crate::app::App;
use crate::domain::access::{self, Action, BookingTies, Caller};
use crate::domain::usage::UsageMinutes;
use crate::domain::{Instant, OrganizationId, Slot, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::same_version;
use crate::store::usage::UsageRecord;
use crate::store::{self, Conn, Lock};

pub use correct::correct;
pub use decide::{confirm, dispute, void};
pub use import::{ImportRow, Imported, import};
pub use record::{NewUsage, record};

/// 404 when the record is not the caller's to see, 403 when the action is not the caller's to do.
pub async fn admit(
    app: &App,
    caller: &Caller,
    id: UsageRecordId,
    action: Action,
) -> Result<UsageRecord, AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| {
            let record = store::usage::get(conn, id)?;
            admitted(conn, &caller, action, &record)?;
            Ok(record)
        })
        .await
}

/// The versions of a record that the caller may see, newest first, and the record's host. Who reaches it as the using unit
/// sees what it says of that unit, not what it said before the host gave it another one.
pub async fn list_versions(
    app: &App,
    caller: &Caller,
    id: UsageRecordId,
) -> Result<(OrganizationId, Vec<UsageRecord>), AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| {
            let present = store::usage::get(conn, id)?;
            let ties = admitted(conn, &caller, Action::UsageRecordGet, &present)?;
            let replaced = store::usage::list_replaced(conn, &present)?;
            let mut versions = vec![present];
            versions.extend(replaced.into_iter().map(|version| version.into_inner()));
            versions.retain(|version| {
                let ties = BookingTies {
                    organization_id: version.organization_id,
                    ..ties
                };
                access::may_on_usage(&caller, Action::UsageRecordGet, &ties).is_ok()
            });
            Ok((ties.instrument.host_organization_id, versions))
        })
        .await
}

fn admitted(
    conn: &mut Conn,
    caller: &Caller,
    action: Action,
    record: &UsageRecord,
) -> Result<BookingTies, AppError> {
    let ties = store::usage::get_ties(conn, record, caller.user_id)?;
    access::may_on_usage(caller, action, &ties)?;
    Ok(ties)
}

/// A record to be changed, its instrument's time locked, with who is tied to it.
fn take(
    tx: &mut Conn,
    actor: &Actor,
    id: UsageRecordId,
    action: Action,
    version: Option<i64>,
) -> Result<(UsageRecord, BookingTies), AppError> {
    let instrument = store::usage::get(tx, id)?.instrument_id;
    Lock::take_records_of(instrument, tx)?;
    let record = store::usage::get(tx, id)?;
    let ties = admitted(tx, actor.caller()?, action, &record)?;
    same_version(version, record.version)?;
    Ok((record, ties))
}

/// Whether a record is the host's own use.
fn is_own_use(ties: &BookingTies) -> bool {
    ties.organization_id == ties.instrument.host_organization_id
}

/// The year in which a record counts: that of its local end.
fn year_of(ended_at: Instant) -> i32 {
    ended_at.local_date().year()
}

fn slot_of(record: &UsageRecord) -> Result<Slot, AppError> {
    Slot::new(record.started_at, record.ended_at).map_err(AppError::internal)
}

fn minutes_of(record: &UsageRecord) -> UsageMinutes {
    UsageMinutes::stored([
        record.prepare_minutes,
        record.run_minutes,
        record.post_minutes,
    ])
}
