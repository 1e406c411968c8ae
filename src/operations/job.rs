//! Jobs: long work that was promised, done phase by phase by whichever process has the lease. A phase commits whole and with it
//! the job's place, so a process that dies loses at most the phase it was in.

use std::time::Duration;

use crate::app::{App, token};
use crate::domain::Instant;
use crate::domain::job::{ATTEMPTS_MAX, JobState, JobSubject, LEASE_SECONDS};
use crate::domain::run::{RunId, RunPhase};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::finding::scan;
use crate::operations::run::work;
use crate::operations::yearly_run::phase;
use crate::store::Conn;
use crate::store::job::{self, Job, Outcome};

/// Between two signs of life: more than ten of them lie within a lease.
const BEAT: Duration = Duration::from_secs(2);

/// Before it is asked again how far a job is that another process works on.
const PAUSE: Duration = Duration::from_millis(200);

/// What a job is told to have failed of whose process ended each time.
const ABANDONED: &str = "the process that worked on it ended";

/// Runs one phase of the job of `subject`, else of the oldest job that nobody works on. False when there is none to be had.
pub async fn step(app: &App, subject: Option<JobSubject>, now: Instant) -> Result<bool, AppError> {
    let work = async |job: &Job| match job.subject()? {
        JobSubject::Run(_) => phase::run(app, job).await,
        JobSubject::FindingScan(id) => scan::work_on(app, job, id).await,
    };
    attend(app, subject, now, work).await
}

/// Claims a job, keeps its lease while `task` goes on, and tells what became of it. False when there is none to be had.
pub async fn attend(
    app: &App,
    subject: Option<JobSubject>,
    now: Instant,
    task: impl AsyncFnOnce(&Job) -> Result<(), AppError>,
) -> Result<bool, AppError> {
    let Some(job) = claim(app, subject, now).await? else {
        return Ok(false);
    };
    if job.attempts > ATTEMPTS_MAX {
        fail(app, &job, job.failure.as_deref().unwrap_or(ABANDONED)).await?;
        return Ok(true);
    }
    let mut phase = std::pin::pin!(task(&job));
    let outcome = tokio::select! {
        outcome = &mut phase => outcome,
        // A phase that has just ended has given the job up itself, and one whose lease is lost finds that out when it ends: either
        // way its own end tells what became of it.
        () = keep(app, &job) => phase.await,
    };
    match outcome {
        Ok(()) => Ok(true),
        Err(error) => {
            give_up(app, &job, &error).await?;
            Err(error)
        }
    }
}

async fn claim(
    app: &App,
    subject: Option<JobSubject>,
    now: Instant,
) -> Result<Option<Job>, AppError> {
    let find = move |conn: &mut Conn| match subject {
        Some(subject) => job::get(conn, subject).map(Some),
        None => job::find_due(conn, now),
    };
    // Asked of a reader first: mostly there is nothing to do.
    let found = app.store.read(find).await.map_err(AppError::from)?;
    let Some(found) = found.filter(|job| job.state == JobState::Open) else {
        return Ok(None);
    };
    let (token, until) = (token::random_token(""), now.plus_seconds(LEASE_SECONDS));
    let take = move |tx: &mut Conn| match job::claim(tx, found.id, &token, (now, until))? {
        true => Ok(Some(job::get(tx, found.subject()?)?)),
        false => Ok(None),
    };
    work(app, take).await
}

/// Renews the lease until it is lost. While the database cannot be asked, it runs on.
#[allow(
    clippy::disallowed_methods,
    reason = "a sign of life is given in time, whatever else happens"
)]
async fn keep(app: &App, job: &Job) {
    loop {
        tokio::time::sleep(BEAT).await;
        let (held, until) = (job.clone(), app.clock.now().plus_seconds(LEASE_SECONDS));
        let renew = move |tx: &mut Conn| Ok(job::renew(tx, &held, until)?);
        match work(app, renew).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(job = job.id.number(), %error, "the lease was not renewed")
            }
        }
    }
}

/// Another process has the job, or nobody works on it any more.
pub(crate) fn lost() -> AppError {
    AppError::unavailable("the job is no longer this process's")
}

/// What may succeed later is left to be begun again; everything else ends the job.
async fn give_up(app: &App, job: &Job, error: &AppError) -> Result<(), AppError> {
    let failure = error.to_string();
    match error {
        AppError::Unavailable(_) | AppError::Contended | AppError::Busy => {
            let (held, now) = (job.clone(), app.clock.now());
            let again = move |tx: &mut Conn| {
                job::update(tx, &held, Outcome::Again(&failure), now)?;
                Ok(())
            };
            work(app, again).await
        }
        _ => fail(app, job, &failure).await,
    }
}

async fn fail(app: &App, job: &Job, failure: &str) -> Result<(), AppError> {
    let (held, failure, now) = (job.clone(), failure.to_owned(), app.clock.now());
    let action = move |tx: &mut Conn| match held.subject()? {
        JobSubject::Run(_) => phase::fail(tx, &held, &failure, now),
        JobSubject::FindingScan(id) => scan::fail(tx, (&held, id), &failure, now),
    };
    work(app, action).await
}

/// Works on a job at once, beside the request that asked for it. Should this process end, or not even begin, another takes it up.
pub fn start(app: &App, subject: impl Into<JobSubject>) {
    let subject = subject.into();
    let worker = app.clone();
    let begun = app.work.start(move || async move {
        loop {
            match step(&worker, Some(subject), worker.clock.now()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    let (kind, number) = (subject.kind(), subject.number());
                    return tracing::error!(%kind, number, %error, "a phase failed");
                }
            }
        }
    });
    if let Err(error) = begun {
        tracing::warn!(%error, "the work begins with the next timed step");
    }
}

/// Works on the job of a run until it ends, telling each phase that begins; where another process works on it, watches.
#[allow(
    clippy::disallowed_methods,
    reason = "another process tells nobody when its work ends"
)]
pub async fn finish(app: &App, run: RunId, mut tell: impl FnMut(RunPhase)) -> Result<(), AppError> {
    loop {
        let find = move |conn: &mut Conn| job::get(conn, run).map_err(AppError::from);
        let job: Job = app.store.read(find).await?;
        match job.state {
            JobState::Done => return Ok(()),
            JobState::Failed => return Err(AppError::internal(job.failure.unwrap_or_default())),
            JobState::Cancelled => {
                let conflict = AppError::conflict(Code::invalid_state);
                return Err(conflict.with("state", job.state.as_str()));
            }
            JobState::Open => tell(job.phase),
        }
        if !step(app, Some(run.into()), app.clock.now()).await? {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Promises work, in the transaction of the action that asks for it.
pub(crate) fn promise(
    tx: &mut Conn,
    subject: impl Into<JobSubject>,
    by: &Actor,
) -> Result<(), AppError> {
    let new = job::NewJob {
        subject: subject.into(),
        phase: RunPhase::Freeze,
        actor_user_id: by.user_id(),
        actor_organization_id: by.caller().ok().map(|caller| caller.organization_id),
        request_id: by.request_id.clone(),
        now: by.now,
    };
    Ok(job::insert(tx, &new)?)
}
