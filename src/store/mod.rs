//! What is remembered: rows, queries and constraints on SQLite and PostgreSQL. [`Store::read`] and [`Store::write`] are the
//! only ways in; a query function takes the connection and never opens a transaction.

pub mod api_key;
pub mod booking;
pub mod booking_rules;
pub mod bulk;
pub mod calendar;
mod case_fold;
pub mod charge;
pub mod closure;
pub mod connection;
pub mod consumer;
pub mod directory;
mod drive;
pub mod event;
pub mod exemption;
pub mod fault;
pub mod feed;
mod first_locks;
mod form;
pub mod idempotency;
pub mod instrument;
pub mod invitation;
pub mod invoice;
pub mod job;
mod memo;
pub mod migration;
pub mod notice;
pub mod organization;
pub mod page;
pub mod payment;
pub mod policy;
mod pool;
mod prepared;
pub mod price;
pub mod province;
pub mod reference;
pub mod related_party;
pub mod review;
pub mod schema;
pub mod service;
pub mod session;
pub mod staged;
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

use std::sync::Arc;
use std::time::Duration;

use diesel::Connection as _;

pub use connection::{Conn, Database, Lock};
pub use fault::{Constraint, StoreError};
pub use first_locks::FirstLocks;
pub use traffic::Traffic;
pub use value::Json;

use crate::error::AppError;

/// What query functions answer.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How often an action runs again after a deadlock or serialization failure before it is answered 503.
const RETRIES_MAX: u32 = 3;

type Pool = r2d2::Pool<pool::Manager>;

#[derive(Debug, Clone)]
enum Writing {
    Sqlite(Arc<writer::Writer>),
    Postgres(Pool),
}

/// The database behind readers and one way to write.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    readers: Pool,
    writing: Writing,
    open: feed::OpenWrites,
    traffic: Arc<Traffic>,
}

impl Store {
    /// Opens an existing, migrated database with `connections` readers (and, on PostgreSQL, as many writers).
    pub fn open(database: Database, connections: u32) -> std::result::Result<Self, AppError> {
        if let Database::Sqlite { file } = &database
            && !file.exists()
        {
            return Err(AppError::unavailable(format!(
                "{} does not exist; run `yiqi migrate --create` to make it",
                file.display()
            )));
        }
        let traffic = Arc::new(Traffic::default());
        let writing = match &database {
            Database::Sqlite { file } => {
                let writer = writer::Writer::start(&database, &traffic)
                    .map_err(|error| connection::cannot_open(file, &error))?;
                Writing::Sqlite(Arc::new(writer))
            }
            Database::Postgres { .. } => {
                Writing::Postgres(fill_pool(&database, connections, false, &traffic)?)
            }
        };
        let readers = fill_pool(&database, connections, true, &traffic)?;
        Ok(Self {
            database,
            readers,
            writing,
            open: feed::OpenWrites::default(),
            traffic,
        })
    }

    /// What was sent to the database so far.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Runs a query on a reader connection, away from the threads that serve requests.
    pub async fn read<T, E, F>(&self, query: F) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, E> + Send + 'static,
    {
        let readers = self.readers.clone();
        blocking(move || {
            let mut connection = readers
                .get()
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            query(&mut connection.conn)
        })
        .await
    }

    /// As [`Store::read`]; all queries see one state of the database, whatever others commit meanwhile.
    pub async fn read_snapshot<T, F>(&self, queries: F) -> std::result::Result<T, AppError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Conn) -> std::result::Result<T, AppError> + Send + 'static,
    {
        self.read(|connection| {
            connection.transaction(|tx| {
                connection::keep_snapshot(tx)?;
                queries(tx)
            })
        })
        .await
    }

    /// Runs an action in one transaction: all of it happens, or nothing.
    ///
    /// The action may run again after a deadlock, so it is `Fn`, not `FnOnce`: it clones what it gives away. Answers 503 when
    /// the queue is full, the database cannot write, or the commit failed.
    pub async fn write<T, F>(&self, action: F) -> std::result::Result<T, AppError>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, AppError> + Send + 'static,
    {
        let locks = FirstLocks::default();
        self.write_locked(locks, false, action).await
    }

    /// As [`Store::write`], in a commit of its own: for imports and yearly runs, which may take long.
    pub async fn write_alone<T, F>(&self, action: F) -> std::result::Result<T, AppError>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, AppError> + Send + 'static,
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
    ) -> std::result::Result<T, AppError>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> std::result::Result<T, AppError> + Send + 'static,
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
                let writers = writers.clone();
                blocking(move || write_postgres(&writers, locks, &action)).await
            }
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

fn fill_pool(
    database: &Database,
    size: u32,
    reads_only: bool,
    traffic: &Arc<Traffic>,
) -> std::result::Result<Pool, AppError> {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(1))
        .test_on_check_out(true)
        .connection_timeout(Duration::from_secs(10))
        .build(pool::Manager::new(database.clone(), reads_only, traffic))
        .map_err(|error| AppError::unavailable(format!("cannot reach the database: {error}")))
}

fn write_postgres<T, F>(
    writers: &Pool,
    locks: FirstLocks,
    action: &F,
) -> std::result::Result<T, AppError>
where
    F: Fn(&mut Conn) -> std::result::Result<T, AppError>,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        let mut connection = writers
            .get()
            .map_err(|error| AppError::unavailable(error.to_string()))?;
        match locks.transaction(&mut connection.conn, action) {
            Err(AppError::Contended) if attempt <= RETRIES_MAX => continue,
            Err(AppError::Contended) => {
                return Err(AppError::unavailable(
                    "other actions were in the way, repeatedly",
                ));
            }
            outcome => return outcome,
        }
    }
}

/// Runs on the blocking pool; a panic there is an internal error, not the end of the server.
async fn blocking<T, E>(
    work: impl FnOnce() -> std::result::Result<T, E> + Send + 'static,
) -> std::result::Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(stopped) => Err(StoreError::Panicked(stopped.to_string()).into()),
    }
}
