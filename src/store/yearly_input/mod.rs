//! What a yearly run reads, as few queries over whole tables. A [`Scope`] says which year, and at which event: current rows up
//! to that event stand, and for later ones their replaced versions.

mod charge;
mod detail;
mod finding;
mod income;
mod registry;
mod request;
mod service;

pub use charge::{ChargeRow, Side, list_charges, list_stood};
pub use detail::each_record;
pub use finding::{list_candidates, list_suspected, read_records_of_two};
pub use income::{IncomeGroup, RecordIncome, list_income, list_income_of};
pub use registry::{
    InstrumentVersion, Member, each_version, list_exemptions, list_members, list_priced,
    list_related, list_reported,
};
pub use request::{Request, each_request};
pub use service::{
    AnswerGroup, Pair, RecordClass, RecordRow, UsageGroup, find_answer, get_record, list_answers,
    list_answers_of, list_changed, list_records, list_replaced, list_usage,
};

use chrono::NaiveDate;

use crate::domain::policy::{IncomeBy, Span, YearSpan};
use crate::domain::{EventId, Instant, Slot};

/// Rows that are read at once where a table is walked through: PostgreSQL keeps all that a query answers.
const PAGE_ROWS: i64 = 2_000;

/// The year or a window of it, and the moment at which its records count as they were.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    pub year: i32,
    /// The year in the platform's zone.
    pub period: Slot,
    pub first_on: NaiveDate,
    pub last_on: NaiveDate,
    /// The days may be a window of the year.
    pub days_of_year: i64,
    /// What decides in which days income counts.
    pub income_by: IncomeBy,
    pub frozen_at: Instant,
    /// The newest event at the freeze; none in an empty database.
    pub frozen_event_id: Option<EventId>,
}

impl Scope {
    /// The days of the year.
    pub const fn span(&self) -> Span {
        Span {
            first_on: self.first_on,
            last_on: self.last_on,
        }
    }

    /// The days as those of a policy's year.
    pub const fn year_span(&self) -> YearSpan {
        YearSpan {
            year: self.year,
            span: self.span(),
            days_of_year: self.days_of_year,
        }
    }

    /// Whether a record that ended then is of the year: it belongs to the year of its last moment, so that one that ends with the
    /// old year is still of it.
    pub fn has_end(&self, ended_at: Instant) -> bool {
        self.period.starts_at() < ended_at && ended_at <= self.period.ends_at()
    }

    /// Whether a record that ended then can have income of the days: where its end decides, only one of the days.
    pub fn may_earn(&self, ended_at: Instant) -> bool {
        self.income_by != IncomeBy::EndedAt || self.has_end(ended_at)
    }

    /// The event bound as a number; before the first event nothing exists.
    fn event_number(&self) -> i64 {
        self.frozen_event_id.map_or(0, EventId::number)
    }
}
