//! What is remembered: rows, queries and constraints on SQLite and PostgreSQL. [`Store::read`] and [`Store::write`] are the
//! only ways in; a query function takes the connection and never opens a transaction.

pub mod adopted_grade;
pub mod api_key;
pub mod asset_ledger;
pub mod award_payment;
pub mod booking;
pub mod booking_rules;
pub mod bulk;
pub mod calendar;
pub mod calendar_token;
mod case_fold;
pub mod certification;
pub mod charge;
pub mod closure;
pub mod connection;
pub mod consumer;
pub mod directory;
mod drive;
pub mod duty;
pub mod event;
pub mod exemption;
pub mod expert_assignment;
pub mod fault;
pub mod feed;
pub mod finding;
mod first_locks;
mod folded_keys;
mod form;
pub mod idempotency;
pub mod instrument;
pub mod invitation;
pub mod invoice;
pub mod job;
mod memo;
pub mod migration;
pub mod names;
mod not_now;
pub mod notice;
pub mod objection;
pub mod organization;
pub mod page;
pub mod payment;
pub mod policy;
mod pool;
pub mod preflight;
mod prepared;
pub mod price;
mod probe;
pub mod province;
pub mod public_notice;
pub mod rectification;
pub mod reference;
pub mod related_party;
pub mod review;
pub mod savepoint;
pub mod schema;
pub mod search;
pub mod service;
pub mod session;
mod share;
pub mod staged;
pub mod stats;
pub mod tariff;
pub mod terms;
mod traffic;
pub mod trail;
mod two_sided;
pub mod usage;
pub mod user;
pub mod value;
mod writer;
pub mod yearly_input;
pub mod yearly_run;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use share::Share;

pub use connection::{Conn, Database, Lock, release_pages};
pub use fault::{ActionError, Constraint, StoreError};
pub use first_locks::FirstLocks;
pub use traffic::Traffic;
pub use value::Json;

/// What query functions answer.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How often an action runs again after a deadlock or serialization failure before it is answered 503.
const RETRIES_MAX: u32 = 3;

/// Of so many connections for reading one is kept for finding out who asks, and one at least.
const READERS_PER_CALLER: u32 = 4;

#[derive(Debug, Clone)]
enum Writing {
    Sqlite(Arc<writer::Writer>),
    Postgres(Share),
}

/// The database behind readers and one way to write. `E` is what its actions answer when they fail.
#[derive(Debug)]
pub struct Store<E> {
    database: Database,
    readers: Share,
    /// Kept for short questions that every request asks, so that no long list stands before them.
    callers: Share,
    read_limit: Duration,
    writing: Writing,
    open: feed::OpenWrites,
    traffic: Arc<Traffic>,
    probed: probe::Probed,
    error: PhantomData<fn() -> E>,
}

impl<E> Clone for Store<E> {
    fn clone(&self) -> Self {
        Self {
            database: self.database.clone(),
            readers: self.readers.clone(),
            callers: self.callers.clone(),
            read_limit: self.read_limit,
            writing: self.writing.clone(),
            open: self.open.clone(),
            traffic: Arc::clone(&self.traffic),
            probed: self.probed.clone(),
            error: PhantomData,
        }
    }
}

impl<E: ActionError> Store<E> {
    /// Opens an existing, migrated database with `connections` readers (and, on PostgreSQL, as many writers). A reading ends
    /// after `read_limit`.
    pub fn open(database: Database, connections: u32, read_limit: Duration) -> Result<Self> {
        if let Database::Sqlite { file } = &database
            && !file.exists()
        {
            return Err(StoreError::unavailable(format!(
                "{} does not exist; run `yiqi migrate --create` to make it",
                file.display()
            )));
        }
        let traffic = Arc::new(Traffic::default());
        let writing = match &database {
            Database::Sqlite { file } => {
                let writer = writer::Writer::start(&database, file, &traffic)
                    .map_err(|error| connection::cannot_open(file, &error))?;
                Writing::Sqlite(Arc::new(writer))
            }
            Database::Postgres { .. } => {
                Writing::Postgres(Share::open(&database, connections, None, &traffic)?)
            }
        };
        let share = |size| Share::open(&database, size, Some(read_limit), &traffic);
        let (readers, callers) = (
            share(connections)?,
            share(connections.div_ceil(READERS_PER_CALLER))?,
        );
        Ok(Self {
            database,
            readers,
            callers,
            read_limit,
            writing,
            open: feed::OpenWrites::default(),
            traffic,
            probed: probe::Probed::default(),
            error: PhantomData,
        })
    }

    /// What was sent to the database so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs a query on a reader connection, away from the threads that serve requests. A query that takes longer than
    /// readings may is ended and answered 503.
    pub async fn read<T, R, F>(&self, query: F) -> std::result::Result<T, R>
    where
        T: Send + 'static,
        R: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, R> + Send + 'static,
    {
        let limit = self.read_limit;
        let limited = move |conn: &mut Conn| deadline::within(limit, || query(conn));
        self.readers.run(limited).await
    }

    /// As [`Store::read`], for what looks for texts in every row: few at once, the others wait without a connection and are
    /// told to come again (503) where it takes too long.
    pub async fn read_search<T, R, F>(&self, query: F) -> std::result::Result<T, R>
    where
        T: Send + 'static,
        R: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, R> + Send + 'static,
    {
        let limit = self.read_limit;
        let limited = move |conn: &mut Conn| deadline::within(limit, || query(conn));
        self.readers.run_search(limited).await
    }

    /// As [`Store::read`], on connections that serve only short questions: who asks, and whether the database answers.
    pub async fn read_apart<T, R, F>(&self, query: F) -> std::result::Result<T, R>
    where
        T: Send + 'static,
        R: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, R> + Send + 'static,
    {
        let limit = self.read_limit;
        let limited = move |conn: &mut Conn| deadline::within(limit, || query(conn));
        self.callers.run(limited).await
    }

    /// Long reading: all queries see one state of the database, whatever others commit meanwhile, and take the time they
    /// need. At most half of the readers serve it.
    pub async fn read_snapshot<T, F>(&self, queries: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, E> + Send + 'static,
    {
        let reading = |connection: &mut Conn| {
            FirstLocks::default().transaction(connection, |tx| {
                connection::keep_snapshot(tx)?;
                queries(tx)
            })
        };
        self.readers.run_long(reading).await
    }

    /// Runs an action in one transaction: all of it happens, or nothing.
    ///
    /// The action may run again after a deadlock, so it is `Fn`, not `FnOnce`: it clones what it gives away. Answers 503 when
    /// the queue is full, the database cannot write, or the commit failed.
    pub async fn write<T, F>(&self, action: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, E> + Send + 'static,
    {
        let locks = FirstLocks::default();
        self.write_locked(locks, false, action).await
    }

    /// As [`Store::write`], in a commit of its own: for imports and yearly runs, which may take long.
    pub async fn write_alone<T, F>(&self, action: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, E> + Send + 'static,
    {
        let locks = FirstLocks::default();
        self.write_locked(locks, true, action).await
    }

    /// As [`Store::write`], or alone as [`Store::write_alone`]; the locks are held when the action begins.
    pub async fn write_locked<T, F>(
        &self,
        locks: FirstLocks,
        alone: bool,
        action: F,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, E> + Send + 'static,
    {
        // Held here until the commit is answered, and by the action in case nobody waits for its answer any more.
        let open = Arc::new(self.open.begin());
        let held = Arc::clone(&open);
        let action = move |tx: &mut Conn| {
            let _held = &held;
            action(tx)
        };
        match &self.writing {
            Writing::Sqlite(writer) => writer.write(action, alone).await,
            Writing::Postgres(writers) => {
                let run = move |conn: &mut Conn| write_postgres(conn, locks, &action);
                writers.run(run).await
            }
        }
    }

    /// Refuses when the file of the database is no longer where it was opened.
    fn check_place(&self) -> Result<()> {
        match &self.writing {
            Writing::Sqlite(writer) => writer.check_place().map_err(StoreError::Unavailable),
            Writing::Postgres(_) => Ok(()),
        }
    }

    /// Seconds since the oldest action of this process that still waits or runs began; 0 when there is none.
    pub fn oldest_write_seconds(&self) -> i64 {
        self.open.oldest_seconds()
    }

    /// Stops taking actions and waits until those under way are committed.
    pub fn drain(&self) {
        if let Writing::Sqlite(writer) = &self.writing {
            writer.drain();
        }
    }
}

fn write_postgres<T, E, F>(
    conn: &mut Conn,
    locks: FirstLocks,
    action: &F,
) -> std::result::Result<T, E>
where
    E: ActionError,
    F: Fn(&mut Conn) -> std::result::Result<T, E>,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        match locks.transaction(conn, action) {
            Err(error) if error.is_contended() && attempt <= RETRIES_MAX => continue,
            Err(error) if error.is_contended() => {
                let why = "other actions were in the way, repeatedly";
                return Err(StoreError::unavailable(why).into());
            }
            outcome => return outcome,
        }
    }
}
