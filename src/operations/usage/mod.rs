//! Usage records: typed or imported by the host, confirmed or disputed by the using unit, corrected and voided by the host.
//! Every version names the event that made it; the database refuses two records at one time on one channel.

mod attest;
pub mod clash;
mod context;
mod correct;
mod decide;
pub mod finished;
mod import;
mod news;
mod read;
mod record;

use chrono::NaiveDate;

use crate::domain::access::BookingTies;
use crate::domain::usage::UsageMinutes;
use crate::domain::{Instant, Slot};
use crate::error::AppError;
use crate::store::usage::UsageRecord;

pub use attest::attest;
pub use context::{UsageContext, UsageView};
pub use correct::{correct, correct_as_told};
pub use decide::{confirm, dispute, void};
pub use import::{ImportRow, ImportTable, Imported, import, may_get_template};
pub use read::{export, get, list, list_versions};
pub use record::{NewUsage, record};

/// Whether a record is the host's own use.
fn is_own_use(ties: &BookingTies) -> bool {
    ties.organization_id == ties.instrument.host_organization_id
}

/// The day on which a record counts: that of its last moment; what ends at midnight is still of the day before.
pub fn day_of(ended_at: Instant) -> NaiveDate {
    ended_at.plus_seconds(-1).local_date()
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
