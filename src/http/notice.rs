//! `/notices`: what the caller was told, and what of it is read.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content};
use super::context::RequestContext;
use super::route::{Route, get, post};
use crate::domain::access::Action;
use crate::domain::{EventId, Instant, NoticeId};
use crate::error::{AppError, Code, Fault};
use crate::operations::notice;
use crate::store::notice::{Filter, Notice, Selection};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/notices",
            Action::NoticeList,
            "What the caller was told, the newest first",
            list,
        )
        .parameters(&["unread", "type", "limit", "cursor"])
        .words::<Action>("type")
        .answers::<Page<NoticeShape>>(200),
        post(
            "/notices/read",
            Action::NoticeMarkRead,
            "Mark notices as read, by their ids or up to one of them",
            mark_read,
        )
        .takes::<ReadBody>()
        .needs_body()
        .answers_status(204),
    ]
}

/// One thing that happened and concerns the caller.
#[derive(Serialize, ToSchema)]
struct NoticeShape {
    id: NoticeId,
    /// The action that is told, as in `/events`.
    #[serde(rename = "type")]
    action: String,
    subject_type: String,
    subject_id: i64,
    event_id: EventId,
    /// When it happened.
    created_at: Instant,
    read_at: Option<Instant>,
}

impl From<Notice> for NoticeShape {
    fn from(notice: Notice) -> Self {
        Self {
            id: notice.id,
            action: notice.action,
            subject_type: notice.subject_type,
            subject_id: notice.subject_id,
            event_id: notice.event_id,
            created_at: notice.created_at,
            read_at: notice.read_at,
        }
    }
}

/// One of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReadBody {
    /// At most 200.
    ids: Option<Vec<NoticeId>>,
    /// This one and every older one.
    until_id: Option<NoticeId>,
}

impl ReadBody {
    fn selection(self) -> Result<Selection, AppError> {
        match (self.ids, self.until_id) {
            (Some(ids), None) => Ok(Selection::These(ids)),
            (None, Some(last)) => Ok(Selection::Until(last)),
            (None, None) => Err(AppError::Refused(vec![Fault::field("ids", Code::required)])),
            (Some(_), Some(_)) => {
                let fault = Fault::field("until_id", Code::invalid_value);
                Err(AppError::Refused(vec![fault.limit("ids or until_id")]))
            }
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let notices = notice::list(&context.app, &context.reader(), filter(&context)).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(
        notices,
        limit,
        |notice| notice.id,
        NoticeShape::from,
    )?)
}

fn filter(context: &RequestContext) -> Result<Filter, AppError> {
    let params = context.params()?;
    let actions = params.all::<Action>("type")?.into_iter();
    Ok(Filter {
        below: params.cursor()?,
        unread: params.one("unread")?,
        actions: actions.map(|action| action.to_string()).collect(),
        limit: params.limit()? + 1,
    })
}

async fn mark_read(context: RequestContext) -> Answer {
    let selection = context.body().and_then(ReadBody::selection);
    let done = notice::mark_read(&context.run(no_content)?, selection).await?;
    context.answer(done, no_content)
}
