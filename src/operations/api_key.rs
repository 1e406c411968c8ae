//! API keys: made by a unit's administrator, for no more than it may do itself. The secret is shown once.

use std::collections::BTreeMap;
use std::sync::MutexGuard;

use serde_json::json;

use crate::app::App;
use crate::app::token;
use crate::domain::access::{Action, ApiScope, Caller};
use crate::domain::fault::Faults;
use crate::domain::{ApiKeyId, Instant, Minutes};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may, personal, work};
use crate::operations::session::API_KEY_PREFIX;
use crate::operations::subject::{self, Ties};
use crate::store::api_key::{ApiKey, NewApiKey};
use crate::store::event::Subject;
use crate::store::{self, Conn};

/// A key holds for ten years at most, as the settings allow.
const DAYS_MAX: i64 = 3650;

/// So many characters of the secret are shown later, so that its owner recognizes it.
const HINT_CHARS: usize = 4;

/// So many characters of what is no scope are told back.
const SHOWN_MAX: usize = 100;

/// A key to make.
#[derive(Debug, Clone)]
pub struct KeyDraft {
    pub name: String,
    /// As they were typed: a word that is no scope is nobody's to grant.
    pub scopes: Vec<String>,
    /// `None`: as long as the settings say.
    pub expires_at: Option<Instant>,
}

/// A key that was made, with its secret, which is shown once.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub key: ApiKey,
    pub secret: String,
}

/// Makes a key.
pub async fn create(run: &Run<NewKey>, draft: Result<KeyDraft, AppError>) -> Outcome<NewKey> {
    let usual = days(i64::from(run.app.config.api_key_days));
    let secret = token::random_token(API_KEY_PREFIX);
    let most = i64::from(run.app.config.api_keys_max);
    run.with(draft, move |tx, actor, draft| {
        let caller = actor.caller()?;
        let expires_at = draft.expires_at.unwrap_or(actor.now.plus(usual));
        let scopes = check(caller, draft, (actor.now, expires_at))?;
        let held = store::api_key::count_open(tx, caller.user_id, actor.now)?;
        if held >= most {
            return Err(AppError::conflict(Code::too_many_keys).with("limit", most));
        }
        let hidden = secret.chars().count().saturating_sub(HINT_CHARS);
        let new = NewApiKey {
            organization_id: caller.organization_id,
            user_id: caller.user_id,
            name: draft.name.clone(),
            hint: secret.chars().skip(hidden).collect(),
            secret_hash: token::hash(&secret),
            scopes: scopes.clone(),
            created_at: actor.now,
            expires_at,
        };
        let id = store::api_key::insert(tx, &new)?;
        let key = store::api_key::get(tx, id)?;
        let event = actor
            .event(Action::ApiKeyCreate, Subject::new("api_key", id))
            .of(new.organization_id, None)
            .after(
                json!({"user_id": key.user_id, "scopes": key.scopes, "expires_at": key.expires_at}),
            )?
            .personal(personal(&key.name)?);
        store::event::append(tx, &event)?;
        Ok(NewKey {
            key,
            secret: secret.clone(),
        })
    })
    .await
}

/// The scopes asked for, when the caller may grant each of them.
fn check(
    caller: &Caller,
    draft: &KeyDraft,
    (now, expires_at): (Instant, Instant),
) -> Result<Vec<ApiScope>, AppError> {
    let mut faults = Faults::new();
    faults.text("name", &draft.name, 100);
    if draft.scopes.is_empty() {
        faults.push(Fault::required("scopes"));
    }
    let (mut scopes, own) = (Vec::new(), grantable(caller));
    for word in &draft.scopes {
        match own.iter().find(|scope| scope.as_str() == word) {
            Some(scope) => scopes.push(*scope),
            None => faults.push(not_grantable(word, &own)),
        }
    }
    let last = now.plus(days(DAYS_MAX));
    if expires_at <= now || expires_at > last {
        let limit = format!("{now}..{last}");
        faults.push(
            Fault::field("expires_at", Code::out_of_range)
                .limit(limit)
                .actual(expires_at),
        );
    }
    faults.into_result()?;
    Ok(scopes)
}

fn not_grantable(word: &str, own: &[ApiScope]) -> Fault {
    let own: Vec<_> = own.iter().map(|scope| scope.as_str()).collect();
    let typed: String = word.chars().take(SHOWN_MAX).collect();
    let fault = Fault::field("scopes", Code::scope_not_grantable);
    fault.limit(own.join(" | ")).actual(typed)
}

/// The scopes of which some action is the caller's own to do.
fn grantable(caller: &Caller) -> Vec<ApiScope> {
    let own = |scope: &ApiScope| {
        let mut of_scope = Action::ALL
            .iter()
            .filter(|action| action.scope() == Some(*scope));
        of_scope.any(|action| !caller.roles_for(*action).is_empty())
    };
    ApiScope::ALL.iter().copied().filter(own).collect()
}

/// Keeps in mind that a key was used; [`write_uses`] writes it down.
pub fn note_use(app: &App, id: ApiKeyId, now: Instant) {
    uses(app).insert(id, now);
}

/// Writes down when keys were used; answers how many. What cannot be written now is kept for the next time.
pub async fn write_uses(app: &App) -> Result<usize, AppError> {
    let noted = std::mem::take(&mut *uses(app));
    if noted.is_empty() {
        return Ok(0);
    }
    let used = noted.clone();
    let written = work(app, move |tx| {
        for (id, now) in &used {
            store::session::update_key_used(tx, *id, *now)?;
        }
        Ok(used.len())
    });
    let written = written.await;
    if written.is_err() {
        let mut newer = uses(app);
        for (id, now) in noted {
            newer.entry(id).or_insert(now);
        }
    }
    written
}

fn uses(app: &App) -> MutexGuard<'_, BTreeMap<ApiKeyId, Instant>> {
    let uses = app.key_uses.lock();
    uses.unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn days(days: i64) -> Minutes {
    Minutes::new(days * 24 * 60)
}

/// A key of the caller's organization that did not end; every other one does not exist.
impl subject::Subject for ApiKey {
    type Id = ApiKeyId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: ApiKeyId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: ApiKeyId) -> Result<Self, AppError> {
        let key = store::api_key::get(conn, id)?;
        let is_own = key.organization_id == actor.caller()?.organization_id;
        match is_own && key.revoked_at.is_none() {
            true => Ok(key),
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

/// The keys of the caller's organization: after an id, at most so many.
pub async fn list(
    app: &App,
    actor: &Actor,
    page: Result<(Option<ApiKeyId>, i64), AppError>,
) -> Result<Vec<ApiKey>, AppError> {
    may(actor, Action::ApiKeyList)?;
    let (own, (after, limit)) = (actor.caller()?.organization_id, page?);
    let list = move |conn: &mut Conn| store::api_key::list_of(conn, own, after, limit);
    Ok(app.store.read(list).await?)
}

/// Ends a key of the caller's organization; a key that ended already is none.
pub async fn revoke(run: &Run<()>, id: ApiKeyId, body: Result<(), AppError>) -> Outcome<()> {
    run.on(id, body, |tx, actor, key: ApiKey, ()| {
        store::api_key::update_key_revoked(tx, key.id, actor.now)?;
        let event = actor
            .event(Action::ApiKeyRevoke, Subject::new("api_key", key.id))
            .of(key.organization_id, None);
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}
