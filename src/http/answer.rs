//! How handlers answer: shapes as JSON, versions as ETags, lists as pages.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ContentType, ETAG, LOCATION};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::context::RequestContext;
use super::params::{Params, cursor_text};
use crate::domain::Instant;
use crate::error::AppError;
use crate::operations::run::{Done, Reply};

/// What a handler answers.
pub type Answer = Result<HttpResponse, AppError>;

/// One page of a list. `as_of` is the value to send as `updated_since` next time.
#[derive(Debug, Clone, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Instant>,
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let items = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let text = |about: &str, format| {
            ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
                .format(format)
                .description(Some(about))
        };
        let instant = Some(SchemaFormat::KnownFormat(KnownFormat::DateTime));
        let page = ObjectBuilder::new()
            .property("items", items)
            .required("items")
            .property("next_cursor", text("Where the next page begins.", None))
            .property(
                "as_of",
                text("What to send as `updated_since` next time.", instant),
            );
        RefOr::T(Schema::Object(page.build()))
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        let item = T::name();
        let noun = item.strip_suffix("Shape").unwrap_or(&item);
        Cow::Owned(format!("{noun}Page"))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

impl<T> Page<T> {
    /// A page from rows of which one more than `limit` was read: the extra row says that there is a next page.
    pub fn cut<R, C: Serialize>(
        mut rows: Vec<R>,
        limit: i64,
        cursor: impl Fn(&R) -> C,
        shape: impl FnMut(R) -> T,
    ) -> Result<Self, AppError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_next = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = match rows.last() {
            Some(last) if has_next => Some(cursor_text(&cursor(last))?),
            _ => None,
        };
        Ok(Self {
            items: rows.into_iter().map(shape).collect(),
            next_cursor,
            as_of: None,
        })
    }

    /// Goes on after this place where it would end otherwise: rows behind it were not looked at.
    pub fn going_on(mut self, rest: Option<impl Serialize>) -> Result<Self, AppError> {
        if let (None, Some(rest)) = (&self.next_cursor, rest) {
            self.next_cursor = Some(cursor_text(&rest)?);
        }
        Ok(self)
    }

    /// The page that is asked for of all rows, which stand in the order of their keys.
    pub fn of<R, K: Serialize + DeserializeOwned + PartialOrd>(
        rows: Vec<R>,
        params: &Params,
        key: impl Fn(&R) -> K,
        shape: impl FnMut(R) -> T,
    ) -> Result<Self, AppError> {
        let after: Option<K> = params.cursor()?;
        let is_beyond = |row: &R| after.as_ref().is_none_or(|after| key(row) > *after);
        let rest = rows.into_iter().filter(is_beyond).collect();
        Self::cut(rest, params.limit()?, &key, shape)
    }
}

impl<T> Page<Result<T, AppError>> {
    /// The page when every item could be shaped.
    pub fn all(self) -> Result<Page<T>, AppError> {
        Ok(Page {
            items: self.items.into_iter().collect::<Result<_, _>>()?,
            next_cursor: self.next_cursor,
            as_of: self.as_of,
        })
    }
}

/// A shape as an answer: what a route's render function makes of what was done.
pub fn reply(status: u16, shape: &impl Serialize) -> Result<Reply, AppError> {
    Ok(Reply {
        status,
        location: None,
        version: None,
        body: Some(serde_json::to_string(shape)?),
        kept_body: None,
    })
}

/// As [`reply`], with what is kept of it: where something is shown once, the shape without it.
pub fn reply_once(
    status: u16,
    shape: &impl Serialize,
    kept: &impl Serialize,
) -> Result<Reply, AppError> {
    Ok(Reply {
        kept_body: Some(serde_json::to_string(kept)?),
        ..reply(status, shape)?
    })
}

/// 204, whatever was done.
pub fn no_content<T>(_: &T) -> Result<Reply, AppError> {
    Ok(Reply {
        status: 204,
        location: None,
        version: None,
        body: None,
        kept_body: None,
    })
}

impl RequestContext {
    /// What became of the route's action, as its render function tells it.
    pub fn answer<T>(&self, done: Done<T>, render: fn(&T) -> Result<Reply, AppError>) -> Answer {
        let (reply, is_earlier) = match done {
            Done::Now(done) => (render(&done)?, false),
            Done::Earlier(reply) => (reply, true),
        };
        let status = StatusCode::from_u16(reply.status).map_err(AppError::internal)?;
        let mut builder = HttpResponse::build(status);
        if is_earlier {
            builder.insert_header(("Idempotency-Replayed", "true"));
        }
        if let Some(etag) = reply.etag() {
            builder.insert_header((ETAG, etag));
        }
        if let Some(location) = reply.location {
            builder.insert_header((LOCATION, location));
        }
        Ok(match reply.body {
            Some(body) => builder.content_type(ContentType::json()).body(body),
            None => builder.finish(),
        })
    }

    /// 200 with a shape. Reads refuse unknown query parameters here at the latest; actions did before.
    pub fn ok(&self, shape: impl Serialize) -> Answer {
        self.params()?;
        Ok(HttpResponse::Ok().json(shape))
    }

    /// 200 with a shape and its version.
    pub fn ok_versioned(&self, version: i64, shape: impl Serialize) -> Answer {
        self.params()?;
        Ok(HttpResponse::Ok()
            .insert_header((ETAG, etag(version)))
            .json(shape))
    }

    /// 204.
    pub fn no_content(&self) -> Answer {
        Ok(HttpResponse::NoContent().finish())
    }

    /// 200 with a file to save.
    pub fn download(&self, media_type: &'static str, name: &str, bytes: Vec<u8>) -> Answer {
        self.params()?;
        let disposition = format!("attachment; filename=\"{name}\"");
        let mut builder = HttpResponse::Ok();
        Ok(builder
            .insert_header((CONTENT_TYPE, media_type))
            .insert_header((CONTENT_DISPOSITION, disposition))
            .body(bytes))
    }
}

fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}
