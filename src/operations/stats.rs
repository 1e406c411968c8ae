//! Open figures of a year: what was shared and served, by the rules of the active policy, from the records as they are.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::{Judge, Relation};
use crate::domain::stats::YearStats;
use crate::domain::{Instant, Minutes};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::policy;
use crate::operations::run::may;
use crate::operations::yearly_run::{check_year, freeze};
use crate::store::event;

/// How long computed figures are given again. Computing them reads the whole year, and anybody may ask.
const FRESH: Minutes = Minutes::new(5);

/// The figures of a year that has begun, at most five minutes old; one caller computes them, others wait for that.
pub async fn of_year(app: &App, actor: &Actor, year: i32) -> Result<YearStats, AppError> {
    may(actor, Action::StatsGet)?;
    let now = actor.now;
    check_year(year, now)?;
    let mut known = app.year_stats.lock().await;
    if let Some((at, stats)) = known.get(&year)
        && *at <= now
        && now < at.plus(FRESH)
    {
        return Ok(*stats);
    }
    let stats = compute(app, year, now).await?;
    known.insert(year, (now, stats));
    Ok(stats)
}

async fn compute(app: &App, year: i32, now: Instant) -> Result<YearStats, AppError> {
    let calendar = app.calendar().await?;
    app.store
        .read(move |conn| {
            let policy = policy::active(conn, now.local_date())?;
            let newest = event::newest(conn)?;
            let scope = freeze::scope(&freeze::calendar_year(year)?, now, newest)?;
            let experts = freeze::ExpertPoints::new();
            let inputs = freeze::read(conn, &scope, &policy, &calendar, experts, None)?;
            let mut stats = YearStats::default();
            let mut units = std::collections::BTreeSet::new();
            let judge = Judge::new(&inputs, &policy);
            for unit in judge.hosts() {
                stats.hosts += 1;
                for instrument in judge.counted(unit) {
                    stats.instruments += 1;
                    stats.externally_shared_instruments +=
                        i64::from(instrument.flags.externally_shared);
                    for cell in &instrument.cells {
                        stats.add(cell);
                        let served = cell.service.records > 0;
                        if served && cell.key.relation == Relation::External {
                            units.insert(cell.key.using_unit_id);
                        }
                    }
                }
            }
            stats.external_units = i64::try_from(units.len()).map_err(AppError::internal)?;
            Ok(stats)
        })
        .await
}
