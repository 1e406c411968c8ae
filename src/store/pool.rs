//! Pools of connections. A connection remembers that a query failed in a way that leaves it in doubt, and is not lent again;
//! the others are asked for a sign of life then, before anybody gets one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::Connection as _;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::r2d2::R2D2Connection;

use super::connection::{Conn, Database};
use super::fault;
use super::traffic::Traffic;

/// Keeps a pool of connections; `r2d2` asks it for new ones.
#[derive(Debug)]
pub struct Manager {
    database: Database,
    reads_only: bool,
    /// How many connections were given up so far.
    losses: AtomicU64,
    traffic: Arc<Traffic>,
}

impl Manager {
    pub fn new(database: Database, reads_only: bool, traffic: &Arc<Traffic>) -> Self {
        let losses = AtomicU64::new(0);
        Self {
            database,
            reads_only,
            losses,
            traffic: Arc::clone(traffic),
        }
    }
}

/// A connection as its pool keeps it.
#[derive(Debug)]
pub struct Pooled {
    pub conn: Conn,
    in_doubt: Arc<AtomicBool>,
    /// The losses of its pool when it last answered.
    losses_seen: u64,
}

/// Hears of every failed query. diesel itself looks at transactions alone, which a lost server does not break.
#[derive(Debug)]
struct Watch(Arc<AtomicBool>, Arc<Traffic>);

impl Instrumentation for Watch {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        self.1.count(&event);
        if let InstrumentationEvent::FinishQuery {
            error: Some(error), ..
        } = event
            && fault::leaves_in_doubt(error)
        {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let losses_seen = self.losses.load(Ordering::Relaxed);
        let made = if self.reads_only {
            self.database.connect_reader()
        } else {
            self.database.connect()
        };
        let mut conn = made.map_err(diesel::r2d2::Error::ConnectionError)?;
        let in_doubt = Arc::new(AtomicBool::new(false));
        conn.set_instrumentation(Watch(Arc::clone(&in_doubt), Arc::clone(&self.traffic)));
        Ok(Pooled {
            conn,
            in_doubt,
            losses_seen,
        })
    }

    /// Asked before each use; costs a question to the database only after another connection was lost.
    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        let losses = self.losses.load(Ordering::Relaxed);
        if pooled.losses_seen != losses {
            pooled
                .conn
                .ping()
                .map_err(diesel::r2d2::Error::QueryError)?;
            pooled.losses_seen = losses;
        }
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        let broken = std::thread::panicking()
            || pooled.in_doubt.load(Ordering::Relaxed)
            || pooled.conn.is_broken();
        if broken {
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
        broken
    }
}
