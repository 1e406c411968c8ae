//! SQLite's one writer: it takes the waiting actions, runs each in its own savepoint, commits once and answers after the
//! commit, unless the file was moved away meanwhile. A failing or panicking action undoes itself alone; a lost transaction or commit fails the whole group. An action
//! that is alone in its transaction has no savepoint: in one, SQLite keeps a copy of every page that a statement changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use diesel::{Connection as _, RunQueryDsl};
use tokio::sync::oneshot;

use super::connection::{Conn, Database};
use super::fault::{ActionError, StoreError};
use super::prepared::{on_each, statement};
use super::probe::Place;
use super::traffic::{Counting, Traffic};

/// Actions that wait at most; one more is answered 503 with Retry-After.
pub const QUEUE_MAX: usize = 1024;

/// Actions that share one commit at most.
pub const GROUP_MAX: usize = 256;

/// What became of the group an action was in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commit {
    Done,
    Lost,
}

/// Tells an action's caller the outcome, once the group is committed.
type Answer = Box<dyn FnOnce(Commit) + Send>;

/// Runs an action; `true` keeps what it wrote.
type Task = Box<dyn FnOnce(&mut Conn) -> (bool, Answer) + Send>;

struct Job {
    action: Task,
    alone: bool,
}

/// The door to the writer thread.
pub struct Writer {
    queue: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    place: Place,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the thread with a connection of its own to the database in `file`.
    pub fn start(
        database: &Database,
        file: &Path,
        traffic: &Arc<Traffic>,
    ) -> Result<Self, diesel::ConnectionError> {
        let mut connection = database.connect()?;
        let bad = |error: std::io::Error| diesel::ConnectionError::BadConnection(error.to_string());
        let place = Place::of(file).map_err(bad)?;
        connection.set_instrumentation(Counting(Arc::clone(traffic)));
        let (queue, jobs) = sync_channel(QUEUE_MAX);
        let own = place.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(connection, &jobs, &own))
            .map_err(bad)?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            place,
        })
    }

    /// Queues an action and waits until its group is committed.
    pub async fn write<T, E, F>(&self, action: F, alone: bool) -> Result<T, E>
    where
        T: Send + 'static,
        E: ActionError,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let action: Task = Box::new(move |connection| {
            let result = catch_unwind(AssertUnwindSafe(|| action(connection)))
                .unwrap_or_else(|panic| Err(StoreError::panicked(&*panic).into()));
            let keep = result.is_ok();
            let answer: Answer = Box::new(move |commit| {
                let outcome = match commit {
                    Commit::Done => result,
                    Commit::Lost => {
                        Err(StoreError::unavailable("the group's transaction was lost").into())
                    }
                };
                // The caller may have gone away; the action stands all the same.
                let _ = sender.send(outcome);
            });
            (keep, answer)
        });
        self.enqueue(Job { action, alone })?;
        receiver
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("the writer stopped").into()))
    }

    /// Refuses when the file is no longer where it was opened.
    pub fn check_place(&self) -> Result<(), String> {
        self.place.check()
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone();
        let Some(queue) = queue else {
            return Err(StoreError::unavailable("the service is stopping"));
        };
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::unavailable("too many actions are waiting"),
            TrySendError::Disconnected(_) => StoreError::unavailable("the writer stopped"),
        })
    }

    /// Takes no more actions, runs those that wait, and ends the thread.
    pub fn drain(&self) {
        self.queue
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.drain();
    }
}

fn run(mut connection: Conn, jobs: &Receiver<Job>, place: &Place) {
    let mut carried = None;
    loop {
        let first = match carried.take() {
            Some(job) => job,
            None => match jobs.recv() {
                Ok(job) => job,
                Err(_) => return,
            },
        };
        let mut group = vec![first];
        while group.len() < GROUP_MAX && !group.iter().any(|job| job.alone) {
            match jobs.try_recv() {
                Ok(job) if job.alone => {
                    carried = Some(job);
                    break;
                }
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        commit_group(&mut connection, group, place);
    }
}

fn commit_group(connection: &mut Conn, group: Vec<Job>, place: &Place) {
    let mut answers = Vec::with_capacity(group.len());
    let committed = run_group(connection, group, &mut answers, place);
    let commit = match committed {
        Ok(()) => Commit::Done,
        Err(error) => {
            tracing::error!(%error, actions = answers.len(), "a group of actions was lost; all of them are answered 503");
            let _ = connection.batch_execute("ROLLBACK");
            Commit::Lost
        }
    };
    for answer in answers {
        answer(commit);
    }
}

/// Fails when the transaction around the actions can no longer be committed. Actions not run by then are dropped, which their
/// callers see as 503.
fn run_group(
    connection: &mut Conn,
    group: Vec<Job>,
    answers: &mut Vec<Answer>,
    place: &Place,
) -> Result<(), DieselError> {
    on_each!(connection, |own| BeginGroup {}.execute(own))?;
    let is_alone = group.len() == 1;
    for job in group {
        if is_alone {
            return run_alone(connection, job, answers, place);
        }
        on_each!(connection, |own| Savepoint {}.execute(own))?;
        let (keep, answer) = (job.action)(connection);
        answers.push(answer);
        if keep {
            on_each!(connection, |own| Release {}.execute(own))?;
        } else {
            connection.batch_execute("ROLLBACK TO action; RELEASE action")?;
        }
    }
    commit(connection, place)
}

/// The action is the whole transaction: a failing one takes it back.
fn run_alone(
    connection: &mut Conn,
    job: Job,
    answers: &mut Vec<Answer>,
    place: &Place,
) -> Result<(), DieselError> {
    let (keep, answer) = (job.action)(connection);
    answers.push(answer);
    if keep {
        return commit(connection, place);
    }
    // SQLite has done so by itself where the disk is full; the action answers why it failed.
    let _ = connection.batch_execute("ROLLBACK");
    Ok(())
}

/// Into the file that others find, or not at all.
fn commit(connection: &mut Conn, place: &Place) -> Result<(), DieselError> {
    let moved = |why: String| DieselError::QueryBuilderError(why.into());
    place.check().map_err(moved)?;
    on_each!(connection, |own| CommitGroup {}.execute(own))?;
    Ok(())
}

statement!(BeginGroup {} answers (); "BEGIN IMMEDIATE");
statement!(Savepoint {} answers (); "SAVEPOINT action");
statement!(Release {} answers (); "RELEASE action");
statement!(CommitGroup {} answers (); "COMMIT");
