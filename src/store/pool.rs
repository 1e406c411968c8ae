//! Pools of connections. A connection remembers that a query failed in a way that leaves it in doubt, and is not lent again;
//! all others of the store are asked for a sign of life then, before anybody gets one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    /// How long a query may take, of connections that only read.
    read_limit: Option<Duration>,
    traffic: Arc<Traffic>,
}

impl Manager {
    pub fn new(database: Database, read_limit: Option<Duration>, traffic: &Arc<Traffic>) -> Self {
        Self {
            database,
            read_limit,
            traffic: Arc::clone(traffic),
        }
    }
}

/// A connection as its pool keeps it.
#[derive(Debug)]
pub struct Pooled {
    pub conn: Conn,
    in_doubt: Arc<AtomicBool>,
    /// The losses of the store when it last answered.
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
        let losses_seen = self.traffic.lost();
        let made = match self.read_limit {
            Some(limit) => self.database.connect_reader(limit),
            None => self.database.connect(),
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
        let losses = self.traffic.lost();
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
            self.traffic.count_lost();
        }
        broken
    }
}
