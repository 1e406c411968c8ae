//! What happens by itself. Each job is a step function `tick(app, now)`, called by tests with a fixed clock; the loop is
//! here. Every node runs it: the steps claim what they work on.

pub mod api_key;
pub mod booking;
mod certification;
mod clock;
mod duty;
pub mod job;
pub mod notice;
mod retention;
mod search;
mod stats;

use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;
use crate::error::AppError;

/// How long a change may wait before the index of instruments takes it in, when nobody searches.
const SEARCH_PAUSE: Duration = Duration::from_secs(1);

/// Runs every step, waits, and begins again, until `stop` says true or is dropped. Long work keeps no other step waiting.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let pause = Duration::from_secs(app.config.job_interval_seconds);
    tokio::join!(
        repeat(pause, stop.clone(), async || timed(&app).await),
        repeat(pause, stop.clone(), async || {
            while work(&app).await && !*stop.borrow() {}
        }),
        repeat(SEARCH_PAUSE, stop.clone(), async || {
            tell("search", search::tick(&app).await);
        }),
    );
    tell("api_key", api_key::tick(&app).await);
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the loop: nothing signals that time has passed"
)]
async fn repeat(pause: Duration, mut stop: watch::Receiver<bool>, steps: impl AsyncFn()) {
    loop {
        steps().await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
    }
}

/// Every step once. A step that fails is told and tried again next time; it keeps no other from running.
pub async fn tick(app: &App) {
    timed(app).await;
    work(app).await;
}

async fn timed(app: &App) {
    tell("clock", clock::tick(app).await);
    let now = app.clock.now();
    tell("booking", booking::tick(app, now).await);
    tell("certification", certification::tick(app, now).await);
    tell("duty", duty::tick(app, now).await);
    tell("stats", stats::tick(app, now).await);
    tell("notice", notice::tick(app, now).await);
    tell("retention", retention::tick(app, now).await);
    tell("api_key", api_key::tick(app).await);
}

/// False when there is no more long work to take up at the moment.
async fn work(app: &App) -> bool {
    let outcome = job::tick(app, app.clock.now()).await;
    let is_done = matches!(outcome, Ok(1..));
    tell("job", outcome);
    is_done
}

fn tell(step: &str, outcome: Result<usize, AppError>) {
    match outcome {
        Ok(0) => {}
        Ok(count) if step == "search" => tracing::debug!(step, count, "timed work done"),
        Ok(count) => tracing::info!(step, count, "timed work done"),
        Err(error) => tracing::error!(step, %error, "timed work failed"),
    }
}
