//! What is forgotten when its time has come: answers kept for repeated requests, sessions and keys long ended, failed
//! sign-ins nobody counts any more, old notices, jobs that have ended, what an import that died had staged. Nothing of it is
//! anybody's record, so no event tells it.

use crate::app::App;
use crate::domain::{Instant, Minutes};
use crate::error::AppError;
use crate::operations::run::work;
use crate::operations::table_import;
use crate::store::{api_key, connection, idempotency, job, notice, session, staged};

// Added to now, so the past is negative.
const DAY: i64 = 24 * 60;

/// How long the answer to a request with an idempotency key is kept (contract: 14 days).
const ANSWERS_KEPT: Minutes = Minutes::new(-14 * DAY);

/// How long tokens of an ended session are kept, so that their use is still told from an unknown token.
const TOKENS_KEPT: Minutes = Minutes::new(-30 * DAY);

/// How long an API key that ended is kept, for who asks what it was.
const KEYS_KEPT: Minutes = Minutes::new(-90 * DAY);

/// How long a place is known from which somebody signed in.
const PLACES_KEPT: Minutes = Minutes::new(-30 * DAY);

/// How long a failed sign-in is remembered.
const FAILURES_KEPT: Minutes = Minutes::new(-DAY);

/// How long a person finds what was told (contract: 400 days).
const NOTICES_KEPT: Minutes = Minutes::new(-400 * DAY);

/// When an import that has not ended is given up: its process died, or its caller went away.
const IMPORTS_KEPT: Minutes = Minutes::new(-60);

/// How long a job that has ended is kept, for who looks why; its run says what became of it for ever.
const JOBS_KEPT: Minutes = Minutes::new(-90 * DAY);

/// Forgets what is old at `now`; answers how many rows. What the database knows of its tables is renewed with it.
pub async fn forget(app: &App, now: Instant) -> Result<usize, AppError> {
    let forgotten = work(app, move |tx| {
        let answers = idempotency::delete_before(tx, now.plus(ANSWERS_KEPT))?;
        let tokens = session::delete_refresh_tokens_before(tx, now.plus(TOKENS_KEPT))?;
        let sessions = session::delete_before(tx, now.plus(TOKENS_KEPT))?;
        let keys = api_key::delete_before(tx, now.plus(KEYS_KEPT))?;
        let (failed, known) = (now.plus(FAILURES_KEPT), now.plus(PLACES_KEPT));
        let failures = session::delete_failures_before(tx, failed, known)?;
        let notices = notice::delete_before(tx, now.plus(NOTICES_KEPT))?;
        let imports = staged::delete_before(tx, now.plus(IMPORTS_KEPT))?;
        let jobs = job::delete_before(tx, now.plus(JOBS_KEPT))?;
        connection::keep_statistics(tx)?;
        Ok(answers + tokens + sessions + keys + failures + notices + imports + jobs)
    })
    .await?;
    let mut removed = 0;
    for import in app.store.read(staged::list_dead).await? {
        removed += table_import::remove_rows(app, import).await?;
    }
    Ok(forgotten + removed)
}
