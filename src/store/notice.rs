//! Notices: who was told of which event, once for each request, type and recipient, and whether they read it.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::bulk::insert_all;
use super::schema::notice;
use super::{Conn, Result};
use crate::domain::{EventId, Instant, NoticeId, UserId};

/// A notice to write.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = notice, treat_none_as_default_value = false)]
pub struct NewNotice {
    pub recipient_user_id: UserId,
    /// Its type: the action that is told.
    pub action: String,
    pub subject_type: String,
    pub subject_id: i64,
    pub event_id: EventId,
    pub request_id: Option<String>,
    /// When it happened.
    pub created_at: Instant,
}

/// A notice as its recipient sees it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = notice)]
pub struct Notice {
    pub id: NoticeId,
    pub action: String,
    pub subject_type: String,
    pub subject_id: i64,
    pub event_id: EventId,
    pub created_at: Instant,
    pub read_at: Option<Instant>,
}

/// What a request tells one person of one action; the moment keeps requests apart for which a client chose one id.
type Once = (UserId, String, Option<String>, Instant);

/// Writes the notices of events, in order; of each request, type and recipient the first. Answers how many.
pub fn insert(conn: &mut Conn, notices: Vec<NewNotice>) -> Result<usize> {
    let requests: BTreeSet<&str> = notices
        .iter()
        .filter_map(|new| new.request_id.as_deref())
        .collect();
    let requests: Vec<&str> = requests.into_iter().collect();
    let known: Vec<Once> = notice::table
        .filter(notice::request_id.eq_any(requests))
        .select((
            notice::recipient_user_id,
            notice::action,
            notice::request_id,
            notice::created_at,
        ))
        .load(conn)?;
    let mut known: BTreeSet<Once> = known.into_iter().collect();
    let events: BTreeSet<EventId> = notices.iter().map(|new| new.event_id).collect();
    let told: Vec<(EventId, UserId)> = notice::table
        .filter(notice::event_id.eq_any(events))
        .select((notice::event_id, notice::recipient_user_id))
        .load(conn)?;
    let told: BTreeSet<(EventId, UserId)> = told.into_iter().collect();
    let mut fresh = notices;
    fresh.retain(|new| {
        let once = (
            new.recipient_user_id,
            new.action.clone(),
            new.request_id.clone(),
            new.created_at,
        );
        let is_told = told.contains(&(new.event_id, new.recipient_user_id));
        !is_told && (new.request_id.is_none() || known.insert(once))
    });
    let count = fresh.len();
    insert_all!(conn, notice::table, &fresh);
    Ok(count)
}

/// Which notices of a person to list. Empty means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub below: Option<NoticeId>,
    pub unread: Option<bool>,
    pub actions: Vec<String>,
    pub limit: i64,
}

/// A person's notices, the newest first.
pub fn list(conn: &mut Conn, recipient: UserId, filter: &Filter) -> Result<Vec<Notice>> {
    let mut query = notice::table
        .filter(notice::recipient_user_id.eq(recipient))
        .select(Notice::as_select())
        .order(notice::id.desc())
        .limit(filter.limit)
        .into_boxed();
    if let Some(below) = filter.below {
        query = query.filter(notice::id.lt(below));
    }
    query = match filter.unread {
        Some(true) => query.filter(notice::read_at.is_null()),
        Some(false) => query.filter(notice::read_at.is_not_null()),
        None => query,
    };
    if !filter.actions.is_empty() {
        query = query.filter(notice::action.eq_any(&filter.actions));
    }
    Ok(query.load(conn)?)
}

/// Which of a person's notices.
#[derive(Debug, Clone)]
pub enum Selection {
    These(Vec<NoticeId>),
    /// This one and every older one.
    Until(NoticeId),
}

/// Marks a person's unread notices as read; others' are nothing to this. Answers how many were unread.
pub fn update_read(
    conn: &mut Conn,
    recipient: UserId,
    selection: &Selection,
    now: Instant,
) -> Result<usize> {
    let unread = notice::table
        .filter(notice::recipient_user_id.eq(recipient))
        .filter(notice::read_at.is_null());
    let read = notice::read_at.eq(now);
    Ok(match selection {
        Selection::These(ids) => diesel::update(unread.filter(notice::id.eq_any(ids)))
            .set(read)
            .execute(conn)?,
        Selection::Until(last) => diesel::update(unread.filter(notice::id.le(*last)))
            .set(read)
            .execute(conn)?,
    })
}

/// Forgets what happened before a moment.
pub fn delete_before(conn: &mut Conn, before: Instant) -> Result<usize> {
    Ok(diesel::delete(notice::table.filter(notice::created_at.lt(before))).execute(conn)?)
}
