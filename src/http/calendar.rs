//! `/calendars` and `/calendar-tokens`: calendars to subscribe to, and the tokens by which a program reads a person's.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, ETAG};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply_once};
use super::context::RequestContext;
use super::route::{BASE, Route, delete, get, post};
use crate::app::token;
use crate::domain::access::Action;
use crate::domain::calendar_feed::FeedKind;
use crate::domain::{CalendarTokenId, Instant};
use crate::error::AppError;
use crate::exchange::icalendar;
use crate::operations::calendar_feed::{self, Feed};
use crate::operations::calendar_token::{self, Draft, NewToken};
use crate::operations::run::Reply;
use crate::store::calendar_token::CalendarToken;

const ICALENDAR: &str = "text/calendar";

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/calendar.ics",
            Action::InstrumentCalendarGet,
            "When an instrument is busy and closed, never by whom, as a calendar to subscribe to; unknown parameters are ignored",
            of_instrument,
        )
        .has_etag(true)
        .answers_file(ICALENDAR),
        get(
            "/calendars/{token}.ics",
            Action::CalendarGet,
            "The bookings of a calendar token; 404 once it is revoked; unknown parameters are ignored",
            of_token,
        )
        .ignores_caller()
        .has_etag(true)
        .answers_file(ICALENDAR),
        get(
            "/calendar-tokens",
            Action::CalendarTokenList,
            "Your calendar tokens",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<CalendarTokenShape>>(200),
        post(
            "/calendar-tokens",
            Action::CalendarTokenCreate,
            "Make a calendar token; its address is shown once",
            create,
        )
        .takes::<CalendarTokenBody>()
        .answers::<NewCalendarTokenShape>(201),
        delete(
            "/calendar-tokens/{id}",
            Action::CalendarTokenRevoke,
            "End a calendar token",
            revoke,
        )
        .ignores_version()
        .answers_status(204),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CalendarTokenBody {
    /// Which program it is for; the calendar is called so.
    name: String,
    kind: FeedKind,
}

#[derive(Serialize, ToSchema)]
struct CalendarTokenShape {
    id: CalendarTokenId,
    name: String,
    kind: FeedKind,
    created_at: Instant,
}

#[derive(Serialize, ToSchema)]
struct NewCalendarTokenShape {
    /// Where to subscribe; `null` when the request is repeated under its idempotency key: it is shown once.
    url: Option<String>,
    #[serde(flatten)]
    token: CalendarTokenShape,
}

impl From<CalendarToken> for CalendarTokenShape {
    fn from(token: CalendarToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            kind: token.kind,
            created_at: token.created_at,
        }
    }
}

impl From<CalendarTokenBody> for Draft {
    fn from(body: CalendarTokenBody) -> Self {
        Self {
            name: body.name,
            kind: body.kind,
        }
    }
}

async fn of_instrument(context: RequestContext) -> Answer {
    let (reader, id) = (context.reader(), context.id("id")?);
    let feed = calendar_feed::of_instrument(&context.app, &reader, id).await?;
    Ok(written(&context, &feed))
}

async fn of_token(context: RequestContext) -> Answer {
    let secret: String = context.id("token")?;
    let hash = token::hash(&secret);
    let feed = calendar_feed::of_token(&context.app, hash, context.now).await?;
    Ok(written(&context, &feed))
}

/// Its tag is the digest of what it says.
fn written(context: &RequestContext, feed: &Feed) -> HttpResponse {
    let url = &context.app.config.public_url;
    let text = icalendar::write(feed, url, context.language);
    let tag = format!("\"{}\"", token::hash(&text));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8"))
        .insert_header((ETAG, tag))
        .body(text)
}

async fn list(context: RequestContext) -> Answer {
    let tokens = calendar_token::list(&context.app, &context.reader(), context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(
        tokens,
        limit,
        |token| token.id,
        CalendarTokenShape::from,
    )?)
}

async fn create(context: RequestContext) -> Answer {
    let draft = context.body::<CalendarTokenBody>().map(Into::into);
    let done = calendar_token::create(&context.run(created)?, draft).await?;
    context.answer(done, created)
}

fn created(new: &NewToken) -> Result<Reply, AppError> {
    let shape = |url| NewCalendarTokenShape {
        url,
        token: new.token.clone().into(),
    };
    let reply = reply_once(201, &shape(Some(new.url.clone())), &shape(None))?;
    Ok(reply.at(format!("{BASE}/calendar-tokens/{}", new.token.id)))
}

async fn revoke(context: RequestContext) -> Answer {
    let (run, id) = (context.run(no_content)?, context.id("id")?);
    let done = calendar_token::revoke(&run, id, context.no_body()).await?;
    context.answer(done, no_content)
}
