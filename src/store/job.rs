//! Jobs: claimed by a lease that one process holds at a time. Every change asks whether the lease is still the one that was
//! claimed, so what a process does whose lease lapsed never commits beside the work of another.

use diesel::prelude::*;

use super::schema::job;
use super::{Conn, Result, StoreError};
use crate::domain::job::{JobKind, JobState, JobSubject};
use crate::domain::run::{RunId, RunPhase};
use crate::domain::{Instant, JobId, OrganizationId, UserId};

/// One row, without its times. The actor is who asked for the work.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = job)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub subject_id: i64,
    pub state: JobState,
    pub phase: RunPhase,
    pub percent: i64,
    /// Told anew at each claim; nobody else knows it.
    pub leased_by: Option<String>,
    pub leased_until: Option<Instant>,
    /// How often the phase was begun.
    pub attempts: i64,
    pub failure: Option<String>,
    pub actor_user_id: Option<UserId>,
    pub actor_organization_id: Option<OrganizationId>,
    pub request_id: Option<String>,
}

impl Job {
    /// What is worked on.
    pub fn subject(&self) -> Result<JobSubject> {
        let subject = self.kind.subject(self.subject_id);
        subject.map_err(|_| StoreError::NotFound)
    }

    /// The run that is worked on; `NotFound` where it is none.
    pub fn run(&self) -> Result<RunId> {
        match self.subject()? {
            JobSubject::Run(run) => Ok(run),
            JobSubject::FindingScan(_) => Err(StoreError::NotFound),
        }
    }
}

/// A job to insert.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub subject: JobSubject,
    pub phase: RunPhase,
    pub actor_user_id: Option<UserId>,
    pub actor_organization_id: Option<OrganizationId>,
    pub request_id: Option<String>,
    pub now: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewJob) -> Result<()> {
    diesel::insert_into(job::table)
        .values((
            job::kind.eq(new.subject.kind()),
            job::subject_id.eq(new.subject.number()),
            job::state.eq(JobState::Open),
            job::phase.eq(new.phase),
            job::percent.eq(new.phase.percent()),
            job::attempts.eq(0_i64),
            job::actor_user_id.eq(new.actor_user_id),
            job::actor_organization_id.eq(new.actor_organization_id),
            job::request_id.eq(&new.request_id),
            job::created_at.eq(new.now),
            job::updated_at.eq(new.now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The job that works on something.
pub fn get(conn: &mut Conn, subject: impl Into<JobSubject>) -> Result<Job> {
    let subject = subject.into();
    Ok(job::table
        .filter(job::kind.eq(subject.kind()))
        .filter(job::subject_id.eq(subject.number()))
        .select(Job::as_select())
        .get_result(conn)?)
}

/// The oldest open job that nobody has leased at this moment.
pub fn find_due(conn: &mut Conn, now: Instant) -> Result<Option<Job>> {
    let lapsed = job::leased_until.is_null().or(job::leased_until.le(now));
    Ok(job::table
        .filter(job::state.eq(JobState::Open))
        .filter(lapsed)
        .select(Job::as_select())
        .order(job::id)
        .first(conn)
        .optional()?)
}

/// Takes a job for `token` until `until`, unless another has. False when it is not to be had.
pub fn claim(
    conn: &mut Conn,
    id: JobId,
    token: &str,
    (now, until): (Instant, Instant),
) -> Result<bool> {
    let lapsed = job::leased_until.is_null().or(job::leased_until.le(now));
    let free = job::table
        .filter(job::id.eq(id))
        .filter(job::state.eq(JobState::Open))
        .filter(lapsed);
    let changed = diesel::update(free)
        .set((
            job::leased_by.eq(token),
            job::leased_until.eq(until),
            job::attempts.eq(job::attempts + 1),
            job::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Keeps a claimed job for longer. False when it is no longer this one's.
pub fn renew(conn: &mut Conn, claimed: &Job, until: Instant) -> Result<bool> {
    let held = job::table
        .filter(job::id.eq(claimed.id))
        .filter(job::state.eq(JobState::Open))
        .filter(job::leased_by.eq(&claimed.leased_by));
    let changed = diesel::update(held)
        .set(job::leased_until.eq(until))
        .execute(conn)?;
    Ok(changed == 1)
}

/// What became of a claimed job. Whatever it was, its lease ends with it.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// The phase is done; the next one is anybody's to begin.
    Next(RunPhase),
    /// Nothing was done, because of this; anybody may begin the phase again.
    Again(&'a str),
    Done,
    Failed(&'a str),
}

#[derive(Debug, AsChangeset)]
#[diesel(table_name = job, treat_none_as_null = true)]
struct Change<'a> {
    state: JobState,
    phase: RunPhase,
    percent: i64,
    leased_by: Option<&'a str>,
    leased_until: Option<Instant>,
    attempts: i64,
    failure: Option<&'a str>,
    updated_at: Instant,
}

/// Ends a claim. False when the job is no longer this one's.
pub fn update(conn: &mut Conn, claimed: &Job, outcome: Outcome, now: Instant) -> Result<bool> {
    let mut change = Change {
        state: JobState::Open,
        phase: claimed.phase,
        percent: claimed.percent,
        leased_by: None,
        leased_until: None,
        attempts: claimed.attempts,
        failure: None,
        updated_at: now,
    };
    match outcome {
        Outcome::Next(phase) => {
            (change.phase, change.percent, change.attempts) = (phase, phase.percent(), 0);
        }
        Outcome::Again(failure) => change.failure = Some(failure),
        Outcome::Done => (change.state, change.percent) = (JobState::Done, 100),
        Outcome::Failed(failure) => {
            (change.state, change.failure) = (JobState::Failed, Some(failure));
        }
    }
    let held = job::table
        .filter(job::id.eq(claimed.id))
        .filter(job::state.eq(JobState::Open))
        .filter(job::leased_by.eq(&claimed.leased_by));
    let changed = diesel::update(held).set(change).execute(conn)?;
    Ok(changed == 1)
}

/// Ends the job of a run that was thrown away, whoever works on it.
pub fn cancel(conn: &mut Conn, run: RunId, now: Instant) -> Result<()> {
    let open = job::table
        .filter(job::kind.eq(JobSubject::from(run).kind()))
        .filter(job::subject_id.eq(run.number()))
        .filter(job::state.eq(JobState::Open));
    diesel::update(open)
        .set((
            job::state.eq(JobState::Cancelled),
            job::leased_by.eq(None::<String>),
            job::leased_until.eq(None::<Instant>),
            job::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets jobs that ended before `before`; answers how many.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    let ended = job::table
        .filter(job::state.ne(JobState::Open))
        .filter(job::updated_at.lt(before));
    Ok(diesel::delete(ended).execute(conn)?)
}
