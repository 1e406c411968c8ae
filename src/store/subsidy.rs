//! Subsidy runs, their awards and every step of each. The database refuses a second final run of a year
//! (`SubsidyRunFinalUnique`) and any change of a final one (`SubsidyRunFinal`).

use diesel::prelude::*;

use super::schema::subsidy_run;
use super::{Conn, Result};
use crate::domain::run::RunState;

/// The years among `years` that have a final run.
pub fn list_final_years(conn: &mut Conn, years: &[i64]) -> Result<Vec<i64>> {
    Ok(subsidy_run::table
        .filter(
            subsidy_run::state
                .eq(RunState::Final)
                .and(subsidy_run::year.eq_any(years)),
        )
        .select(subsidy_run::year)
        .order(subsidy_run::year)
        .load(conn)?)
}
