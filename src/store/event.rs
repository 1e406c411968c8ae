//! The one trail: insert-only events and the personal texts beside them, written in the transaction of the action they tell.
//! Whatever follows from an event is a consumer's.

mod page;

use diesel::prelude::*;
use serde::Serialize;
use serde_json::Value;

pub use page::{Filter, list};

use super::prepared::on_each;
use super::schema::{event, event_personal};
use super::{Conn, Json, Result};
use crate::domain::access::{Action, SubjectType};
use crate::domain::{ApiKeyId, EventId, Instant, OrganizationId, UserId};

/// What an event is about: a noun and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    pub kind: &'static str,
    pub id: i64,
}

impl Subject {
    /// `kind` is a word of [`SubjectType`].
    pub fn new(kind: &'static str, id: impl Into<i64>) -> Self {
        debug_assert!(kind.parse::<SubjectType>().is_ok(), "{kind}");
        Self {
            kind,
            id: id.into(),
        }
    }
}

/// An event to append. `before` and `after` name people by id only; names, addresses and free text go to `personal`.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub happened_at: Instant,
    pub action: Action,
    pub subject: Subject,
    pub actor_user_id: Option<UserId>,
    pub actor_api_key_id: Option<ApiKeyId>,
    pub actor_organization_id: Option<OrganizationId>,
    /// The organizations whose own event this is: they may read it.
    pub organization_id: Option<OrganizationId>,
    pub counterpart_organization_id: Option<OrganizationId>,
    pub request_id: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub personal: Option<Personal>,
}

/// Erasable text of an event: the salt keeps its digest from being guessed.
#[derive(Debug, Clone)]
pub struct Personal {
    pub salt: String,
    pub content: String,
    pub digest: String,
}

impl NewEvent {
    pub fn new(happened_at: Instant, action: Action, subject: Subject) -> Self {
        Self {
            happened_at,
            action,
            subject,
            actor_user_id: None,
            actor_api_key_id: None,
            actor_organization_id: None,
            organization_id: None,
            counterpart_organization_id: None,
            request_id: None,
            before: None,
            after: None,
            personal: None,
        }
    }

    /// The organizations that may read it.
    pub fn of(mut self, organization: OrganizationId, counterpart: Option<OrganizationId>) -> Self {
        self.organization_id = Some(organization);
        self.counterpart_organization_id = counterpart.filter(|other| *other != organization);
        self
    }

    pub fn before(mut self, before: impl Serialize) -> Result<Self> {
        self.before = Some(serde_json::to_value(before)?);
        Ok(self)
    }

    pub fn after(mut self, after: impl Serialize) -> Result<Self> {
        self.after = Some(serde_json::to_value(after)?);
        Ok(self)
    }

    pub fn personal(mut self, personal: Personal) -> Self {
        self.personal = Some(personal);
        self
    }
}

fn text(value: &Option<Value>) -> Option<String> {
    value.as_ref().map(Value::to_string)
}

/// Appends the event; its id names the version of whatever it changed.
pub fn append(conn: &mut Conn, new: &NewEvent) -> Result<EventId> {
    let row = diesel::insert_into(event::table)
        .values((
            event::happened_at.eq(new.happened_at),
            event::action.eq(new.action.as_str()),
            event::subject_type.eq(new.subject.kind),
            event::subject_id.eq(new.subject.id),
            event::actor_user_id.eq(new.actor_user_id),
            event::actor_api_key_id.eq(new.actor_api_key_id),
            event::actor_organization_id.eq(new.actor_organization_id),
            event::organization_id.eq(new.organization_id),
            event::counterpart_organization_id.eq(new.counterpart_organization_id),
            event::request_id.eq(new.request_id.as_deref()),
            event::before.eq(text(&new.before)),
            event::after.eq(text(&new.after)),
            event::personal_digest.eq(new
                .personal
                .as_ref()
                .map(|personal| personal.digest.as_str())),
        ))
        .returning(event::id);
    let id: EventId = on_each!(conn, |own| row.get_result(own))?;
    if let Some(personal) = &new.personal {
        diesel::insert_into(event_personal::table)
            .values((
                event_personal::event_id.eq(id),
                event_personal::salt.eq(&personal.salt),
                event_personal::content.eq(&personal.content),
            ))
            .execute(conn)?;
    }
    Ok(id)
}

/// One event of the trail.
#[derive(Debug, Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = event)]
pub struct Event {
    pub id: EventId,
    pub happened_at: Instant,
    pub action: String,
    pub subject_type: String,
    pub subject_id: i64,
    pub actor_user_id: Option<UserId>,
    pub actor_api_key_id: Option<ApiKeyId>,
    pub actor_organization_id: Option<OrganizationId>,
    pub organization_id: Option<OrganizationId>,
    pub counterpart_organization_id: Option<OrganizationId>,
    pub request_id: Option<String>,
    pub before: Option<Json<Value>>,
    pub after: Option<Json<Value>>,
}

/// The newest event, which names a state of everything.
pub fn newest(conn: &mut Conn) -> Result<Option<EventId>> {
    Ok(event::table
        .select(event::id)
        .order(event::id.desc())
        .first(conn)
        .optional()?)
}
