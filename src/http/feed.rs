//! Lists read in their own order, or with `updated_since` in the order of change, so that another system keeps in step.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::answer::Page;
use super::context::RequestContext;
use super::params::Params;
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::feed::{self, After, FeedCursor, Listing};
use crate::store::page::{Found, Key};

/// Something that was there to see and no longer is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Withdrawn {
    id: i64,
    #[schema(schema_with = withdrawn)]
    status: &'static str,
    updated_at: Instant,
}

/// One word, so that it is told from whatever else has a status.
fn withdrawn() -> Schema {
    let word = ObjectBuilder::new().schema_type(Type::String);
    Schema::Object(word.enum_values(Some(["withdrawn"])).build())
}

impl Withdrawn {
    pub fn new(id: impl Into<i64>, updated_at: Instant) -> Self {
        Self {
            id: id.into(),
            status: "withdrawn",
            updated_at,
        }
    }
}

/// A reading in the order of change, after a place.
#[derive(Debug, Clone, Copy)]
pub struct Changes(FeedCursor);

impl Changes {
    /// From `updated_since` and `cursor`; none without `updated_since`.
    pub async fn asked_for(
        context: &RequestContext,
        params: &Params,
    ) -> Result<Option<Self>, AppError> {
        let Some(since) = params.one::<Instant>("updated_since")? else {
            return Ok(None);
        };
        if let Some(cursor) = params.cursor()? {
            return Ok(Some(Self(cursor)));
        }
        // No id is 0, so everything changed in the very second is told.
        Ok(Some(Self(FeedCursor {
            updated_at: since,
            id: 0,
            as_of: feed::as_of(&context.app, context.now).await?,
        })))
    }

    /// The change and id after which the page begins.
    pub fn place(&self) -> (Instant, i64) {
        (self.0.updated_at, self.0.id)
    }

    /// The page of rows of which one more than `limit` was read; `place` tells a row's last change and id.
    pub fn page<R, T>(
        &self,
        rows: Vec<R>,
        limit: i64,
        place: impl Fn(&R) -> (Instant, i64),
        shape: impl FnMut(R) -> T,
    ) -> Result<Page<T>, AppError> {
        let as_of = self.0.as_of;
        let cursor = |row: &R| {
            let (updated_at, id) = place(row);
            FeedCursor {
                updated_at,
                id,
                as_of,
            }
        };
        let mut page = Page::cut(rows, limit, cursor, shape)?;
        page.as_of = Some(as_of);
        Ok(page)
    }

    /// As [`Changes::page`], of a list that may end before its limit because it looked at as many rows as it may.
    pub fn found<R, T>(
        &self,
        found: Found<R>,
        limit: i64,
        place: impl Fn(&R) -> (Instant, i64),
        shape: impl FnMut(R) -> T,
    ) -> Result<Page<T>, AppError> {
        let rest = match found.rest {
            Some(Key::Changed(updated_at, id)) => Some(FeedCursor {
                updated_at,
                id,
                as_of: self.0.as_of,
            }),
            _ => None,
        };
        self.page(found.rows, limit, place, shape)?.going_on(rest)
    }
}

/// The page of a list that a request asks for, by `updated_since`, `cursor` and `limit`.
pub async fn listing<K: DeserializeOwned>(
    context: &RequestContext,
) -> Result<Listing<K>, AppError> {
    let params = context.params()?;
    let limit = params.limit()?;
    let after = match Changes::asked_for(context, &params).await? {
        Some(Changes(cursor)) => After::Change(cursor),
        None => After::Row(params.cursor()?),
    };
    Ok(Listing { after, limit })
}

/// The page of rows of which one more than its limit was read; `key` tells a row's place in the list's own order, `place`
/// its last change and id.
pub fn page<R, K: Serialize, T>(
    listing: Listing<K>,
    rows: Vec<R>,
    key: impl Fn(&R) -> K,
    place: impl Fn(&R) -> (Instant, i64),
    shape: impl FnMut(R) -> T,
) -> Result<Page<T>, AppError> {
    match listing.after {
        After::Row(_) => Page::cut(rows, listing.limit, key, shape),
        After::Change(cursor) => Changes(cursor).page(rows, listing.limit, place, shape),
    }
}

/// Where a page of a list begins that is otherwise read newest first.
#[derive(Debug, Clone, Copy)]
pub enum Start {
    /// Newest first, below this id.
    Newest(Option<i64>),
    /// In the order of change.
    Changed(Changes),
}

/// A list as a request asks for it.
#[derive(Debug)]
pub struct Asked<F> {
    /// What is to be listed; or what is wrong with the request, to be told to who may list.
    pub filter: Result<F, AppError>,
    pub start: Start,
    pub limit: i64,
}

impl<F> Asked<F> {
    /// `filter` reads the parameters of the list besides those of paging; what it says is asked for one row more than the
    /// page has.
    pub async fn of(
        context: &RequestContext,
        filter: impl FnOnce(&Params, &Start, i64) -> Result<F, AppError>,
    ) -> Self {
        match paging(context).await {
            Ok((params, start, limit)) => Self {
                filter: filter(&params, &start, limit + 1),
                start,
                limit,
            },
            Err(fault) => Self {
                filter: Err(fault),
                start: Start::Newest(None),
                limit: 0,
            },
        }
    }
}

async fn paging(context: &RequestContext) -> Result<(Params, Start, i64), AppError> {
    let params = context.params()?;
    let start = Start::of(context, &params).await?;
    let limit = params.limit()?;
    Ok((params, start, limit))
}

impl Start {
    /// From `updated_since` and `cursor`.
    pub async fn of(context: &RequestContext, params: &Params) -> Result<Self, AppError> {
        Ok(match Changes::asked_for(context, params).await? {
            Some(changes) => Start::Changed(changes),
            None => Start::Newest(params.cursor()?),
        })
    }

    pub fn changed_after(&self) -> Option<(Instant, i64)> {
        match self {
            Start::Changed(changes) => Some(changes.place()),
            Start::Newest(_) => None,
        }
    }

    pub fn below(&self) -> Option<i64> {
        match self {
            Start::Newest(below) => *below,
            Start::Changed(_) => None,
        }
    }

    /// As [`Changes::page`].
    pub fn page<R, T>(
        &self,
        rows: Vec<R>,
        limit: i64,
        place: impl Fn(&R) -> (Instant, i64),
        shape: impl FnMut(R) -> T,
    ) -> Result<Page<T>, AppError> {
        match self {
            Start::Changed(changes) => changes.page(rows, limit, place, shape),
            Start::Newest(_) => Page::cut(rows, limit, |row| Value::from(place(row).1), shape),
        }
    }

    /// As [`Changes::found`].
    pub fn found<R, T>(
        &self,
        found: Found<R>,
        limit: i64,
        place: impl Fn(&R) -> (Instant, i64),
        shape: impl FnMut(R) -> T,
    ) -> Result<Page<T>, AppError> {
        match self {
            Start::Changed(changes) => changes.found(found, limit, place, shape),
            Start::Newest(_) => {
                let page = self.page(found.rows, limit, place, shape)?;
                page.going_on(found.rest.map(Key::id))
            }
        }
    }
}
