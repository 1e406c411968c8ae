//! The days that final runs counted: usage and money of them stand. A year of a pack may begin on any day.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::policy::Span;
use crate::domain::run::RunId;
use crate::store::schema::counted_span;
use crate::store::{Conn, Result};

/// What a run that becomes final counted.
pub fn insert(conn: &mut Conn, run: RunId, year: i64, span: &Span) -> Result<()> {
    diesel::insert_into(counted_span::table)
        .values((
            counted_span::kind.eq(run.kind()),
            counted_span::run_id.eq(run.number()),
            counted_span::year.eq(year),
            counted_span::first_on.eq(span.first_on),
            counted_span::last_on.eq(span.last_on),
        ))
        .execute(conn)?;
    Ok(())
}

/// The days and years that are locked between two days, both included.
pub fn list_between(
    conn: &mut Conn,
    (first_on, last_on): (NaiveDate, NaiveDate),
) -> Result<Vec<(i64, Span)>> {
    let rows: Vec<(i64, NaiveDate, NaiveDate)> = counted_span::table
        .filter(counted_span::first_on.le(last_on))
        .filter(counted_span::last_on.ge(first_on))
        .order((counted_span::year, counted_span::first_on))
        .select((
            counted_span::year,
            counted_span::first_on,
            counted_span::last_on,
        ))
        .load(conn)?;
    let spans = rows
        .into_iter()
        .map(|(year, first_on, last_on)| (year, Span { first_on, last_on }));
    Ok(spans.collect())
}

/// Whether a final run counted that year.
pub fn is_counted(conn: &mut Conn, year: i64) -> Result<bool> {
    let of_year = counted_span::table.filter(counted_span::year.eq(year));
    Ok(diesel::select(diesel::dsl::exists(of_year)).get_result(conn)?)
}
