//! Policy packs in the database: found by code, created, shipped, and the one in force for registrations. What a pack may
//! say is decided by `domain::policy`.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::policy::{self, Policy, PolicyMistake};
use crate::domain::{Instant, PolicyId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::policy_pack;
use crate::operations::run::{Outcome, Run, may};
use crate::store::event::{self, Subject};
use crate::store::policy::{NewPack, Pack};
use crate::store::{self, Conn, Constraint, StoreError};

/// The pack a name means: `code` is its newest version, `code@version` that one.
pub fn find(conn: &mut Conn, name: &str) -> Result<Option<Pack>, StoreError> {
    let (code, version) = match name.split_once('@') {
        None => (name, None),
        Some((code, version)) => match version.parse() {
            Ok(version) => (code, Some(version)),
            Err(_) => return Ok(None),
        },
    };
    store::policy::find_version(conn, code, version)
}

/// The pack a body names; 422 `unknown_reference` when there is none.
pub fn get_named(conn: &mut Conn, name: &str) -> Result<Pack, AppError> {
    find(conn, name)?.ok_or_else(|| {
        let fault = Fault::field("policy", Code::unknown_reference).actual(name);
        AppError::Refused(vec![fault])
    })
}

/// What a stored pack says. It was checked when it came in.
pub fn open(pack: &Pack) -> Result<Policy, AppError> {
    policy_pack::read(&pack.content).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        AppError::internal(format!(
            "policy {}@{} cannot be read: {}",
            pack.code,
            pack.version,
            mistakes.join("; ")
        ))
    })
}

/// The policy in force for registrations: `active_policy` is the setting of that name.
pub fn active(conn: &mut Conn, active_policy: &str) -> Result<Policy, AppError> {
    match find(conn, active_policy)? {
        Some(pack) => open(&pack),
        None => Err(AppError::unavailable(format!(
            "the active policy {active_policy} is not installed; `yiqi seed` installs the shipped ones"
        ))),
    }
}

/// The packs, oldest first. `page` (after which, how many) may be a fault of the request.
pub async fn list(
    app: &App,
    actor: &Actor,
    page: Result<(Option<PolicyId>, i64), AppError>,
) -> Result<Vec<Pack>, AppError> {
    may(actor, Action::PolicyList)?;
    let (after, limit) = page?;
    let list = move |conn: &mut Conn| store::policy::list(conn, after, limit);
    app.store.read(list).await.map_err(AppError::from)
}

pub async fn get(
    app: &App,
    actor: &Actor,
    id: Result<PolicyId, AppError>,
) -> Result<Pack, AppError> {
    may(actor, Action::PolicyGet)?;
    let id = id?;
    let get = move |conn: &mut Conn| store::policy::get(conn, id);
    app.store.read(get).await.map_err(AppError::from)
}

/// Every mistake of a pack's text.
pub fn check(
    actor: &Actor,
    content: Result<String, AppError>,
) -> Result<Vec<PolicyMistake>, AppError> {
    may(actor, Action::PolicyCheck)?;
    Ok(policy_pack::read(&content?).err().unwrap_or_default())
}

/// Stores a pack. Every mistake in it is told (422); a version that exists is 409 `policy_version_exists`.
pub async fn create(run: &Run<Pack>, content: Result<String, AppError>) -> Outcome<Pack> {
    // A pack is not read for who may not store one.
    may(&run.actor, run.action)?;
    let new = content.and_then(|content| new_pack(content, &run.actor));
    run.with(new, |tx, actor, new| insert(tx, new, actor)).await
}

/// Stores the packs that ship with the program, those that are not there yet.
pub async fn install_shipped(app: &App, now: Instant) -> Result<(), AppError> {
    let actor = Actor::system(now);
    let new = new_pack(policy_pack::HEBEI_2026.to_owned(), &actor);
    let run = Run::direct(app, &actor, Action::PolicyCreate);
    let done = run.with(new, |tx, actor, new| {
        let known = store::policy::find_version(tx, &new.code, Some(new.version))?;
        match known {
            Some(_) => Ok(()),
            None => insert(tx, new, actor).map(|_| ()),
        }
    });
    done.await?.now()
}

fn new_pack(content: String, actor: &Actor) -> Result<NewPack, AppError> {
    let policy = policy_pack::read(&content).map_err(refusal)?;
    Ok(NewPack {
        code: policy.code,
        version: policy.version,
        title: policy.title,
        digest: policy::digest(&content),
        content,
        created_at: actor.now,
        created_by: actor.user_id(),
    })
}

fn insert(tx: &mut Conn, new: &NewPack, actor: &Actor) -> Result<Pack, AppError> {
    let id = store::policy::insert(tx, new).map_err(|error| match error {
        StoreError::Violated(Constraint::PolicyVersion) => {
            AppError::conflict(Code::policy_version_exists)
        }
        other => other.into(),
    })?;
    let after =
        serde_json::json!({ "code": new.code, "version": new.version, "digest": new.digest });
    let event = actor.event(Action::PolicyCreate, Subject::new("policy", id));
    event::append(tx, &event.after(after)?)?;
    Ok(store::policy::get(tx, id)?)
}

/// Each mistake with its key as the field, its line as the actual value and its reason as the limit.
fn refusal(mistakes: Vec<PolicyMistake>) -> AppError {
    let faults = mistakes.into_iter().map(|mistake| {
        let fault = match mistake.key.is_empty() {
            true => Fault::request(Code::policy_mistake),
            false => Fault::field(mistake.key, Code::policy_mistake),
        };
        fault.actual(mistake.line).limit(mistake.reason)
    });
    AppError::Refused(faults.collect())
}
