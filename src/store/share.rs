//! A share of the connections, lent one at a time. Whoever finds none free waits without a thread, so however many ask, no
//! more threads are held than there are connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::{Conn, Database};
use super::fault::StoreError;
use super::pool::Manager;
use super::traffic::Traffic;

/// How long an action or a reading waits for a free connection before it is answered 503.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long making a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Connections of one kind.
#[derive(Debug, Clone)]
pub struct Share {
    connections: r2d2::Pool<Manager>,
    free: Arc<Semaphore>,
    /// Those of them that long work may hold at once.
    free_for_long: Arc<Semaphore>,
    /// And that searches may hold: each keeps a processor busy.
    free_for_search: Arc<Semaphore>,
}

impl Share {
    /// Up to `size` connections; with `read_limit` they only read, and no query takes longer.
    pub fn open(
        database: &Database,
        size: u32,
        read_limit: Option<Duration>,
        traffic: &Arc<Traffic>,
    ) -> Result<Self, StoreError> {
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(true)
            .connection_timeout(CONNECT_MAX)
            .build(Manager::new(database.clone(), read_limit, traffic))
            .map_err(|error| {
                StoreError::unavailable(format!("cannot reach the database: {error}"))
            })?;
        let size = usize::try_from(size)
            .unwrap_or(usize::MAX)
            .min(Semaphore::MAX_PERMITS);
        Ok(Self {
            connections,
            free: Arc::new(Semaphore::new(size)),
            free_for_long: Arc::new(Semaphore::new(size.div_ceil(2))),
            free_for_search: Arc::new(Semaphore::new(searches_at_once(size))),
        })
    }

    /// Runs work on a free connection, away from the threads that serve requests.
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        let permit = free(&self.free).await?;
        let connections = self.connections.clone();
        blocking(move || {
            let _permit = permit;
            let mut connection = connections
                .get()
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            work(&mut connection.conn)
        })
        .await
    }

    /// As [`Share::run`] for work that may take long: half of the connections never serve any.
    pub async fn run_long<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        self.run_by(&self.free_for_long, work).await
    }

    /// As [`Share::run`] for work that looks at many rows: half of the processors, and of the connections, never serve any.
    /// The others of its kind wait without a connection.
    pub async fn run_search<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        self.run_by(&self.free_for_search, work).await
    }

    /// The work keeps its permit until it ends, also when nobody waits for it any more.
    async fn run_by<T, E, F>(&self, permits: &Arc<Semaphore>, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
    {
        let permit = free(permits).await?;
        let kept = move |conn: &mut Conn| {
            let _permit = permit;
            work(conn)
        };
        self.run(kept).await
    }
}

fn searches_at_once(connections: usize) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, connections.div_ceil(2).max(1))
}

async fn free(of: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, StoreError> {
    if let Ok(permit) = Arc::clone(of).try_acquire_owned() {
        return Ok(permit);
    }
    let waiting = tokio::time::timeout(WAIT_MAX, Arc::clone(of).acquire_owned());
    match waiting.await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(StoreError::Unavailable(
            "every connection is in use".to_owned(),
        )),
    }
}

/// Runs on the blocking pool; a panic there is an internal error, not the end of the server.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(stopped) => Err(StoreError::Panicked(stopped.to_string()).into()),
    }
}
