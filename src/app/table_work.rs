//! Reading and writing whole tables takes long and much memory, so it leaves the thread that serves requests and is done a
//! few at a time in this process. Who waits too long is told to come again (503).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::AppError;

/// Tables that are read or written at once.
const AT_ONCE: usize = 2;

/// The longest wait for a turn.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The turns.
#[derive(Debug)]
pub struct TableWork(Arc<Semaphore>);

impl Default for TableWork {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl TableWork {
    /// Does the work when its turn comes. The turn lasts as long as the work, also when nobody waits for it any more.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AppError> {
        let turn = Arc::clone(&self.0).acquire_owned();
        let turn = tokio::time::timeout(WAIT_MAX, turn).await;
        let turn = turn
            .map_err(|_| AppError::unavailable("other tables are being read"))?
            .map_err(AppError::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(AppError::internal)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn only_a_few_are_read_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let (tables, running) = (TableWork::default(), Arc::new(AtomicUsize::new(0)));
        let (sender, most) = mpsc::channel();
        let reading = || {
            let (running, sender) = (Arc::clone(&running), sender.clone());
            tables.run(move || {
                sender
                    .send(running.fetch_add(1, Ordering::SeqCst) + 1)
                    .unwrap();
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
            })
        };
        let all = futures_util::future::join_all((0..20).map(|_| reading()));
        let all = runtime.block_on(all);
        assert!(all.iter().all(Result::is_ok));
        drop((all, sender));
        assert!(most.iter().max().unwrap() <= AT_ONCE);
    }
}
