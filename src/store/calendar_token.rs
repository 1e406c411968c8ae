//! Tokens of calendar programs: stored hashed; one that was ended is not there any more.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::calendar_token;
use super::{Conn, Result};
use crate::domain::calendar_feed::FeedKind;
use crate::domain::{CalendarTokenId, Instant, UserId};

/// A token without its secret.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = calendar_token)]
pub struct CalendarToken {
    pub id: CalendarTokenId,
    pub user_id: UserId,
    pub name: String,
    pub kind: FeedKind,
    pub created_at: Instant,
}

/// A token to make.
#[derive(Debug, Clone)]
pub struct NewCalendarToken {
    pub user_id: UserId,
    pub name: String,
    pub kind: FeedKind,
    pub token_hash: String,
    pub created_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewCalendarToken) -> Result<CalendarTokenId> {
    Ok(diesel::insert_into(calendar_token::table)
        .values((
            calendar_token::user_id.eq(new.user_id),
            calendar_token::name.eq(&new.name),
            calendar_token::kind.eq(new.kind),
            calendar_token::token_hash.eq(&new.token_hash),
            calendar_token::created_at.eq(new.created_at),
        ))
        .returning(calendar_token::id)
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: CalendarTokenId) -> Result<CalendarToken> {
    Ok(calendar_token::table
        .find(id)
        .select(CalendarToken::as_select())
        .get_result(conn)?)
}

pub fn find_by_hash(conn: &mut Conn, hash: &str) -> Result<Option<CalendarToken>> {
    Ok(calendar_token::table
        .filter(calendar_token::token_hash.eq(hash))
        .select(CalendarToken::as_select())
        .get_result(conn)
        .optional()?)
}

/// A person's tokens, after an id.
pub fn list_of(
    conn: &mut Conn,
    user: UserId,
    after: Option<CalendarTokenId>,
    limit: i64,
) -> Result<Vec<CalendarToken>> {
    let tokens = calendar_token::table
        .filter(calendar_token::user_id.eq(user))
        .select(CalendarToken::as_select())
        .order(calendar_token::id)
        .limit(limit)
        .into_boxed();
    let tokens = match after {
        Some(after) => tokens.filter(calendar_token::id.gt(after)),
        None => tokens,
    };
    Ok(tokens.load(conn)?)
}

pub fn count_of(conn: &mut Conn, user: UserId) -> Result<i64> {
    Ok(calendar_token::table
        .filter(calendar_token::user_id.eq(user))
        .count()
        .get_result(conn)?)
}

pub fn delete(conn: &mut Conn, id: CalendarTokenId) -> Result<()> {
    diesel::delete(calendar_token::table.find(id)).execute(conn)?;
    Ok(())
}
