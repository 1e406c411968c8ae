//! Policy packs in the database: found by code, created, shipped, and the one in force for registrations. What a pack may
//! say is decided by `domain::policy`.

mod state;

use chrono::NaiveDate;

pub use self::state::{delete, put_in_force, update, withdraw};
use crate::app::App;
pub use crate::domain::PolicyId;
use crate::domain::access::Action;
use crate::domain::policy::{self, Policy, PolicyMistake, PolicyState, Value, Values};
use crate::domain::{Instant, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::policy_pack::{self, Difference, Section};
use crate::operations::run::{Outcome, Run, may};
use crate::store::event::{self, Subject};
use crate::store::policy::NewPack;
pub use crate::store::policy::Pack;
use crate::store::{self, Conn, Constraint, StoreError};

/// The pack that a body names: `code@version` is that one, a bare code its version in force on the day. 422 `unknown_reference`
/// when there is none of the name, `policy_not_in_force` when none of the code rules yet, or any more.
pub fn get_named(conn: &mut Conn, name: &str, on: NaiveDate) -> Result<Pack, AppError> {
    let refused = |code| AppError::from(Fault::field("policy", code).actual(name));
    match name.split_once('@') {
        Some((code, version)) => {
            let version = version.parse().ok();
            let find = |version| store::policy::find_version(conn, code, version);
            let pack = version.map(find).transpose()?.flatten();
            pack.ok_or_else(|| refused(Code::unknown_reference))
        }
        None => {
            let in_force = store::policy::list_in_force(conn, Some(name), on)?;
            match in_force.into_iter().next() {
                Some(pack) => Ok(pack),
                None if store::policy::is_known(conn, name)? => {
                    Err(refused(Code::policy_not_in_force))
                }
                None => Err(refused(Code::unknown_reference)),
            }
        }
    }
}

/// The pack that a run of a year names: as [`get_named`] has it, but a bare code is the version in force whose `valid` covers the
/// year. 422 `policy_not_in_force` when none does.
pub fn get_for_year(
    conn: &mut Conn,
    name: &str,
    (year, on): (i32, NaiveDate),
) -> Result<Pack, AppError> {
    let not_valid =
        || AppError::from(Fault::field("policy", Code::policy_not_in_force).actual(name));
    let covers = |pack: &Pack| Ok::<_, AppError>(open(pack)?.year.whole(year).is_ok());
    let named = get_named(conn, name, on)?;
    if covers(&named)? {
        return Ok(named);
    }
    if name.contains('@') {
        return Err(not_valid());
    }
    for pack in store::policy::list_in_force(conn, Some(name), on)? {
        if covers(&pack)? {
            return Ok(pack);
        }
    }
    Err(not_valid())
}

/// What a stored pack says. It was checked when it came in.
pub fn open(pack: &Pack) -> Result<Policy, AppError> {
    open_with(pack, &Values::new())
}

/// The same with values for its parameters.
pub fn open_with(pack: &Pack, given: &Values) -> Result<Policy, AppError> {
    let checked = policy_pack::check(&pack.content, given);
    checked.map(|checked| checked.policy).map_err(|mistakes| {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        AppError::internal(format!(
            "policy {}@{} cannot be read: {}",
            pack.code,
            pack.version,
            mistakes.join("; ")
        ))
    })
}

/// The policy that registrations, duties and figures follow on a day: of those in force that have `[registration]`, the latest.
pub fn active(conn: &mut Conn, on: NaiveDate) -> Result<Policy, AppError> {
    match list_active(conn, on)?.first() {
        Some(pack) => open(pack),
        None => Err(AppError::unavailable(
            "no policy in force has [registration]; `yiqi seed` installs one, `yiqi policy in-force` puts one in force",
        )),
    }
}

/// The same with its digest; `None` where no pack says what is to be registered.
pub fn find_active(conn: &mut Conn, on: NaiveDate) -> Result<Option<(String, Policy)>, AppError> {
    let packs = list_active(conn, on)?;
    let first = packs.first();
    first
        .map(|pack| Ok((pack.digest.clone(), open(pack)?)))
        .transpose()
}

/// The packs in force on a day that have `[registration]`, the latest first.
fn list_active(conn: &mut Conn, on: NaiveDate) -> Result<Vec<Pack>, AppError> {
    let mut in_force = store::policy::list_in_force(conn, None, on)?;
    in_force.retain(|pack| policy_pack::has_registration(&pack.content));
    Ok(in_force)
}

/// The packs, oldest first; drafts for who sees these. `page` (after which, how many) may be a fault of the request.
pub async fn list(
    app: &App,
    actor: &Actor,
    page: Result<(Option<PolicyId>, i64), AppError>,
) -> Result<Vec<Pack>, AppError> {
    may(actor, Action::PolicyList)?;
    let ((after, limit), with_drafts) = (page?, actor.sees_drafts());
    let list = move |conn: &mut Conn| store::policy::list(conn, after, limit, with_drafts);
    app.store.read(list).await.map_err(AppError::from)
}

/// A pack; a draft for who sees these.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: Result<PolicyId, AppError>,
) -> Result<Pack, AppError> {
    may(actor, Action::PolicyGet)?;
    let id = id?;
    let get = move |conn: &mut Conn| store::policy::get(conn, id);
    let pack = app.store.read(get).await.map_err(AppError::from)?;
    match pack.state == PolicyState::Draft && !actor.sees_drafts() {
        true => Err(AppError::NotFound),
        false => Ok(pack),
    }
}

/// A pack that `action` may read, and what it says.
fn read_shown(
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    id: PolicyId,
) -> Result<Policy, AppError> {
    may(actor, action)?;
    let pack = store::policy::get(conn, id)?;
    match pack.state == PolicyState::Draft && !actor.sees_drafts() {
        true => Err(AppError::NotFound),
        false => open(&pack),
    }
}

/// What a pack says, in sentences; of a draft for who sees these.
pub async fn explain(app: &App, actor: &Actor, id: PolicyId) -> Result<Vec<Section>, AppError> {
    let by = actor.clone();
    let explain = move |conn: &mut Conn| {
        let policy = read_shown(conn, &by, Action::PolicyExplain, id)?;
        Ok(policy_pack::explain(&policy))
    };
    app.store.read(explain).await
}

/// What a pack says otherwise than the one `with` names; 422 `unknown_reference` where nobody shows that one.
pub async fn compare(
    app: &App,
    actor: &Actor,
    id: PolicyId,
    with: PolicyId,
) -> Result<Vec<Difference>, AppError> {
    let by = actor.clone();
    let compare = move |conn: &mut Conn| {
        let before = read_shown(conn, &by, Action::PolicyCompare, id)?;
        let after = read_shown(conn, &by, Action::PolicyCompare, with);
        let after = after.map_err(|error| match error {
            AppError::NotFound => Fault::field("with", Code::unknown_reference)
                .actual(with.number())
                .into(),
            other => other,
        })?;
        Ok(policy_pack::differences(&before, &after))
    };
    app.store.read(compare).await
}

/// What of a stored pack is probably wrong, and was accepted.
pub fn warnings(pack: &Pack) -> Vec<PolicyMistake> {
    let checked = policy_pack::check(&pack.content, &Values::new());
    checked.map(|checked| checked.warnings).unwrap_or_default()
}

/// The pack of a name, whatever its state, for the command line: `code@version`, or the version of a code in force.
pub async fn get_by_name(app: &App, name: String) -> Result<Pack, AppError> {
    let today = app.clock.now().local_date();
    let get = move |conn: &mut Conn| get_named(conn, &name, today);
    app.store.read(get).await.map_err(|error| match error {
        AppError::Refused(faults)
            if faults
                .iter()
                .any(|fault| fault.code == Code::unknown_reference) =>
        {
            AppError::NotFound
        }
        other => other,
    })
}

/// The indicators of the pack that registrations follow: the columns of a year's table of points.
pub async fn active_indicators(app: &App) -> Result<Vec<String>, AppError> {
    let today = app.clock.now().local_date();
    let active = move |conn: &mut Conn| active(conn, today);
    let policy = app.store.read(active).await?;
    let indicators = indicators(&policy).into_iter();
    Ok(indicators.map(|(indicator, _)| indicator).collect())
}

/// The indicators that experts give points for, with the most of each.
pub fn indicators(policy: &Policy) -> Vec<(String, String)> {
    let experts = policy
        .scores
        .iter()
        .filter(|score| score.value == Value::Expert);
    experts
        .map(|score| (score.id.clone(), ratio::exact(&score.max)))
        .collect()
}

/// What is wrong with a pack's text, and what of it is whole but probably wrong.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub mistakes: Vec<PolicyMistake>,
    pub warnings: Vec<PolicyMistake>,
}

/// Every mistake of a pack's text, or every warning.
pub fn check(actor: &Actor, content: Result<String, AppError>) -> Result<Found, AppError> {
    may(actor, Action::PolicyCheck)?;
    Ok(match policy_pack::check(&content?, &Values::new()) {
        Ok(checked) => Found {
            warnings: checked.warnings,
            ..Found::default()
        },
        Err(mistakes) => Found {
            mistakes,
            ..Found::default()
        },
    })
}

/// The text of a pack as it is sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub content: String,
    /// What is probably wrong in it is meant so.
    pub accepts_warnings: bool,
}

/// Stores a pack as a draft. Every mistake in it is told (422); a version that exists is 409 `policy_version_exists`.
pub async fn create(run: &Run<Pack>, sent: Result<Sent, AppError>) -> Outcome<Pack> {
    // A pack is not read for who may not store one.
    may(&run.actor, run.action)?;
    let new = sent.and_then(|sent| new_pack(sent, &run.actor));
    run.with(new, |tx, actor, new| insert(tx, new, actor)).await
}

/// Stores the packs that ship with the program, those that are not there yet; the default one is in force from now on.
pub async fn install_shipped(app: &App, now: Instant) -> Result<(), AppError> {
    for (code, text) in policy_pack::SHIPPED {
        let actor = Actor::system(now);
        let sent = Sent {
            content: text.to_owned(),
            accepts_warnings: true,
        };
        let new = new_pack(sent, &actor);
        let run = Run::direct(app, &actor, Action::PolicyCreate);
        let done = run.with(new, move |tx, actor, new| {
            if store::policy::find_version(tx, &new.pack.code, new.pack.version)?.is_some() {
                return Ok(());
            }
            let pack = insert(tx, new, actor)?;
            match code {
                policy_pack::IN_FORCE => {
                    state::enforce(tx, actor, &pack, actor.now.local_date()).map(drop)
                }
                _ => Ok(()),
            }
        });
        done.await?.now()?;
    }
    Ok(())
}

/// A pack that is whole, and the warnings that were accepted.
struct New {
    pack: NewPack,
    accepted: usize,
}

/// 422 of every mistake, and of every warning that is not accepted.
fn new_pack(sent: Sent, actor: &Actor) -> Result<New, AppError> {
    let content = sent.content;
    let checked = policy_pack::check(&content, &Values::new())
        .map_err(|mistakes| refusal(mistakes, Code::policy_mistake))?;
    if !checked.warnings.is_empty() && !sent.accepts_warnings {
        return Err(refusal(checked.warnings, Code::policy_warning));
    }
    let policy = checked.policy;
    Ok(New {
        pack: NewPack {
            code: policy.code,
            version: policy.version,
            title: policy.title,
            digest: policy::digest(&content),
            content,
            created_at: actor.now,
            created_by: actor.user_id(),
        },
        accepted: checked.warnings.len(),
    })
}

fn insert(tx: &mut Conn, new: &New, actor: &Actor) -> Result<Pack, AppError> {
    let pack = &new.pack;
    let id = store::policy::insert(tx, pack).map_err(insert_fault)?;
    let after = serde_json::json!({
        "code": pack.code,
        "version": pack.version,
        "digest": pack.digest,
        "accepted_warnings": new.accepted,
    });
    let event = actor.event(Action::PolicyCreate, Subject::new("policy", id));
    event::append(tx, &event.after(after)?)?;
    Ok(store::policy::get(tx, id)?)
}

fn insert_fault(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::PolicyVersion) => {
            AppError::conflict(Code::policy_version_exists)
        }
        StoreError::Violated(Constraint::PolicyUsed) => AppError::conflict(Code::relation_in_use),
        other => other.into(),
    }
}

/// Each mistake with its key as the field, its line as the actual value and its reason as the limit.
fn refusal(mistakes: Vec<PolicyMistake>, code: Code) -> AppError {
    let faults = mistakes.into_iter().map(|mistake| {
        let fault = match mistake.key.is_empty() {
            true => Fault::request(code),
            false => Fault::field(mistake.key, code),
        };
        fault.actual(mistake.line).limit(mistake.reason)
    });
    AppError::Refused(faults.collect())
}
