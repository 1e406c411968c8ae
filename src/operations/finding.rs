//! Findings: looked for in what a freeze reads, beside the writer, and read by the province and its auditors.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::finding::{FindingRule, Findings, Found};
use crate::domain::{FindingId, Instant};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::store::finding::{self as rows, Filter, Finding};
use crate::store::yearly_input::{self, Scope};
use crate::store::{Conn, StoreError};

/// What looks wrong in the year, rule by rule.
pub(crate) fn look(conn: &mut Conn, scope: &Scope) -> Result<Vec<Found>, AppError> {
    let mut all = Vec::new();
    for rule in FindingRule::ALL {
        let mut findings = Findings::of(*rule);
        yearly_input::each_candidate(conn, scope, *rule, |candidate| findings.add(candidate))?;
        all.extend(findings.finish());
    }
    Ok(all)
}

/// Writes what was found, each once.
pub(crate) fn record(
    tx: &mut Conn,
    year: i32,
    found: &[Found],
    now: Instant,
) -> Result<(), AppError> {
    for one in found {
        rows::record(tx, i64::from(year), one, now)?;
    }
    Ok(())
}

/// The findings that the filter asks for, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Finding>, AppError> {
    may(actor, Action::FindingList)?;
    let filter = filter?;
    let found = app.store.read(move |conn| rows::list(conn, &filter)).await;
    found.map_err(|error: StoreError| error.into())
}

/// One finding.
pub async fn get(app: &App, actor: &Actor, id: FindingId) -> Result<Finding, AppError> {
    may(actor, Action::FindingGet)?;
    let found = app.store.read(move |conn| rows::get(conn, id)).await;
    found.map_err(|error: StoreError| error.into())
}
