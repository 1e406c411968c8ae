//! Connections: how many there may be, and which gives way when there is one too many: that whose client has kept the server
//! waiting longest, over a head, a body, its answer or the next request. One whose request is at work never does.

mod stream;
mod unparsed;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use rustix::process::{Resource, getrlimit};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::config::Config;
pub use stream::Stream;
pub use unparsed::overfull;

/// The most connections unless the settings say otherwise: each has buffers of 16 KiB and more.
const MOST_BY_DEFAULT: usize = 8192;

/// Descriptors that are no connections: logs, listeners, wakers, files. A connection to a database takes up to three.
const OTHER_DESCRIPTORS: usize = 64;
const DESCRIPTORS_A_DATABASE_CONNECTION: usize = 6;

/// The longest wait for room while all connections are at work.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// The most connections by the settings (0: as many as descriptors allow, within reason) and the limit of descriptors, of
/// which a fifth is left for connections that are about to close.
pub fn most(config: &Config) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    most_of(descriptors, config)
}

fn most_of(descriptors: usize, config: &Config) -> usize {
    let database = usize::try_from(config.database_connections).unwrap_or(usize::MAX);
    let others = OTHER_DESCRIPTORS
        .saturating_add(database.saturating_mul(DESCRIPTORS_A_DATABASE_CONNECTION));
    let possible = descriptors.saturating_sub(others) / 5 * 4;
    let wanted = match config.connections_max {
        0 => MOST_BY_DEFAULT,
        wanted => wanted,
    };
    wanted.min(possible).max(8)
}

/// The connections of one server.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: usize,
    state: Mutex<State>,
    /// One has closed.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    /// Of these, those that gave way and are not closed yet.
    leaving: usize,
    last_turn: u64,
    /// Those that wait for their clients, the longest waiting first.
    waiting: BTreeMap<u64, Arc<Link>>,
}

/// What the stream of a connection and its requests know of each other.
#[derive(Debug, Default)]
struct Link {
    /// Its place among the waiting; 0 while it does not wait.
    turn: AtomicU64,
    /// A request is being answered: the stream leaves it to that request how long its client may take.
    is_in_request: AtomicBool,
    gives_way: AtomicBool,
    waker: AtomicWaker,
}

impl Connections {
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Shared {
            most,
            state: Mutex::default(),
            left: Notify::new(),
        }))
    }

    /// Room for one more connection, as soon as another has closed to give way; `None` when for a while all are at work.
    pub async fn admit(&self) -> Option<Admitted> {
        let room = async {
            loop {
                if let Some(admitted) = self.try_admit() {
                    return admitted;
                }
                self.0.left.notified().await;
            }
        };
        timeout(WAIT_MAX, room).await.ok()
    }

    fn try_admit(&self) -> Option<Admitted> {
        let mut state = self.0.lock();
        if state.open - state.leaving >= self.0.most
            && let Some((_, longest)) = state.waiting.pop_first()
        {
            longest.gives_way.store(true, Ordering::SeqCst);
            longest.waker.wake();
            state.leaving += 1;
        }
        if state.open >= self.0.most + spare(self.0.most) {
            return None;
        }
        state.open += 1;
        drop(state);
        let connection = Connection {
            shared: Arc::clone(&self.0),
            link: Arc::default(),
        };
        connection.waits();
        Some(Admitted(connection))
    }
}

/// Beside the most there may be: connections that have given way and are not closed yet.
const fn spare(most: usize) -> usize {
    most / 8 + 1
}

/// The connections that one of so many workers holds, with those that wait for room: descriptors are left for all of them.
pub const fn most_of_worker(most: usize, workers: usize) -> usize {
    (most + most / 4) / workers + 1
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        let locked = self.state.lock();
        locked.unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A connection as its requests know it.
#[derive(Debug, Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    link: Arc<Link>,
}

impl Connection {
    /// The client is to send something, or to take its answer.
    pub fn waits(&self) {
        let mut state = self.shared.lock();
        state.waiting.remove(&self.link.turn.load(Ordering::SeqCst));
        if self.link.gives_way.load(Ordering::SeqCst) {
            return;
        }
        state.last_turn += 1;
        let turn = state.last_turn;
        self.link.turn.store(turn, Ordering::SeqCst);
        state.waiting.insert(turn, Arc::clone(&self.link));
    }

    /// It is the server's turn.
    pub fn works(&self) {
        let mut state = self.shared.lock();
        state
            .waiting
            .remove(&self.link.turn.swap(0, Ordering::SeqCst));
    }

    /// A request has come.
    pub fn begins_request(&self) {
        self.link.is_in_request.store(true, Ordering::SeqCst);
        self.works();
    }

    /// Its answer is ready.
    pub fn ends_request(&self) {
        self.link.is_in_request.store(false, Ordering::SeqCst);
        self.waits();
    }

    fn is_in_request(&self) -> bool {
        self.link.is_in_request.load(Ordering::SeqCst)
    }

    fn gives_way(&self) -> bool {
        self.link.gives_way.load(Ordering::SeqCst)
    }
}

/// A connection's room; given back when it is dropped.
#[derive(Debug)]
pub struct Admitted(Connection);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.works();
        let mut state = self.0.shared.lock();
        state.open -= 1;
        state.leaving -= usize::from(self.0.gives_way());
        drop(state);
        self.0.shared.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_whose_client_is_slowest_gives_way() {
        let connections = Connections::new(3);
        let admit = || connections.try_admit().unwrap();
        let three: Vec<Admitted> = (0..3).map(|_| admit()).collect();
        three[0].0.begins_request();
        // Its body is awaited, since now.
        three[1].0.begins_request();
        three[1].0.waits();
        let _fourth = admit();
        let gone: Vec<bool> = three.iter().map(|one| one.0.gives_way()).collect();
        assert_eq!(gone, [false, false, true]);
        drop(three);
        let state = connections.0.lock();
        assert_eq!((state.open, state.leaving, state.waiting.len()), (1, 0, 1));
    }

    #[test]
    fn nobody_at_work_gives_way() {
        let connections = Connections::new(2);
        let admit = || connections.try_admit();
        let all: Vec<Admitted> = (0..3).map(|_| admit().unwrap()).collect();
        // The third came in place of the first, which is not closed yet.
        assert!(all[0].0.gives_way());
        all[1..].iter().for_each(|one| one.0.begins_request());
        assert!(admit().is_none());
        assert!(!all[1].0.gives_way() && !all[2].0.gives_way());
        all[1].0.ends_request();
        assert!(admit().is_none());
        assert!(all[1].0.gives_way());
        drop(all);
        assert!(admit().is_some());
    }

    #[test]
    fn there_are_fewer_connections_than_descriptors() {
        let mut config = Config::merge(None, &BTreeMap::new()).unwrap();
        assert_eq!(most_of(20_000, &config), MOST_BY_DEFAULT);
        assert_eq!(most_of(1_024, &config), (1_024 - 64 - 48) / 5 * 4);
        config.connections_max = 100;
        assert_eq!(most_of(1_024, &config), 100);
        assert_eq!(most_of(64, &config), 8);
    }
}
