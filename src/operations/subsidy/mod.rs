//! Subsidy runs.

use crate::error::{AppError, Code};
use crate::store::{self, Conn};

/// 409 `period_locked` when one of the years has a final run: its usage and money stand.
pub fn refuse_locked(conn: &mut Conn, years: &[i32]) -> Result<(), AppError> {
    let years: Vec<i64> = years.iter().copied().map(i64::from).collect();
    match store::subsidy::list_final_years(conn, &years)?.first() {
        Some(year) => Err(AppError::conflict(Code::period_locked).with("year", *year)),
        None => Ok(()),
    }
}
