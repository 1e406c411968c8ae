//! API keys: made by a unit's administrator, for no more than it may do itself. The secret is shown once.

use crate::app::App;
use crate::app::token;
use crate::domain::access::{Action, ApiScope, Caller};
use crate::domain::fault::{Faults, FieldFault};
use crate::domain::{ApiKeyId, Instant, Minutes, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{perform, personal};
use crate::operations::session::API_KEY_PREFIX;
use crate::store::api_key::{ApiKey, NewApiKey};
use crate::store::event::Subject;
use crate::store::{self, Conn};

/// A key holds for ten years at most, as the settings allow.
const DAYS_MAX: i64 = 3650;

/// So many characters of the secret are shown later, so that its owner recognizes it.
const HINT_CHARS: usize = 4;

/// A key to make.
#[derive(Debug, Clone)]
pub struct KeyDraft {
    pub name: String,
    pub scopes: Vec<ApiScope>,
    /// `None`: as long as the settings say.
    pub expires_at: Option<Instant>,
}

/// Makes a key. Its secret comes beside it, once: not again when the request is repeated.
pub async fn create(
    app: &App,
    actor: Actor,
    draft: KeyDraft,
) -> Result<(ApiKey, Option<String>), AppError> {
    let usual = actor.now.plus(days(i64::from(app.config.api_key_days)));
    let expires_at = draft.expires_at.unwrap_or(usual);
    check(actor.caller()?, &draft, (actor.now, expires_at))?;
    let secret = token::random_token(API_KEY_PREFIX);
    let hidden = secret.chars().count().saturating_sub(HINT_CHARS);
    let new = NewApiKey {
        organization_id: actor.caller()?.organization_id,
        user_id: actor.caller()?.user_id,
        name: draft.name,
        hint: secret.chars().skip(hidden).collect(),
        secret_hash: token::hash(&secret),
        scopes: draft.scopes,
        created_at: actor.now,
        expires_at,
    };
    let asked = actor.clone();
    let key = perform(app, &actor, move |tx| {
        let id = store::api_key::insert(tx, &new)?;
        let key = store::api_key::get(tx, id)?;
        let event = asked
            .event(Action::ApiKeyCreate, Subject::new("api_key", id))
            .of(new.organization_id, None)
            .after(serde_json::json!({"user_id": key.user_id, "scopes": key.scopes, "expires_at": key.expires_at}))?
            .personal(personal(&key.name)?);
        store::event::append(tx, &event)?;
        Ok(key)
    })
    .await?;
    Ok((key, actor.is_first().then_some(secret)))
}

fn check(
    caller: &Caller,
    draft: &KeyDraft,
    (now, expires_at): (Instant, Instant),
) -> Result<(), AppError> {
    let mut faults = Faults::new();
    faults.text("name", &draft.name, 100);
    if draft.scopes.is_empty() {
        faults.push(FieldFault::required("scopes"));
    }
    let foreign = draft
        .scopes
        .iter()
        .filter(|scope| !may_grant(caller, **scope));
    faults.extend(
        foreign.map(|scope| FieldFault::new("scopes", "scope_not_grantable").actual(scope)),
    );
    let last = now.plus(days(DAYS_MAX));
    if expires_at <= now || expires_at > last {
        let limit = format!("{now}..{last}");
        faults.push(
            FieldFault::new("expires_at", "out_of_range")
                .limit(limit)
                .actual(expires_at),
        );
    }
    Ok(faults.into_result()?)
}

/// Whether some action of the scope is the caller's own to do.
fn may_grant(caller: &Caller, scope: ApiScope) -> bool {
    Action::ALL
        .iter()
        .any(|action| action.scope() == Some(scope) && !caller.roles_for(*action).is_empty())
}

fn days(days: i64) -> Minutes {
    Minutes::new(days * 24 * 60)
}

/// 404 unless this is a key of the caller's organization that did not end.
pub async fn find_own(app: &App, caller: &Caller, id: ApiKeyId) -> Result<(), AppError> {
    let own = caller.organization_id;
    let find = move |conn: &mut Conn| get_own(conn, own, id).map(|_| ());
    app.store.read(find).await
}

fn get_own(conn: &mut Conn, own: OrganizationId, id: ApiKeyId) -> Result<ApiKey, AppError> {
    let key = store::api_key::get(conn, id)?;
    if key.organization_id != own || key.revoked_at.is_some() {
        return Err(AppError::NotFound);
    }
    Ok(key)
}

/// Ends a key of the caller's organization; a key that ended already is none.
pub async fn revoke(app: &App, actor: Actor, id: ApiKeyId) -> Result<(), AppError> {
    perform(app, &actor.clone(), move |tx| {
        let own = actor.caller()?.organization_id;
        get_own(tx, own, id)?;
        store::api_key::update_key_revoked(tx, id, actor.now)?;
        let event = actor
            .event(Action::ApiKeyRevoke, Subject::new("api_key", id))
            .of(own, None);
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}
