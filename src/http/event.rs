//! `/events`: the trail. Auditors and the province see all, organizations their own.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::params::Params;
use super::route::{Route, get};
use crate::domain::access::{Action, SubjectType};
use crate::domain::id::NotAnId;
use crate::domain::{ApiKeyId, EventId, Instant, OrganizationId, UserId};
use crate::error::AppError;
use crate::operations::event;
use crate::store::event::{Event, Filter};
use crate::store::page::Key;

pub fn routes() -> Vec<Route> {
    vec![
        get("/events", Action::EventList, "The trail, in order", list)
            .parameters(&[
                "after",
                "subject_type",
                "subject_id",
                "actor",
                "action",
                "from",
                "until",
                "limit",
                "cursor",
            ])
            .words::<Action>("action")
            .words::<SubjectType>("subject_type")
            .answers::<Page<EventShape>>(200),
    ]
}

/// One event: who did what to which subject, and what changed.
#[derive(Serialize, ToSchema)]
struct EventShape {
    id: EventId,
    happened_at: Instant,
    action: String,
    subject_type: String,
    subject_id: i64,
    actor_user_id: Option<UserId>,
    actor_api_key_id: Option<ApiKeyId>,
    actor_organization_id: Option<OrganizationId>,
    organization_id: Option<OrganizationId>,
    counterpart_organization_id: Option<OrganizationId>,
    request_id: Option<String>,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
}

impl From<Event> for EventShape {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            happened_at: event.happened_at,
            action: event.action,
            subject_type: event.subject_type,
            subject_id: event.subject_id,
            actor_user_id: event.actor_user_id,
            actor_api_key_id: event.actor_api_key_id,
            actor_organization_id: event.actor_organization_id,
            organization_id: event.organization_id,
            counterpart_organization_id: event.counterpart_organization_id,
            request_id: event.request_id,
            before: event.before.map(crate::store::Json::into_inner),
            after: event.after.map(crate::store::Json::into_inner),
        }
    }
}

/// Where to go on: behind an event, or with 0 at the beginning.
struct After(Option<EventId>);

impl std::str::FromStr for After {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text {
            "0" => Ok(After(None)),
            id => id.parse().map(Some).map(After),
        }
    }
}

fn words<T: ToString>(words: Vec<T>) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn filter(params: &Params) -> Result<Filter, AppError> {
    Ok(Filter {
        after: match params.cursor()? {
            Some(last) => Some(last),
            None => params.one::<After>("after")?.and_then(|After(id)| id),
        },
        subject_types: words(params.all::<SubjectType>("subject_type")?),
        subject_ids: params.all("subject_id")?,
        actors: params.all("actor")?,
        actions: words(params.all::<Action>("action")?),
        from: params.one("from")?,
        until: params.one("until")?,
        organization: None,
        limit: params.limit()? + 1,
    })
}

async fn list(context: RequestContext) -> Answer {
    let filter = context.params().and_then(|params| filter(&params));
    let events = event::list(&context.app, &context.reader(), filter).await?;
    let limit = context.params()?.limit()?;
    let id = |event: &Event| event.id;
    let page = Page::cut(events.rows, limit, id, EventShape::from)?;
    context.ok(page.going_on(events.rest.map(Key::id))?)
}
