//! Where passwords are hashed: on a few threads of its own, behind a short queue, so that a flood of sign-ins takes neither
//! the memory nor the threads of anybody else. Who finds the queue full is told to come again (503).

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};

use argon2::Block;
use tokio::sync::oneshot;

use crate::error::AppError;

/// glibc gives memory of this size back to the system as soon as it is freed, whatever was freed before (the upper end of
/// its M_MMAP_THRESHOLD). What is reserved beyond the need is never touched, so it takes no memory.
const GIVEN_BACK_BYTES: usize = 32 << 20;

type Job = Box<dyn FnOnce(&mut HashingMemory) + Send>;

/// The memory of one hashing thread, kept from one password to the next while some wait.
#[derive(Debug, Default)]
pub struct HashingMemory(Vec<Block>);

impl HashingMemory {
    /// So many blocks, with anything in them.
    pub fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0 = Vec::with_capacity(count.max(GIVEN_BACK_BYTES / Block::SIZE + 1));
            self.0.resize(count, Block::new());
        }
        &mut self.0
    }

    fn give_back(&mut self) {
        self.0 = Vec::new();
    }
}

/// The threads, started when the first password comes.
#[derive(Debug)]
pub struct Hashing {
    threads: usize,
    waiting_max: usize,
    queue: OnceLock<Arc<Queue>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passwords wait", self.lock().waiting.len())
    }
}

impl Hashing {
    /// With so many threads (0: one for each core) and at most so many passwords that wait for one.
    pub fn new(threads: usize, waiting_max: usize) -> Self {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads: if threads == 0 { cores() } else { threads },
            waiting_max,
            queue: OnceLock::new(),
        }
    }

    /// Runs `work` on a hashing thread when its turn comes. Of a request that is gone by then, nothing is hashed.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashingMemory) -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let (answer, answered) = oneshot::channel();
        let job = move |memory: &mut HashingMemory| {
            if !answer.is_closed() {
                // Without a receiver the request has gone meanwhile.
                let _ = answer.send(work(memory));
            }
        };
        let queue = self.queue.get_or_init(|| start(self.threads));
        queue.push(Box::new(job), self.waiting_max)?;
        answered
            .await
            .map_err(|_| AppError::internal("hashing a password panicked"))
    }
}

fn start(threads: usize) -> Arc<Queue> {
    let queue = Arc::new(Queue::default());
    for _ in 0..threads {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || queue.work());
    }
    queue
}

impl Queue {
    fn push(&self, job: Job, waiting_max: usize) -> Result<(), AppError> {
        let mut state = self.lock();
        if state.waiting.len() >= waiting_max {
            return Err(AppError::unavailable("too many passwords wait for hashing"));
        }
        state.waiting.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn work(&self) {
        let mut memory = HashingMemory::default();
        while let Some(job) = self.next(&mut memory) {
            if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
                tracing::error!("hashing a password panicked");
            }
        }
    }

    /// The next job; while there is none, no memory is held.
    fn next(&self, memory: &mut HashingMemory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            memory.give_back();
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let locked = self.state.lock();
        locked.unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Hashing {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            queue.lock().is_closed = true;
            queue.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    #[test]
    fn who_finds_the_queue_full_is_told_to_come_again() {
        let hashing = Arc::new(Hashing::new(1, 2));
        let (go, gate) = mpsc::channel::<()>();
        let (began, begun) = mpsc::channel();
        let held = {
            let hashing = Arc::clone(&hashing);
            std::thread::spawn(move || {
                let held = hashing.run(move |_| {
                    began.send(()).unwrap();
                    gate.recv().unwrap();
                });
                runtime().block_on(held).unwrap();
            })
        };
        begun.recv().unwrap();
        let (waiting, refused) = runtime().block_on(async {
            let first = hashing.run(|_| 1);
            let second = hashing.run(|_| 2);
            let third = async {
                let refused = hashing.run(|_| 3).await;
                go.send(()).unwrap();
                refused
            };
            let (first, second, third) = tokio::join!(first, second, third);
            (first.unwrap() + second.unwrap(), third)
        });
        held.join().unwrap();
        assert_eq!(waiting, 3);
        assert!(matches!(refused, Err(AppError::Unavailable(_))));
    }

    #[test]
    fn a_panic_is_an_error_and_the_thread_goes_on() {
        let hashing = Hashing::new(1, 2);
        let answers = runtime().block_on(async {
            let lost = hashing.run(|_| panic!("for the test")).await;
            let next = hashing.run(|memory| memory.blocks(8).len()).await;
            (lost.map(|(): ()| ()), next)
        });
        assert!(matches!(answers.0, Err(AppError::Internal(_))));
        assert_eq!(answers.1.unwrap(), 8);
    }
}
