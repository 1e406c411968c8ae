//! Lists that others keep in step with by `updated_since`: what they ask for next time, and where a page goes on.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::clock::DIFFERENCE_MAX_SECONDS;
use crate::domain::Instant;
use crate::error::AppError;
use crate::store::{StoreError, connection, staged};

/// An action takes its time before it begins to write; a row is stamped with the earlier moment, by a clock that may be half of
/// this behind the database's. In seconds.
const MARGIN_SECONDS: i64 = 2 * DIFFERENCE_MAX_SECONDS;

/// Where the next page of a feed begins: after this row, in the order of (`updated_at`, `id`). The moment of the first
/// page stays that of the whole reading, however long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedCursor {
    pub updated_at: Instant,
    pub id: i64,
    pub as_of: Instant,
}

/// Which page of a list is asked for, that is read in its own order or in the order of change.
#[derive(Debug, Clone, Copy)]
pub struct Listing<K> {
    pub after: After<K>,
    /// The most rows that are shown.
    pub limit: i64,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub enum After<K> {
    /// In the list's own order, after this row; none: at the beginning.
    Row(Option<K>),
    /// In the order of change, after this place; what was withdrawn is in it.
    Change(FeedCursor),
}

/// The value to send as `updated_since` next time: everything stamped earlier is committed and was visible before this
/// call returned. Ask before the rows are read.
pub async fn as_of(app: &App, now: Instant) -> Result<Instant, AppError> {
    let here = app.store.oldest_write_seconds();
    let looked = app.store.read(|conn| {
        let server = connection::server_state(conn)?;
        Ok::<_, StoreError>((server, staged::oldest(conn)?))
    });
    let (server, import) = looked.await.map_err(AppError::from)?;
    let anywhere = server.map_or(0, |server| server.oldest_write_seconds);
    // Others stamp by clocks of their own: what this one says is no more than the database's.
    let theirs = server.filter(|_| app.clock.machine_time().is_some());
    let now = theirs.map_or(now, |server| now.min(server.now));
    let oldest = now.plus_seconds(-anywhere.max(here));
    // The rows of an import are stamped with its beginning, and come in one transaction at its end.
    let oldest = import.map_or(oldest, |began_at| oldest.min(began_at));
    Ok(oldest.plus_seconds(-MARGIN_SECONDS))
}
