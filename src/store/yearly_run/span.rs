//! The days that final runs counted: usage and money of them stand. A year of a pack may begin on any day.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::policy::{IncomeBy, Span};
use crate::domain::run::RunId;
use crate::store::schema::counted_span;
use crate::store::{Conn, Result};

/// What a run that becomes final counted.
pub fn insert(
    conn: &mut Conn,
    run: RunId,
    year: i64,
    (span, income_by): (&Span, IncomeBy),
) -> Result<()> {
    diesel::insert_into(counted_span::table)
        .values((
            counted_span::kind.eq(run.kind()),
            counted_span::run_id.eq(run.number()),
            counted_span::year.eq(year),
            counted_span::first_on.eq(span.first_on),
            counted_span::last_on.eq(span.last_on),
            counted_span::income_by.eq(income_by),
        ))
        .execute(conn)?;
    Ok(())
}

/// Days that a final run counted, in which year, and income by which date.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    pub year: i64,
    pub span: Span,
    pub income_by: IncomeBy,
}

/// What is locked between two days, both included.
pub fn list_between(
    conn: &mut Conn,
    (first_on, last_on): (NaiveDate, NaiveDate),
) -> Result<Vec<Counted>> {
    let rows: Vec<(i64, NaiveDate, NaiveDate, IncomeBy)> = counted_span::table
        .filter(counted_span::first_on.le(last_on))
        .filter(counted_span::last_on.ge(first_on))
        .order((counted_span::year, counted_span::first_on))
        .select((
            counted_span::year,
            counted_span::first_on,
            counted_span::last_on,
            counted_span::income_by,
        ))
        .load(conn)?;
    let spans = rows
        .into_iter()
        .map(|(year, first_on, last_on, income_by)| Counted {
            year,
            span: Span { first_on, last_on },
            income_by,
        });
    Ok(spans.collect())
}

/// Whether a final run counted that year.
pub fn is_counted(conn: &mut Conn, year: i64) -> Result<bool> {
    let of_year = counted_span::table.filter(counted_span::year.eq(year));
    Ok(diesel::select(diesel::dsl::exists(of_year)).get_result(conn)?)
}
