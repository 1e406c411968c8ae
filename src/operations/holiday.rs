//! The public holidays and make-up working days of a year, kept by the province: whoever looks sees them, bookings are judged
//! by them, and a year without any is told wherever it matters instead of opening in silence.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::calendar::{Calendar, CalendarDay, Year};
use crate::domain::{Code, Fault, Instant, Minutes, Slot};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Impact, Treatment};
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

/// A list after its replacement, and the bookings it hits.
#[derive(Debug, Clone)]
pub struct Replaced {
    pub list: HolidayYear,
    pub impact: Impact,
}

/// Replaces the list of a year, whose days come in any order. Bookings that stand keep their slots; those that break a rule
/// only now are named and told, or cancelled if so asked.
pub async fn update(
    run: &Run<Replaced>,
    year: Year,
    days: Result<Vec<CalendarDay>, AppError>,
    treatment: Treatment,
) -> Outcome<Replaced> {
    run.on(year, days, move |tx, actor, present: HolidayYear, days| {
        present.year.check(days)?;
        let mut days = days.clone();
        days.sort_by_key(|day| day.on);
        if days == present.days {
            let impact = Impact::default();
            return Ok(Replaced {
                list: present,
                impact,
            });
        }
        let before = standing(tx, actor, year)?;
        let known = (year, present.version);
        store::calendar::replace_year(tx, known, &days, actor.now)?;
        let subject = event::Subject::new("reference", i64::from(year.number()));
        let event = actor
            .event(Action::HolidayUpdate, subject)
            .before(told(&present.days))?
            .after(told(&days))?;
        event::append(tx, &event)?;
        let mut impact = Impact::default();
        for instrument in before {
            let hit = instrument.settle(tx, actor, treatment, &Change::default())?;
            impact = impact.and(hit);
        }
        let list = HolidayYear {
            year,
            days,
            version: present.version + 1,
        };
        Ok(Replaced { list, impact })
    })
    .await
}

/// The instruments with bookings to come in a year, as they are.
fn standing(tx: &mut Conn, actor: &Actor, year: Year) -> Result<Vec<Before>, AppError> {
    let from = Instant::at_midnight(year.first()).max(actor.now);
    let until = Instant::at_midnight(year.last()).plus(Minutes::new(24 * 60));
    let instruments = store::booking::list_standing_instruments(tx, from, until)?;
    instruments
        .into_iter()
        .map(|instrument| Before::of(tx, instrument))
        .collect()
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
