//! Yearly runs: evaluations grade every host of a year, subsidy runs share out its budget by the grades. Begun at once, computed
//! phase by phase, then looked at, published and final; each step is written once for both kinds.

pub mod archive;
pub mod awards;
pub(crate) mod basis;
mod begin;
pub(crate) mod by_experts;
pub mod comparison;
mod decide;
pub mod expert;
pub mod explain;
pub mod export;
pub mod freeze;
pub mod grades;
pub(crate) mod phase;
mod scenario;
mod subject;
pub mod verify;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};

use crate::app::App;
use crate::domain::Instant;
use crate::domain::access::Action;
use crate::domain::policy::IncomeBy;
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::{job, subject as subjects};
use crate::store::Conn;
use crate::store::event::Subject;
use crate::store::yearly_run::{self as rows, Evaluation, Filter, Run as Row};

// What the command line needs to name and list runs, their budgets, how far they are and what becomes of them.
pub use crate::domain::run::{RunDecision, RunId, RunKind, RunPhase, RunState};
pub use crate::domain::{EvaluationId, Fen, SubsidyRunId};
pub use crate::store::yearly_run::{PageStart, Run as YearlyRun, SubsidyRun};
pub use begin::{Asked, Budget, Request, begin};
pub use decide::{Statement, decide};
pub use scenario::delete;

/// The first year of which there can be records.
const YEAR_MIN: i32 = 1990;

/// 422 `out_of_range` unless the year has begun.
pub fn check_year(year: i32, now: Instant) -> Result<(), AppError> {
    let last = now.local_date().year();
    if (YEAR_MIN..=last).contains(&year) {
        return Ok(());
    }
    let fault = Fault::field("year", Code::out_of_range).limit(format!("{YEAR_MIN}–{last}"));
    Err(AppError::Refused(vec![fault.actual(year)]))
}

/// 409 `period_locked` when a final run counted one of the days: usage of them stands.
pub fn refuse_locked(conn: &mut Conn, days: &[NaiveDate]) -> Result<(), AppError> {
    let days = days.iter().copied().collect();
    locked(locked_among(conn, &days)?.into_values().min())
}

/// A day on which money may count, and by which date it does.
pub type MoneyDay = (IncomeBy, NaiveDate);

/// 409 `period_locked` when a final run counted money of one of the days by that date: it stands.
pub fn refuse_locked_money(conn: &mut Conn, days: &[MoneyDay]) -> Result<(), AppError> {
    let all: BTreeSet<NaiveDate> = days.iter().map(|(_, on)| *on).collect();
    let (Some(first), Some(last)) = (all.first(), all.last()) else {
        return Ok(());
    };
    let counted = rows::span::list_between(conn, (*first, *last))?.into_iter();
    let hit = counted.filter(|counted| {
        let mut days = days.iter();
        days.any(|(by, on)| *by == counted.income_by && counted.span.contains(*on))
    });
    locked(hit.map(|counted| counted.year).min())
}

/// 409 `period_locked` when something of the year is final: what units report of it stands.
pub fn refuse_locked_year(conn: &mut Conn, year: i32) -> Result<(), AppError> {
    let year = i64::from(year);
    locked(rows::span::is_counted(conn, year)?.then_some(year))
}

fn locked(year: Option<i64>) -> Result<(), AppError> {
    match year {
        Some(year) => Err(AppError::conflict(Code::period_locked).with("year", year)),
        None => Ok(()),
    }
}

/// The days among these that a final run counted, with the year it counted them in.
pub fn locked_among(
    conn: &mut Conn,
    days: &BTreeSet<NaiveDate>,
) -> Result<BTreeMap<NaiveDate, i64>, AppError> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Ok(BTreeMap::new());
    };
    let spans = rows::span::list_between(conn, (*first, *last))?;
    let locked = days.iter().filter_map(|day| {
        let counted = spans.iter().find(|counted| counted.span.contains(*day))?;
        Some((*day, counted.year))
    });
    Ok(locked.collect())
}

/// The actions of one kind of run.
#[derive(Clone, Copy)]
struct Actions {
    run: Action,
    list: Action,
    read: Action,
    publish: Action,
    finalize: Action,
    discard: Action,
    complete: Action,
    fail: Action,
    compare: Action,
}

impl Actions {
    const fn of(kind: RunKind) -> Self {
        match kind {
            RunKind::Evaluation => Self {
                run: Action::EvaluationRun,
                list: Action::EvaluationList,
                read: Action::EvaluationGet,
                publish: Action::EvaluationPublish,
                finalize: Action::EvaluationFinalize,
                discard: Action::EvaluationDiscard,
                complete: Action::EvaluationComplete,
                fail: Action::EvaluationFail,
                compare: Action::EvaluationCompare,
            },
            RunKind::SubsidyRun => Self {
                run: Action::SubsidyRun,
                list: Action::SubsidyList,
                read: Action::SubsidyGet,
                publish: Action::SubsidyPublish,
                finalize: Action::SubsidyFinalize,
                discard: Action::SubsidyDiscard,
                complete: Action::SubsidyComplete,
                fail: Action::SubsidyFail,
                compare: Action::SubsidyCompare,
            },
        }
    }

    const fn decision(self, decision: RunDecision) -> Action {
        match decision {
            RunDecision::Publish => self.publish,
            RunDecision::Finalize => self.finalize,
            RunDecision::Discard => self.discard,
        }
    }
}

/// The action that a decision on a run of this kind is.
pub const fn action_of(kind: RunKind, decision: RunDecision) -> Action {
    Actions::of(kind).decision(decision)
}

/// The action that comparing runs of this kind is.
const fn compare_of(kind: RunKind) -> Action {
    Actions::of(kind).compare
}

/// A run as the subject of an event.
fn subject_of(id: RunId) -> Subject {
    Subject::new(id.kind().as_str(), id.number())
}

/// [`begin`], and the work at once, beside the request.
pub async fn start(run: &Run<Row>, request: Result<Request, AppError>) -> Outcome<Row> {
    let done = begin(run, request).await?;
    if let Done::Now(row) = &done {
        job::start(&run.app, row.id());
    }
    Ok(done)
}

/// [`begin`], and the work until it ends; each phase that begins is told.
pub async fn run(
    app: &App,
    actor: &Actor,
    request: Request,
    tell: impl FnMut(RunPhase),
) -> Result<RunId, AppError> {
    let run = Run::direct(app, actor, request.action());
    let id = begin(&run, Ok(request)).await?.now()?.id();
    job::finish(app, id, tell).await?;
    Ok(id)
}

/// 409 `run_not_ready` before a run has results; 409 `invalid_state` where it will never have any.
fn refuse_without_results(state: RunState) -> Result<(), AppError> {
    match state {
        RunState::Draft | RunState::Published | RunState::Final => Ok(()),
        RunState::Running => Err(not_ready(state)),
        RunState::Discarded | RunState::Failed => Err(AppError::conflict(Code::invalid_state)
            .with("state", state.as_str())
            .with("allowed", Vec::<&str>::new())),
    }
}

fn not_ready(state: RunState) -> AppError {
    AppError::conflict(Code::run_not_ready).with("state", state.as_str())
}

/// 409 `scenario_not_publishable` of a what-if.
fn refuse_scenario(run: &Row) -> Result<(), AppError> {
    match run.lifecycle().is_scenario {
        true => Err(AppError::conflict(Code::scenario_not_publishable)),
        false => Ok(()),
    }
}

/// The evaluation a subsidy run stands on; refused as [`refuse_without_results`] does before it has one.
fn evaluation_of(conn: &mut Conn, run: &rows::SubsidyRun) -> Result<Evaluation, AppError> {
    match run.evaluation_id {
        Some(id) => Ok(rows::evaluation::get(conn, id)?),
        None => {
            refuse_without_results(run.lifecycle.state)?;
            Err(not_ready(run.lifecycle.state))
        }
    }
}

/// A run, for who may see it.
pub async fn get(app: &App, actor: &Actor, id: RunId) -> Result<Row, AppError> {
    let (by, action) = (actor.clone(), Actions::of(id.kind()).read);
    app.store
        .read(move |conn| subjects::load(conn, &by, action, id))
        .await
}

/// A run in a list; withdrawn where it was published once and is not any more.
#[derive(Debug, Clone)]
pub struct Listed {
    pub run: Row,
    pub is_withdrawn: bool,
}

/// Which runs to list.
#[derive(Debug, Clone)]
pub struct Page {
    pub years: Vec<i64>,
    pub place: PageStart,
    pub limit: i64,
}

/// The runs of a kind that the actor may see.
pub async fn list(
    app: &App,
    actor: &Actor,
    kind: RunKind,
    page: Result<Page, AppError>,
) -> Result<Vec<Listed>, AppError> {
    may(actor, Actions::of(kind).list)?;
    let (page, only_published) = (page?, !actor.sees_drafts());
    let filter = Filter {
        years: page.years,
        only_published,
        place: page.place,
        limit: page.limit,
    };
    let find = move |conn: &mut Conn| rows::list(conn, kind, &filter).map_err(AppError::from);
    let listed = app.store.read(find).await?.into_iter().map(|run| Listed {
        is_withdrawn: only_published && !run.lifecycle().state.is_published(),
        run,
    });
    Ok(listed.collect())
}

/// The newest subsidy run of a year that has results and was not thrown away.
pub async fn find_of_year(
    app: &App,
    actor: &Actor,
    year: i32,
) -> Result<Option<SubsidyRunId>, AppError> {
    let page = Page {
        years: vec![i64::from(year)],
        place: PageStart::After(0),
        limit: i64::MAX,
    };
    let runs = list(app, actor, RunKind::SubsidyRun, Ok(page)).await?;
    let newest = runs.into_iter().rev().find_map(|listed| match listed.run {
        Row::SubsidyRun(run) if run.lifecycle.state.has_results() => Some(run.id),
        _ => None,
    });
    Ok(newest)
}

/// 409 `relation_in_use` while a subsidy run stands on the evaluation.
fn refuse_used(tx: &mut Conn, id: EvaluationId) -> Result<(), AppError> {
    match rows::subsidy::find_standing_on(tx, id)? {
        Some(run) => {
            Err(AppError::conflict(Code::relation_in_use).with("subsidy_run_id", run.number()))
        }
        None => Ok(()),
    }
}
