//! The people of an organization: invited with roles, given others, suspended, removed. The last administrator stays.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::App;
use crate::app::token;
use crate::domain::access::{self, Action, Caller, Role};
use crate::domain::account::{UserState, login_key};
use crate::domain::contact::check_email;
use crate::domain::fault::Faults;
use crate::domain::{Instant, Minutes, OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::organization::admit_in;
use crate::operations::run::{perform, personal, same_version};
use crate::store::event::Subject;
use crate::store::invitation::NewInvitation;
use crate::store::user::User;
use crate::store::{self, Conn, Lock};

/// An invitation holds for a week.
const INVITATION_HOLDS: Minutes = Minutes::new(7 * 24 * 60);

/// Roles with which somebody can be the manager of an instrument.
const MANAGING: &[Role] = &[Role::InstrumentManager, Role::HostAdmin];

/// Roles without which an organization, or the platform, would be nobody's.
const ADMINISTRATORS: &[Role] = &[Role::UnitAdmin, Role::PlatformAdmin];

/// Whom to invite, and what it will be.
#[derive(Debug, Clone)]
pub struct Invited {
    pub email: String,
    pub roles: Vec<Role>,
}

/// An invitation. The token is known once, to who invited: it is not given again when the request is repeated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invitation {
    pub login: String,
    pub roles: Vec<Role>,
    pub expires_at: Instant,
    #[serde(skip)]
    pub token: Option<String>,
}

/// Invites a person. 409 `login_taken` when the login belongs to some organization already.
pub async fn invite(
    app: &App,
    actor: Actor,
    id: OrganizationId,
    invited: Invited,
) -> Result<Invitation, AppError> {
    let secret = token::random_token("");
    let (token_hash, asked) = (token::hash(&secret), actor.clone());
    let mut invitation = perform(app, &actor, move |tx| {
        let actor = &asked;
        let organization = admit_in(tx, actor.caller()?, id, Action::MemberInvite)?;
        check_invited(actor.caller()?, organization.is_host, &invited)?;
        let login = login_key(&invited.email);
        let known = store::user::find_by_login(tx, &login)?;
        if known.is_some_and(|user| user.organization_id.is_some()) {
            return Err(AppError::conflict(Code::login_taken));
        }
        let new = NewInvitation {
            organization_id: id,
            login: login.clone(),
            roles: distinct(&invited.roles),
            token_hash: token_hash.clone(),
            invited_by: actor.caller()?.user_id,
            created_at: actor.now,
            expires_at: actor.now.plus(INVITATION_HOLDS),
        };
        let number = store::invitation::insert(tx, &new)?;
        let event = actor
            .event(Action::MemberInvite, Subject::new("invitation", number))
            .of(id, None)
            .after(json!({"organization_id": id, "roles": new.roles}))?
            .personal(personal(json!({"login": login}))?);
        store::event::append(tx, &event)?;
        Ok(Invitation {
            login,
            roles: new.roles,
            expires_at: new.expires_at,
            token: None,
        })
    })
    .await?;
    invitation.token = actor.is_first().then_some(secret);
    Ok(invitation)
}

fn check_invited(caller: &Caller, is_host: bool, invited: &Invited) -> Result<(), AppError> {
    let mut faults = Faults::new();
    check_email(
        "email",
        login_key(&invited.email).as_str(),
        254,
        &mut faults,
    );
    let roles = access::check_roles(caller, is_host, &[], &invited.roles);
    faults.extend(roles.err().unwrap_or_default());
    Ok(faults.into_result()?)
}

/// What becomes of a member. Absent stays.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    pub roles: Option<Vec<Role>>,
    pub state: Option<UserState>,
}

/// Every role once, where it was named first.
fn distinct(roles: &[Role]) -> Vec<Role> {
    let mut kept = Vec::with_capacity(roles.len());
    for role in roles {
        if !kept.contains(role) {
            kept.push(*role);
        }
    }
    kept
}

/// Gives other roles, suspends or lets in again. A suspended person's sessions end.
pub async fn update(
    app: &App,
    actor: Actor,
    (organization, user): (OrganizationId, UserId),
    version: Option<i64>,
    change: MemberChange,
) -> Result<User, AppError> {
    perform(app, &actor.clone(), move |tx| {
        let unit = admit_in(tx, actor.caller()?, organization, Action::MemberUpdate)?;
        Lock::Organization(organization).take(tx)?;
        let before = member(tx, organization, user)?;
        same_version(version, before.version)?;
        let roles = distinct(change.roles.as_deref().unwrap_or(&before.roles));
        let state = change.state.unwrap_or(before.state);
        access::check_roles(actor.caller()?, unit.is_host, &before.roles, &roles)?;
        if state != before.state {
            may_take_all(actor.caller()?, &before.roles)?;
        }
        keep_administrators(tx, &before, (&roles, state))?;
        let unit = before.organization_id;
        store::user::update_membership(tx, &before, unit, &roles, state, actor.now)?;
        if !roles.iter().any(|role| MANAGING.contains(role)) {
            store::instrument::delete_managing(tx, user)?;
        }
        if state == UserState::Suspended {
            store::session::update_all_revoked(tx, user, None, actor.now)?;
        }
        let event = actor
            .event(Action::MemberUpdate, Subject::new("user", user))
            .of(organization, None)
            .before(json!({"roles": before.roles, "state": before.state}))?
            .after(json!({"roles": roles, "state": state}))?;
        store::event::append(tx, &event)?;
        Ok(store::user::get(tx, user)?)
    })
    .await
}

/// Ends a membership: the account stays without roles until another invitation, its sessions and keys end.
pub async fn remove(
    app: &App,
    actor: Actor,
    (organization, user): (OrganizationId, UserId),
    version: Option<i64>,
) -> Result<(), AppError> {
    perform(app, &actor.clone(), move |tx| {
        admit_in(tx, actor.caller()?, organization, Action::MemberRemove)?;
        Lock::Organization(organization).take(tx)?;
        let before = member(tx, organization, user)?;
        same_version(version, before.version)?;
        may_take_all(actor.caller()?, &before.roles)?;
        keep_administrators(tx, &before, (&[], before.state))?;
        store::user::update_membership(tx, &before, None, &[], before.state, actor.now)?;
        store::instrument::delete_managing(tx, user)?;
        store::session::update_all_revoked(tx, user, None, actor.now)?;
        store::api_key::update_keys_of_revoked(tx, user, actor.now)?;
        let event = actor
            .event(Action::MemberRemove, Subject::new("user", user))
            .of(organization, None)
            .before(json!({"organization_id": organization, "roles": before.roles}))?;
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}

/// The member, if the caller may see the organization and do this there.
pub async fn admit(
    app: &App,
    caller: &Caller,
    (organization, user): (OrganizationId, UserId),
    action: Action,
) -> Result<User, AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| {
            admit_in(conn, &caller, organization, action)?;
            member(conn, organization, user)
        })
        .await
}

/// The member of this organization; anybody else does not exist there.
fn member(conn: &mut Conn, organization: OrganizationId, user: UserId) -> Result<User, AppError> {
    let user = store::user::get(conn, user)?;
    if user.organization_id == Some(organization) {
        Ok(user)
    } else {
        Err(AppError::NotFound)
    }
}

/// Who suspends or removes somebody takes all its roles, so they must be the caller's to take; the province may suspend
/// and remove everybody.
fn may_take_all(caller: &Caller, roles: &[Role]) -> Result<(), AppError> {
    if caller.has(Role::PlatformAdmin) {
        return Ok(());
    }
    let faults = access::check_roles(caller, true, roles, &[]);
    let taken = faults.err().unwrap_or_default().into_iter();
    let foreign: Vec<Fault> = taken.filter(|fault| fault.code != Code::required).collect();
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(foreign.into())
    }
}

/// 409 `last_admin` when nobody active would be left with an administrator's role that `before` has.
fn keep_administrators(
    tx: &mut Conn,
    before: &User,
    (roles, state): (&[Role], UserState),
) -> Result<(), AppError> {
    let Some(organization) = before.organization_id else {
        return Ok(());
    };
    for role in ADMINISTRATORS {
        let had = before.state == UserState::Active && before.roles.contains(role);
        let keeps = state == UserState::Active && roles.contains(role);
        if had && !keeps {
            let others = store::user::list_with_roles(tx, organization, &[*role])?;
            if others.iter().all(|id| *id == before.id) {
                return Err(AppError::conflict(Code::last_admin));
            }
        }
    }
    Ok(())
}
