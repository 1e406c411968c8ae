//! The calendar: the public holidays and make-up working days as one versioned document, made anew when their list is loaded.

use std::sync::Arc;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::memo::{MEMO, version_of};
use super::schema::{calendar, holiday_year, public_holiday};
use super::{Conn, Lock, Result};
use crate::domain::Instant;
use crate::domain::calendar::{Calendar, CalendarDay, DayKind, Year};

/// The form of the document that this program writes and reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    days: Vec<StoredDay>,
}

#[derive(Serialize, Deserialize)]
struct StoredDay {
    on: chrono::NaiveDate,
    kind: String,
    festival: String,
}

/// Working days and public holidays as they are now. The days are read only when this program has not yet read this version.
pub fn get(conn: &mut Conn) -> Result<Arc<Calendar>> {
    let version: i64 = calendar::table.select(calendar::version).get_result(conn)?;
    if let Some(known) = MEMO.calendar(version) {
        return Ok(known);
    }
    let (version, content): (i64, String) = calendar::table
        .select((calendar::version, calendar::content))
        .get_result(conn)?;
    read(conn, version, &content)
}

/// The calendar of a document, which is remembered. One of another form is read from the list itself.
pub(super) fn read(conn: &mut Conn, version: i64, content: &str) -> Result<Arc<Calendar>> {
    let days = match days_of(content) {
        Some(days) => days,
        None => list(conn)?,
    };
    let known = Arc::new(Calendar::new(days));
    MEMO.keep_calendar(version, &known);
    Ok(known)
}

fn days_of(content: &str) -> Option<Vec<CalendarDay>> {
    let stored: Stored = serde_json::from_str(content).ok()?;
    let day = |day: StoredDay| {
        Some(CalendarDay {
            on: day.on,
            kind: day.kind.parse().ok()?,
            festival: day.festival,
        })
    };
    let days = stored.days.into_iter().map(day);
    (stored.format == FORMAT).then(|| days.collect()).flatten()
}

/// Makes the document anew after the list of days has changed, while no booking is under way.
pub fn refresh(conn: &mut Conn) -> Result<()> {
    Lock::RecordsAlone.take(conn)?;
    let day = |day: CalendarDay| StoredDay {
        on: day.on,
        kind: day.kind.as_str().to_owned(),
        festival: day.festival,
    };
    let days = list(conn)?.into_iter().map(day).collect();
    let content = serde_json::to_string(&Stored {
        format: FORMAT,
        days,
    })?;
    diesel::update(calendar::table)
        .set((
            calendar::version.eq(version_of(&content)),
            calendar::content.eq(content),
        ))
        .execute(conn)?;
    Ok(())
}

/// Which working days and public holidays there are: another number for other ones.
pub fn version(conn: &mut Conn) -> Result<i64> {
    Ok(calendar::table.select(calendar::version).get_result(conn)?)
}

/// The version of the list of a year: 1 until an officer changes it.
pub fn version_of_year(conn: &mut Conn, year: Year) -> Result<i64> {
    let own = holiday_year::table.find(i64::from(year.number()));
    let version = own.select(holiday_year::version).get_result(conn);
    Ok(version.optional()?.unwrap_or(1))
}

/// The years whose lists an officer keeps.
pub fn list_kept_years(conn: &mut Conn) -> Result<Vec<i64>> {
    Ok(holiday_year::table
        .select(holiday_year::year)
        .order(holiday_year::year)
        .load(conn)?)
}

/// Gives a year these days and no others, as its next version, while no booking is under way.
pub fn replace_year(
    conn: &mut Conn,
    (year, version): (Year, i64),
    days: &[CalendarDay],
    now: Instant,
) -> Result<()> {
    let own = public_holiday::holiday_on.between(year.first(), year.last());
    diesel::delete(public_holiday::table.filter(own)).execute(conn)?;
    for day in days {
        diesel::insert_into(public_holiday::table)
            .values((
                public_holiday::holiday_on.eq(day.on),
                public_holiday::kind.eq(day.kind),
                public_holiday::festival.eq(&day.festival),
            ))
            .execute(conn)?;
    }
    let number = i64::from(year.number());
    let next = (
        holiday_year::version.eq(version + 1),
        holiday_year::updated_at.eq(now),
    );
    let updated = diesel::update(holiday_year::table.find(number)).set(next);
    if updated.execute(conn)? == 0 {
        diesel::insert_into(holiday_year::table)
            .values((holiday_year::year.eq(number), next.0, next.1))
            .execute(conn)?;
    }
    refresh(conn)
}

fn list(conn: &mut Conn) -> Result<Vec<CalendarDay>> {
    let rows: Vec<(chrono::NaiveDate, DayKind, String)> = public_holiday::table
        .order(public_holiday::holiday_on)
        .load(conn)?;
    let day = |(on, kind, festival)| CalendarDay { on, kind, festival };
    Ok(rows.into_iter().map(day).collect())
}
