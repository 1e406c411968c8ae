//! How a table is imported beside other work. Its rows are judged on a reader, finished away from the writer and staged in
//! small commits, between which other actions are served; one transaction then moves them, all or none. What they were judged
//! by may change meanwhile: the last transaction looks again, and the rows are judged anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::App;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, Run, work, work_alone};
use crate::store::staged::{self, Batch, EventIds, StagedImportId};
use crate::store::{Conn, StoreError};

/// Rows of the table that are staged in one commit.
pub const ROWS_A_COMMIT: usize = 1_000;

/// Staged rows that are removed in one commit, of each kind.
const REMOVED_A_COMMIT: usize = 5_000;

/// How often the rows are judged before the import gives way to others (503).
const ROUNDS: u32 = 5;

/// The judged rows of a table.
pub trait Plan: Send + Sync + 'static {
    /// What the import answers.
    type Answer: Send + 'static;
    /// Ids for what is new.
    type Ids: Send + Sync + 'static;

    /// Takes the ids, for good: whether the rows come in is open.
    fn reserve(&self, tx: &mut Conn) -> Result<Self::Ids, AppError>;

    /// The rows in finished form, a batch for each commit, and how many events are among them.
    fn finish(
        &self,
        import: StagedImportId,
        ids: &Self::Ids,
    ) -> Result<(Vec<Batch>, usize), AppError>;

    /// Takes the locks of the last transaction; whether what the rows were judged by still stands.
    fn stands(&self, tx: &mut Conn) -> Result<bool, AppError>;

    /// Moves the rows in, behind their events.
    fn move_in(
        &self,
        tx: &mut Conn,
        import: StagedImportId,
        ids: &Self::Ids,
        events: &EventIds,
    ) -> Result<(), StoreError>;

    /// What else follows, when the rows are in.
    fn follow(&self, _: &mut Conn) -> Result<(), AppError> {
        Ok(())
    }

    fn answer(&self) -> Self::Answer;
}

/// Imports what `judge` finds right, or refuses as it does. Nothing is written for a table that is refused.
pub async fn run<P, F>(run: &Run<P::Answer>, judge: F) -> Outcome<P::Answer>
where
    P: Plan,
    F: Fn(&mut Conn) -> Result<P, AppError> + Clone + Send + 'static,
{
    let mut import = None;
    let outcome = rounds(run, judge, &mut import).await;
    if let Some(import) = import {
        remove(&run.app, import).await;
    }
    outcome
}

async fn rounds<P, F>(
    run: &Run<P::Answer>,
    judge: F,
    import: &mut Option<StagedImportId>,
) -> Outcome<P::Answer>
where
    P: Plan,
    F: Fn(&mut Conn) -> Result<P, AppError> + Clone + Send + 'static,
{
    let (app, actor) = (&run.app, &run.actor);
    let mut round = 0;
    loop {
        round += 1;
        let judged = run.prepare(app.store.read_snapshot(judge.clone()));
        let plan = match judged.await? {
            Done::Now(plan) => Arc::new(plan),
            Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
        };
        let staged = Arc::new(stage(app, actor, &plan, import).await?);
        let is_stale = Arc::new(AtomicBool::new(false));
        let outcome = move_in(run, &plan, &staged, &is_stale).await;
        if outcome.is_err() && is_stale.load(Ordering::SeqCst) && round < ROUNDS {
            remove_rows(app, staged.import).await?;
            continue;
        }
        return outcome;
    }
}

/// What stands in the staging tables.
struct Staged<I> {
    import: StagedImportId,
    ids: I,
    events: usize,
}

/// Lists the import, once for all rounds, and stages its rows.
async fn stage<P: Plan>(
    app: &App,
    actor: &Actor,
    plan: &Arc<P>,
    import: &mut Option<StagedImportId>,
) -> Result<Staged<P::Ids>, AppError> {
    let (reserving, listed, now) = (Arc::clone(plan), *import, actor.now);
    let reserve = move |tx: &mut Conn| {
        let id = match listed {
            Some(id) => id,
            None => staged::insert(tx, now)?,
        };
        Ok((id, reserving.reserve(tx)?))
    };
    let (id, ids) = work(app, reserve).await?;
    *import = Some(id);
    let finishing = Arc::clone(plan);
    let finish = move || Ok::<_, AppError>((finishing.finish(id, &ids)?, ids));
    let finished = tokio::task::spawn_blocking(finish).await;
    let ((batches, events), ids) = finished.map_err(AppError::internal)??;
    for batch in batches {
        let insert = move |tx: &mut Conn| Ok(staged::insert_batch(tx, id, &batch)?);
        work_alone(app, insert).await?;
    }
    Ok(Staged {
        import: id,
        ids,
        events,
    })
}

/// The last transaction. `is_stale` is set when the rows are to be judged anew.
async fn move_in<P: Plan>(
    run: &Run<P::Answer>,
    plan: &Arc<P>,
    staged: &Arc<Staged<P::Ids>>,
    is_stale: &Arc<AtomicBool>,
) -> Outcome<P::Answer> {
    let (plan, rows, is_stale) = (Arc::clone(plan), Arc::clone(staged), Arc::clone(is_stale));
    let part = move |tx: &mut Conn, _: &Actor, (): &()| {
        let stale = |error: StoreError| {
            let is_judged = matches!(error, StoreError::Violated(_) | StoreError::Contended);
            is_stale.store(is_judged, Ordering::SeqCst);
            match error {
                StoreError::Contended => outrun(),
                other => other.into(),
            }
        };
        if !plan.stands(tx)? {
            return Err(stale(StoreError::Contended));
        }
        let events = EventIds::draw(tx, rows.events)?;
        staged::insert_events(tx, rows.import, &events)?;
        plan.move_in(tx, rows.import, &rows.ids, &events)
            .map_err(stale)?;
        plan.follow(tx)?;
        match staged::delete(tx, rows.import)? {
            true => Ok(plan.answer()),
            false => Err(AppError::unavailable("the import took too long")),
        }
    };
    run.alone().with(Ok(()), part).await
}

fn outrun() -> AppError {
    AppError::unavailable("what the rows were judged by changed, repeatedly")
}

/// Removes what an import has staged. What cannot be removed now, retention removes.
async fn remove(app: &App, import: StagedImportId) {
    let delisted = work(app, move |tx| Ok(staged::delete(tx, import)?));
    let removed = match delisted.await {
        Ok(_) => remove_rows(app, import).await.map(|_| ()),
        Err(error) => Err(error),
    };
    if let Err(error) = removed {
        tracing::warn!(%error, import, "staged rows of an import are left to retention");
    }
}

/// Removes the staged rows of an import, in commits of their own; answers how many.
pub async fn remove_rows(app: &App, import: StagedImportId) -> Result<usize, AppError> {
    let mut removed = 0;
    loop {
        let remove = move |tx: &mut Conn| Ok(staged::delete_rows(tx, import, REMOVED_A_COMMIT)?);
        match work_alone(app, remove).await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}
