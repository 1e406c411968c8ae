//! Open figures of a year: what was shared and served, by the policy that figures follow. Until its evaluation is final they are
//! read from the records as they are; from then on they are those of the final evaluation, kept as they were told first. Awards
//! of the final run stand beside them as they are.
//!
//! A figure that rests on fewer than three using units is not told, and no group's figure follows from the sum less the other
//! groups' (`domain::stats::hidden`). Groups of different kinds (by region, by unit) are not compared with each other.

mod collect;
mod print;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::award::Standing;
use crate::domain::run::{RunId, RunKind};
use crate::domain::stats::StatsBy;
use crate::domain::{EvaluationId, Fen, Instant, Minutes, SubsidyRunId, TooLarge};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::award;
use crate::operations::policy;
use crate::operations::run::{may, work};
use crate::operations::yearly_run::check_year;
pub use crate::store::stats::{Document, Figures, Group};
use crate::store::{self, Conn, Constraint, StoreError};

/// How long computed figures are given again. Computing them reads the whole year, and anybody may ask.
const FRESH: Minutes = Minutes::new(5);

/// The figures of a year, with what they are of.
#[derive(Debug, Clone)]
pub struct OpenFigures {
    pub evaluation_id: Option<EvaluationId>,
    /// They are those of the final evaluation.
    pub is_final: bool,
    pub figures: Arc<Document>,
    pub awarded: Awarded,
}

/// What the units of the final run were awarded, in all and by group, and what became of it; nothing before there is one.
#[derive(Debug, Clone, Default)]
pub struct Awarded {
    pub total: Option<AwardedMoney>,
    pub groups: BTreeMap<(StatsBy, String), AwardedMoney>,
}

/// Awards, what was adjusted of them, and what was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AwardedMoney {
    pub award: Fen,
    pub adjusted: Fen,
    pub paid: Fen,
}

impl AwardedMoney {
    fn add(&mut self, standing: &Standing) -> Result<(), TooLarge> {
        self.award = self.award.checked_add(standing.award)?;
        self.adjusted = self.adjusted.checked_add(standing.adjusted)?;
        self.paid = self.paid.checked_add(standing.paid)?;
        Ok(())
    }
}

/// The figures of a year that has begun. Live ones are at most five minutes old; one caller computes them, others wait for that.
pub async fn of_year(app: &App, actor: &Actor, year: i32) -> Result<OpenFigures, AppError> {
    may(actor, Action::StatsGet)?;
    let now = actor.now;
    check_year(year, now)?;
    let find = move |conn: &mut Conn| Final::of(conn, year, now);
    let Final {
        evaluation_id,
        kept,
        awarded,
    } = app.store.read_snapshot(find).await?;
    let figures = match (evaluation_id, kept) {
        (_, Some(kept)) => Arc::new(kept),
        (Some(id), None) => {
            let read = move |conn: &mut Conn| collect::of_evaluation(conn, id);
            Arc::new(app.store.read_snapshot(read).await?)
        }
        (None, None) => live(app, year, now).await?,
    };
    Ok(OpenFigures {
        evaluation_id,
        is_final: evaluation_id.is_some(),
        figures,
        awarded,
    })
}

async fn live(app: &App, year: i32, now: Instant) -> Result<Arc<Document>, AppError> {
    let mut known = app.year_stats.lock().await;
    if let Some((at, figures)) = known.get(&year)
        && *at <= now
        && now < at.plus(FRESH)
    {
        return Ok(Arc::clone(figures));
    }
    let calendar = app.calendar().await?;
    let read = move |conn: &mut Conn| collect::live(conn, year, (now, &calendar));
    let figures = Arc::new(app.store.read_snapshot(read).await?);
    known.insert(year, (now, Arc::clone(&figures)));
    Ok(figures)
}

/// What of a year is final, by the pack that figures follow.
#[derive(Debug, Default)]
struct Final {
    evaluation_id: Option<EvaluationId>,
    /// The figures as they were told first.
    kept: Option<Document>,
    awarded: Awarded,
}

impl Final {
    fn of(conn: &mut Conn, year: i32, now: Instant) -> Result<Self, AppError> {
        let code = policy::active(conn, now.local_date())?.code;
        let of = (i64::from(year), code.as_str());
        let mut find = |kind| store::yearly_run::find_final(conn, kind, of, None);
        let (evaluation, run) = (find(RunKind::Evaluation)?, find(RunKind::SubsidyRun)?);
        let mut found = Self::default();
        if let Some(RunId::Evaluation(id)) = evaluation {
            found.evaluation_id = Some(id);
            found.kept = store::stats::find(conn, id)?;
        }
        if let Some(RunId::SubsidyRun(id)) = run {
            found.awarded = Awarded::of(conn, id)?;
        }
        Ok(found)
    }
}

impl Awarded {
    fn of(conn: &mut Conn, run: SubsidyRunId) -> Result<Self, AppError> {
        let members = store::yearly_input::list_members(conn)?.into_iter();
        let members: BTreeMap<_, _> = members.map(|member| (member.id, member)).collect();
        let run = store::yearly_run::subsidy::get(conn, run)?;
        let awards = store::yearly_run::subsidy::list_awards(conn, run.id)?;
        let standings = award::standings_of(conn, &run, &awards)?;
        let mut total = AwardedMoney::default();
        let mut groups: BTreeMap<(StatsBy, String), AwardedMoney> = BTreeMap::new();
        for award in awards {
            let unit = award.organization_id;
            let Some(standing) = standings.get(&award.id) else {
                continue;
            };
            let mut keys = vec![(StatsBy::Organization, unit.to_string())];
            if let Some(member) = members.get(&unit) {
                let city = member.region_code.city().to_string();
                keys.push((StatsBy::Region, city));
                keys.push((StatsBy::Kind, member.kind.to_string()));
            }
            total.add(standing).map_err(AppError::internal)?;
            for key in keys {
                let sum = groups.entry(key).or_default();
                sum.add(standing).map_err(AppError::internal)?;
            }
        }
        Ok(Self {
            total: Some(total),
            groups,
        })
    }
}

/// Keeps the figures of one evaluation that became final; answers how many: none or one.
pub async fn keep_final(app: &App, now: Instant) -> Result<usize, AppError> {
    let read = |conn: &mut Conn| match store::stats::list_unkept(conn, 1)?.first() {
        Some(id) => Ok(Some((*id, collect::of_evaluation(conn, *id)?))),
        None => Ok::<_, AppError>(None),
    };
    let Some((id, figures)) = app.store.read_snapshot(read).await? else {
        return Ok(0);
    };
    let keep = move |tx: &mut Conn| match store::stats::insert(tx, id, &figures, now) {
        // Another node was faster.
        Err(StoreError::Violated(Constraint::StatsSnapshot)) => {
            Err(AppError::unavailable("another node keeps these figures"))
        }
        kept => Ok(kept?),
    };
    work(app, keep).await?;
    Ok(1)
}
