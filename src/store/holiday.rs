//! Public holidays and make-up working days.

use diesel::prelude::*;

use super::schema::public_holiday;
use super::{Conn, Result};
use crate::domain::calendar::CalendarDay;

pub fn list(conn: &mut Conn) -> Result<Vec<CalendarDay>> {
    let rows: Vec<(chrono::NaiveDate, _, String)> = public_holiday::table
        .order(public_holiday::holiday_on)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(on, kind, festival)| CalendarDay { on, kind, festival })
        .collect())
}
