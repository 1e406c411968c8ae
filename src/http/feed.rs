//! Lists read newest first, or with `updated_since` in the order of change, so that another system keeps in step.

use serde_json::Value;

use super::answer::Page;
use super::asked::Asked;
use super::params::Params;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::feed::{self, FeedCursor};

/// Where a page begins.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// Newest first, below this id.
    Newest(Option<i64>),
    /// In the order of change, after this place.
    Changed(FeedCursor),
}

impl Start {
    /// From `updated_since` and `cursor`.
    pub async fn of(asked: &Asked, params: &Params) -> Result<Self, AppError> {
        let Some(since) = params.one::<Instant>("updated_since")? else {
            return Ok(Start::Newest(params.cursor()?));
        };
        if let Some(cursor) = params.cursor()? {
            return Ok(Start::Changed(cursor));
        }
        // No id is 0, so everything changed in the very second is told.
        Ok(Start::Changed(FeedCursor {
            updated_at: since,
            id: 0,
            as_of: feed::as_of(&asked.app, asked.now).await?,
        }))
    }

    pub fn changed_after(&self) -> Option<(Instant, i64)> {
        match self {
            Start::Changed(cursor) => Some((cursor.updated_at, cursor.id)),
            Start::Newest(_) => None,
        }
    }

    pub fn below(&self) -> Option<i64> {
        match self {
            Start::Newest(below) => *below,
            Start::Changed(_) => None,
        }
    }

    /// The page of rows of which one more than `limit` was read; `place` tells a row's last change and id.
    pub fn page<R, T>(
        &self,
        rows: Vec<R>,
        limit: i64,
        place: impl Fn(&R) -> (Instant, i64),
        shape: impl FnMut(R) -> T,
    ) -> Result<Page<T>, AppError> {
        let as_of = match self {
            Start::Changed(cursor) => Some(cursor.as_of),
            Start::Newest(_) => None,
        };
        let cursor = |row: &R| -> Value {
            match (place(row), as_of) {
                ((updated_at, id), Some(as_of)) => {
                    serde_json::json!({ "updated_at": updated_at, "id": id, "as_of": as_of })
                }
                ((_, id), None) => id.into(),
            }
        };
        let mut page = Page::cut(rows, limit, cursor, shape)?;
        page.as_of = as_of;
        Ok(page)
    }
}
