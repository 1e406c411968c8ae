//! Whether this node can serve: the database has this program's schema, lies where it was opened, takes writes, and its clock
//! agrees with this machine's. Asked often and by anybody, so what costs something is looked at now and then.

use std::time::Duration;

use crate::app::App;
use crate::clock::DIFFERENCE_MAX_SECONDS;
use crate::error::AppError;
use crate::store::{connection, migration};

/// How long the answer may take.
const WITHIN: Duration = Duration::from_secs(3);

/// Nothing, or why this node should get no requests now.
pub async fn check(app: &App) -> Result<(), AppError> {
    match tokio::time::timeout(WITHIN, look(app)).await {
        Ok(Err(AppError::Internal(cause))) => Err(AppError::unavailable(cause.to_string())),
        Ok(outcome) => outcome,
        Err(_) => Err(AppError::unavailable(format!(
            "the database did not answer within {} seconds",
            WITHIN.as_secs()
        ))),
    }
}

async fn look(app: &App) -> Result<(), AppError> {
    if !app.store.read_apart(migration::is_current).await? {
        return Err(AppError::unavailable(
            "the database schema is not current; run `yiqi migrate`",
        ));
    }
    agree_on_time(app).await?;
    app.store.probe().await
}

/// Compares this machine's clock with the database's; too far from it, this node goes by the database's, and the answer is
/// that it is not ready.
pub async fn agree_on_time(app: &App) -> Result<(), AppError> {
    let Some(before) = app.clock.machine_time() else {
        return Ok(());
    };
    let asked = app.store.read_apart(connection::server_state).await;
    let Some(server) = asked.map_err(AppError::from)? else {
        return Ok(());
    };
    let Some(ahead) = app.clock.ahead_of(server.now, before) else {
        return Ok(());
    };
    app.clock.correct(ahead);
    if ahead.abs() <= DIFFERENCE_MAX_SECONDS {
        return Ok(());
    }
    Err(AppError::unavailable(format!(
        "this machine's clock is {ahead} seconds ahead of the database's, and more than {DIFFERENCE_MAX_SECONDS} apart; \
         set it right"
    )))
}
