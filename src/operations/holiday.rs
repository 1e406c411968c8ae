//! The public holidays and make-up working days of a year, kept by the province: whoever looks sees them, bookings are judged
//! by them, and a year without any is told wherever it matters instead of opening in silence.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::calendar::{Calendar, CalendarDay, Year};
use crate::domain::{Code, Fault, Slot};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, load};
use crate::store::event;
use crate::store::{self, Conn, Lock};

/// The list of a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolidayYear {
    pub year: Year,
    pub days: Vec<CalendarDay>,
    pub version: i64,
}

impl Subject for HolidayYear {
    type Id = Year;

    /// No booking is under way meanwhile.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, year: Year) -> Result<Self, AppError> {
        Lock::RecordsAlone.take(tx)?;
        Self::load(tx, actor, year)
    }

    fn load(conn: &mut Conn, _: &Actor, year: Year) -> Result<Self, AppError> {
        Ok(Self {
            year,
            days: store::calendar::get(conn)?.days_of(year),
            version: store::calendar::version_of_year(conn, year)?,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// The list of a year; one without any days knows weekends only.
pub async fn get(app: &App, actor: &Actor, year: Year) -> Result<HolidayYear, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| load::<HolidayYear>(conn, &actor, Action::HolidayGet, year))
        .await
}

/// Replaces the list of a year. Its days come in any order.
pub async fn update(
    run: &Run<HolidayYear>,
    year: Year,
    days: Result<Vec<CalendarDay>, AppError>,
) -> Outcome<HolidayYear> {
    run.on(year, days, |tx, actor, present: HolidayYear, days| {
        present.year.check(days)?;
        let mut days = days.clone();
        days.sort_by_key(|day| day.on);
        if days == present.days {
            return Ok(present);
        }
        let known = (present.year, present.version);
        store::calendar::replace_year(tx, known, &days, actor.now)?;
        let subject = event::Subject::new("reference", i64::from(present.year.number()));
        let event = actor
            .event(Action::HolidayUpdate, subject)
            .before(told(&present.days))?
            .after(told(&days))?;
        event::append(tx, &event)?;
        Ok(HolidayYear {
            year: present.year,
            days,
            version: present.version + 1,
        })
    })
    .await
}

/// A list as events tell it.
fn told(days: &[CalendarDay]) -> Value {
    let day = |day: &CalendarDay| json!({"on": day.on, "kind": day.kind});
    json!({"items": days.iter().map(day).collect::<Vec<_>>()})
}

/// So many years are warned of at once.
const WARNINGS_MAX: usize = 3;

/// A warning for each year that a slot touches without a list.
pub fn warnings_of(calendar: &Calendar, slot: &Slot) -> Vec<Fault> {
    let last = slot.ends_at().plus_seconds(-1);
    warnings(calendar, slot.starts_at().local_date(), last.local_date())
}

/// A warning for each year from `first` to `last` without a list, which may close what is open now.
pub fn warnings(calendar: &Calendar, first: NaiveDate, last: NaiveDate) -> Vec<Fault> {
    let years = calendar.unknown_years(first, last).into_iter();
    years
        .take(WARNINGS_MAX)
        .map(|year| Fault::request(Code::holidays_unknown).actual(year))
        .collect()
}
