//! A scan: the findings of a year looked for when somebody asks, without a freeze. It is long work that was promised: whichever
//! process has its lease looks beside the writer and writes what it found in one commit.

use serde_json::json;

use super::{look, record};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::{FindingScanId, Instant};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::job;
use crate::operations::run::{Done, Outcome, Run, may, work_alone};
use crate::operations::yearly_run::{check_year, freeze};
use crate::store::Conn;
use crate::store::event::{self, Subject};
use crate::store::finding::scan::{self as rows, Scan};
use crate::store::job::{Job, Outcome as JobOutcome};

/// Promises to look for what is wrong in the year, and begins beside the request. 422 `out_of_range` before the year has begun.
pub async fn begin(run: &Run<Scan>, year: Result<i32, AppError>) -> Outcome<Scan> {
    let done = run
        .with(year, |tx, by, year| {
            check_year(*year, by.now)?;
            let scan = rows::insert(tx, i64::from(*year), by.now)?;
            job::promise(tx, scan.id, by)?;
            let event = by.event(Action::FindingScan, Subject::new("finding_scan", scan.id));
            event::append(tx, &event.after(json!({ "year": year }))?)?;
            Ok(scan)
        })
        .await?;
    if let Done::Now(scan) = &done {
        job::start(&run.app, scan.id);
    }
    Ok(done)
}

/// How far a scan is.
pub async fn get(app: &App, actor: &Actor, id: FindingScanId) -> Result<Scan, AppError> {
    may(actor, Action::FindingScanGet)?;
    let find = move |conn: &mut Conn| rows::get(conn, id);
    app.store.read(find).await.map_err(AppError::from)
}

/// Looks, and writes what was found.
pub(crate) async fn work_on(app: &App, job: &Job, id: FindingScanId) -> Result<(), AppError> {
    let now = app.clock.now();
    let look = move |conn: &mut Conn| {
        let year = i32::try_from(rows::get(conn, id)?.year).map_err(AppError::internal)?;
        let newest = event::newest(conn)?;
        let found = look(
            conn,
            &freeze::scope(&freeze::calendar_year(year)?, now, newest)?,
        )?;
        Ok::<_, AppError>((year, found))
    };
    let (year, found) = app.store.read_snapshot(look).await?;
    let (job, now) = (job.clone(), app.clock.now());
    let write = move |tx: &mut Conn| {
        if !crate::store::job::update(tx, &job, JobOutcome::Done, now)? {
            return Err(job::lost());
        }
        let changed = record(tx, &job, year, &found, now)?;
        let count = |number: usize| i64::try_from(number).map_err(AppError::internal);
        let outcome = (count(found.len())?, count(changed)?);
        Ok(rows::update_ended(tx, id, Ok(outcome), now)?)
    };
    work_alone(app, write).await
}

/// Ends a claimed scan without findings. Nothing happens when the job is somebody else's.
pub(crate) fn fail(
    tx: &mut Conn,
    (job, id): (&Job, FindingScanId),
    failure: &str,
    now: Instant,
) -> Result<(), AppError> {
    if crate::store::job::update(tx, job, JobOutcome::Failed(failure), now)? {
        rows::update_ended(tx, id, Err(failure), now)?;
    }
    Ok(())
}
