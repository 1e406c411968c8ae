//! Actions that need all usage and money alone. On PostgreSQL an action waiting for that lock would stop every writer behind it,
//! each with its connection; so it tries, and when somebody writes, gives everything back and tries again a little later.

use std::time::Duration;

use crate::error::AppError;
use crate::store::{Conn, Lock};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// Half a minute of tries.
const TRIES_MAX: u32 = 600;

/// Inside a transaction, before anything is read: usage and money stand still until its end. `Busy` when somebody writes.
pub fn take_alone(tx: &mut Conn) -> Result<(), AppError> {
    match Lock::RecordsAlone.try_take(tx)? {
        true => Ok(()),
        false => Err(AppError::Busy),
    }
}

/// Attempts an action until nobody else writes; 503 after half a minute.
#[allow(
    clippy::disallowed_methods,
    reason = "a lock that must not be waited for signals nobody when it is free"
)]
pub async fn wait<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, AppError>
where
    F: Future<Output = Result<T, AppError>>,
{
    for _ in 0..TRIES_MAX {
        match attempt().await {
            Err(AppError::Busy) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    Err(AppError::unavailable(
        "usage is being written without a pause",
    ))
}
