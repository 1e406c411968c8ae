//! Tokens by which calendar programs read a person's bookings: made and ended by the person, shown once.

use serde_json::json;

use crate::app::App;
use crate::app::token;
use crate::domain::CalendarTokenId;
use crate::domain::access::Action;
use crate::domain::calendar_feed::FeedKind;
use crate::domain::fault::Faults;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may, personal};
use crate::operations::subject::{self, Ties};
use crate::store::Conn;
use crate::store::calendar_token::{self as rows, CalendarToken, NewCalendarToken};
use crate::store::event::{self, Subject};

/// Where calendars are read by a token: what follows stands in no log.
pub const FEEDS: &str = "/api/v1/calendars/";

/// So many a person has at most.
const TOKENS_MAX: i64 = 20;

#[derive(Debug, Clone)]
pub struct Draft {
    pub name: String,
    pub kind: FeedKind,
}

/// A token that was made, with the address that it opens, which is shown once.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub token: CalendarToken,
    pub url: String,
}

/// Makes a token. 409 `too_many_keys` beyond twenty.
pub async fn create(run: &Run<NewToken>, draft: Result<Draft, AppError>) -> Outcome<NewToken> {
    let secret = token::random_token("");
    let service = run.app.config.public_url.trim_end_matches('/');
    let url = format!("{service}{FEEDS}{secret}.ics");
    run.with(draft, move |tx, actor, draft| {
        let user_id = actor.caller()?.user_id;
        let mut faults = Faults::new();
        faults.text("name", &draft.name, 100);
        faults.into_result()?;
        if rows::count_of(tx, user_id)? >= TOKENS_MAX {
            return Err(AppError::conflict(Code::too_many_keys).with("limit", TOKENS_MAX));
        }
        let new = NewCalendarToken {
            user_id,
            name: draft.name.clone(),
            kind: draft.kind,
            token_hash: token::hash(&secret),
            created_at: actor.now,
        };
        let id = rows::insert(tx, &new)?;
        let event = actor
            .event(
                Action::CalendarTokenCreate,
                Subject::new("calendar_token", id),
            )
            .of(actor.caller()?.organization_id, None)
            .after(json!({ "user_id": user_id, "kind": new.kind }))?
            .personal(personal(&new.name)?);
        event::append(tx, &event)?;
        Ok(NewToken {
            token: rows::get(tx, id)?,
            url: url.clone(),
        })
    })
    .await
}

/// The person's own tokens.
pub async fn list(
    app: &App,
    actor: &Actor,
    page: Result<(Option<CalendarTokenId>, i64), AppError>,
) -> Result<Vec<CalendarToken>, AppError> {
    may(actor, Action::CalendarTokenList)?;
    let (user, (after, limit)) = (actor.caller()?.user_id, page?);
    let list = move |conn: &mut Conn| rows::list_of(conn, user, after, limit);
    Ok(app.store.read(list).await?)
}

/// Ends a token: whoever still reads by it finds nothing.
pub async fn revoke(run: &Run<()>, id: CalendarTokenId, body: Result<(), AppError>) -> Outcome<()> {
    run.on(id, body, |tx, actor, token: CalendarToken, ()| {
        rows::delete(tx, token.id)?;
        let event = actor
            .event(
                Action::CalendarTokenRevoke,
                Subject::new("calendar_token", token.id),
            )
            .of(actor.caller()?.organization_id, None);
        event::append(tx, &event)?;
        Ok(())
    })
    .await
}

/// A token of the person's own; every other one does not exist.
impl subject::Subject for CalendarToken {
    type Id = CalendarTokenId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: CalendarTokenId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: CalendarTokenId) -> Result<Self, AppError> {
        let token = rows::get(conn, id)?;
        match token.user_id == actor.caller()?.user_id {
            true => Ok(token),
            false => Err(AppError::NotFound),
        }
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        None
    }
}
