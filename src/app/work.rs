//! Work that goes on after its request was answered, on threads of its own: the workers of the server end before it, and the
//! stop waits for it.

use std::sync::Mutex;
use std::thread::JoinHandle;

use crate::error::AppError;

/// What this process has begun and not yet ended.
#[derive(Debug, Default)]
pub struct Work(Mutex<Vec<JoinHandle<()>>>);

impl Work {
    /// Begins work; what comes of it is the work's own business. A yearly run is rare and long: it is worth a thread.
    pub fn start<F: Future<Output = ()>>(
        &self,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), AppError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(AppError::internal)?;
        let begun = std::thread::spawn(move || runtime.block_on(work()));
        let mut all = self.lock();
        all.retain(|work| !work.is_finished());
        all.push(begun);
        Ok(())
    }

    /// Waits until all of it has ended, also what begins meanwhile.
    pub fn finish(&self) {
        loop {
            let next = self.lock().pop();
            let Some(work) = next else { return };
            if work.join().is_err() {
                tracing::error!("work in the background panicked");
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
