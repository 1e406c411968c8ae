//! Yearly runs: evaluations grade every host of a year, subsidy runs share out its budget by the grades. Begun at once, computed
//! phase by phase, then looked at, published and final; each step is written once for both kinds.

pub mod awards;
pub(crate) mod by_experts;
mod decide;
pub mod expert;
pub mod explain;
pub mod export;
pub mod freeze;
pub mod grades;
pub(crate) mod phase;
mod subject;
pub mod verify;

use chrono::Datelike;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::policy::Policy;
use crate::domain::{Instant, MAX_SAFE_INTEGER};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::{job, policy, subject as subjects};
use crate::store::event::{self, Subject};
use crate::store::yearly_run::{self as rows, Evaluation, Filter, NewRun, Run as Row};
use crate::store::{self, Conn, StoreError};

// What the command line needs to name and list runs, their budgets, how far they are and what becomes of them.
pub use crate::domain::run::{RunDecision, RunId, RunKind, RunPhase, RunState};
pub use crate::domain::{EvaluationId, Fen, SubsidyRunId};
pub use crate::store::yearly_run::{PageStart, Run as YearlyRun, SubsidyRun};
pub use decide::{Statement, decide};

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

/// 409 `period_locked` when something of one of the years is final: its usage and money stand.
pub fn refuse_locked(conn: &mut Conn, years: &[i32]) -> Result<(), AppError> {
    let years: Vec<i64> = years.iter().copied().map(i64::from).collect();
    match rows::list_final_years(conn, &years)?.first() {
        Some(year) => Err(AppError::conflict(Code::period_locked).with("year", *year)),
        None => Ok(()),
    }
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

/// A run as the subject of an event.
fn subject_of(id: RunId) -> Subject {
    Subject::new(id.kind().as_str(), id.number())
}

/// A run to begin. `policy` is a code or `code@version`.
#[derive(Debug, Clone)]
pub struct Request {
    pub year: i32,
    pub policy: String,
    /// Of a subsidy run alone.
    pub budget: Option<Budget>,
}

/// What a subsidy run shares out, and by which evaluation: the one asked for, else the final one of year and code whatever its
/// version, else an ordinary draft that the run begins.
#[derive(Debug, Clone)]
pub struct Budget {
    pub fen: Fen,
    pub evaluation_id: Option<EvaluationId>,
}

impl Request {
    pub const fn kind(&self) -> RunKind {
        match self.budget {
            None => RunKind::Evaluation,
            Some(_) => RunKind::SubsidyRun,
        }
    }

    /// The action that begins it.
    pub const fn action(&self) -> Action {
        Actions::of(self.kind()).run
    }

    fn check(&self, now: Instant) -> Result<(), AppError> {
        check_year(self.year, now)?;
        let budget = self.budget.as_ref().map_or(0, |budget| budget.fen.number());
        if (0..=MAX_SAFE_INTEGER).contains(&budget) {
            return Ok(());
        }
        let fault = Fault::field("budget_fen", Code::out_of_range).limit("0..9007199254740991");
        Err(AppError::Refused(vec![fault.actual(budget)]))
    }
}

/// Begins a run and promises the work on it.
pub async fn begin(run: &Run<Row>, request: Result<Request, AppError>) -> Outcome<Row> {
    run.with(request, |tx, by, request| {
        request.check(by.now)?;
        let id = insert(tx, by, request)?;
        job::promise(tx, id, by)?;
        Ok(rows::get(tx, id)?)
    })
    .await
}

fn insert(tx: &mut Conn, by: &Actor, request: &Request) -> Result<RunId, AppError> {
    let named = policy::get_named(tx, &request.policy, by.now.local_date())?;
    let pack = store::policy::get_shared(tx, named.id)?;
    refuse_unkept(&policy::open(&pack)?, request)?;
    let new = NewRun {
        year: i64::from(request.year),
        policy_id: pack.id,
        policy_code: pack.code,
        policy_digest: pack.digest,
        created_by: by.user_id(),
        now: by.now,
    };
    let (id, after) = match &request.budget {
        None => (
            RunId::from(rows::evaluation::insert(tx, &new)?),
            serde_json::json!({ "year": new.year, "policy_id": new.policy_id }),
        ),
        Some(budget) => {
            if let Some(id) = budget.evaluation_id {
                check_evaluation(tx, id, new.year)?;
            }
            let after = serde_json::json!({
                "year": new.year,
                "policy_id": new.policy_id,
                "budget_fen": budget.fen,
                "evaluation_id": budget.evaluation_id,
            });
            let id = rows::subsidy::insert(tx, &new, budget.fen, budget.evaluation_id)?;
            (id.into(), after)
        }
    };
    let event = by.event(request.action(), subject_of(id));
    event::append(tx, &event.after(after)?)?;
    Ok(id)
}

/// 422 of a pack whose results no run of this kind can keep; it is tried on facts instead.
fn refuse_unkept(policy: &Policy, request: &Request) -> Result<(), AppError> {
    let reason = match request.kind() {
        RunKind::Evaluation => policy.beyond_evaluations(),
        RunKind::SubsidyRun => policy.beyond_runs(),
    };
    match reason {
        None => Ok(()),
        Some(reason) => {
            let fault = Fault::field("policy", Code::policy_not_kept).actual(policy.code.as_str());
            Err(AppError::Refused(vec![fault.limit(reason)]))
        }
    }
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

/// An evaluation of this year, with results. It keeps them while the run that is about to stand on it is written.
fn check_evaluation(tx: &mut Conn, id: EvaluationId, year: i64) -> Result<(), AppError> {
    let unknown = || {
        let fault = Fault::field("evaluation_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(id.number())])
    };
    let row = rows::evaluation::get_locked(tx, id).map_err(|error| match error {
        StoreError::NotFound => unknown(),
        other => other.into(),
    })?;
    if row.lifecycle.year != year {
        return Err(unknown());
    }
    refuse_without_results(row.lifecycle.state)
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
