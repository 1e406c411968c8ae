//! The people of an organization: given roles, suspended, removed; how they come in is told in `invitation`. The last
//! administrator stays.

use serde_json::json;

use crate::app::App;
use crate::domain::access::{self, Action, Caller, Role};
use crate::domain::account::UserState;
use crate::domain::organization::OrganizationState;
use crate::domain::{OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, ReadChange, Run};
use crate::operations::subject::{self, Ties, load};
use crate::store::event::Subject;
use crate::store::organization::Organization;
use crate::store::user::User;
use crate::store::{self, Conn, Lock};

/// Roles without which an organization, or the platform, would be nobody's.
const ADMINISTRATORS: &[Role] = &[Role::UnitAdmin, Role::PlatformAdmin];

/// A person in an organization; nobody where none of its members has that id. Who may not do anything to its members is not
/// told who they are.
#[derive(Debug, Clone)]
struct Member {
    organization: Organization,
    user: Option<User>,
}

impl subject::Subject for Member {
    type Id = (OrganizationId, UserId);

    /// Takes the lock of the members, so that the last administrator stays.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Lock::Organization(id.0).take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, (organization, user): Self::Id) -> Result<Self, AppError> {
        let found = match store::user::get(conn, user) {
            Err(store::StoreError::NotFound) => None,
            found => Some(found?),
        };
        Ok(Self {
            organization: store::organization::get(conn, organization)?,
            user: found.filter(|user| user.organization_id == Some(organization)),
        })
    }

    fn ties(&self) -> Ties {
        Ties::Organization(self.organization.ties())
    }

    fn version(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.version)
    }
}

impl Member {
    fn user(&self) -> Result<&User, AppError> {
        self.user.as_ref().ok_or(AppError::NotFound)
    }
}

/// The members of an organization: after an id, at most so many.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
    page: Result<(Option<UserId>, i64), AppError>,
) -> Result<Vec<User>, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            load::<Organization>(conn, &actor, Action::MemberList, id)?;
            let (after, limit) = page?;
            Ok(store::user::list_members(conn, id, after, limit)?)
        })
        .await
}

/// What becomes of a member. Absent stays.
#[derive(Debug, Clone, Default)]
pub struct MemberChange {
    pub roles: Option<Vec<Role>>,
    pub state: Option<UserState>,
}

/// Every role once, where it was named first.
pub(super) fn distinct(roles: &[Role]) -> Vec<Role> {
    let mut kept = Vec::with_capacity(roles.len());
    for role in roles {
        if !kept.contains(role) {
            kept.push(*role);
        }
    }
    kept
}

/// Gives other roles, suspends or lets in again. A suspended person's sessions end.
pub async fn update<B: Send + 'static>(
    run: &Run<User>,
    place: (OrganizationId, UserId),
    sent: Result<B, AppError>,
    read: ReadChange<User, B, MemberChange>,
) -> Outcome<User> {
    let read = move |_: &mut Conn, _: &Actor, member: &Member, sent: &B| read(member.user()?, sent);
    run.change(place, sent, read, |tx, actor, member, change| {
        let (caller, before) = (actor.caller()?, member.user()?);
        let roles = distinct(change.roles.as_deref().unwrap_or(&before.roles));
        let state = change.state.unwrap_or(before.state);
        access::check_roles(caller, member.organization.is_host, &before.roles, &roles)?;
        let is_same = roles.len() == before.roles.len()
            && roles.iter().all(|role| before.roles.contains(role));
        if is_same && state == before.state {
            return Ok(before.clone());
        }
        if state != before.state {
            may_take_all(caller, &before.roles)?;
        }
        keep_administrators(tx, Some(caller), before, (&roles, state))?;
        let unit = before.organization_id;
        store::user::update_membership(tx, before, unit, &roles, state, actor.now)?;
        if !roles.iter().any(|role| role.manages_instruments()) {
            store::instrument::delete_managing(tx, before.id)?;
        }
        if state == UserState::Suspended {
            store::session::update_all_revoked(tx, before.id, None, actor.now)?;
        }
        let event = actor
            .event(Action::MemberUpdate, Subject::new("user", before.id))
            .of(member.organization.id, None)
            .before(json!({"roles": before.roles, "state": before.state}))?
            .after(json!({"roles": roles, "state": state}))?;
        store::event::append(tx, &event)?;
        Ok(store::user::get(tx, before.id)?)
    })
    .await
}

/// Ends a membership: the account stays without roles until another invitation, its sessions and keys end.
pub async fn remove(
    run: &Run<()>,
    place: (OrganizationId, UserId),
    body: Result<(), AppError>,
) -> Outcome<()> {
    run.on(place, body, |tx, actor, member: Member, ()| {
        let (before, id) = (member.user()?, member.organization.id);
        may_take_all(actor.caller()?, &before.roles)?;
        keep_administrators(tx, Some(actor.caller()?), before, (&[], before.state))?;
        store::user::update_membership(tx, before, None, &[], before.state, actor.now)?;
        store::instrument::delete_managing(tx, before.id)?;
        store::session::update_all_revoked(tx, before.id, None, actor.now)?;
        store::api_key::update_keys_of_revoked(tx, before.id, actor.now)?;
        let event = actor
            .event(Action::MemberRemove, Subject::new("user", before.id))
            .of(id, None)
            .before(json!({"organization_id": id, "roles": before.roles}))?;
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
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

/// 409 `last_admin` when nobody active would be left with an administrator's role that `before` has. A refused organization
/// needs none, and the province may leave a unit without one: it invites the next.
pub(super) fn keep_administrators(
    tx: &mut Conn,
    caller: Option<&Caller>,
    before: &User,
    (roles, state): (&[Role], UserState),
) -> Result<(), AppError> {
    let Some(organization) = before.organization_id else {
        return Ok(());
    };
    if store::organization::get(tx, organization)?.state == OrganizationState::Refused {
        return Ok(());
    }
    let by_province = caller.is_some_and(|caller| caller.has(Role::PlatformAdmin));
    for role in ADMINISTRATORS {
        let had = before.state == UserState::Active && before.roles.contains(role);
        let keeps = state == UserState::Active && roles.contains(role);
        let can_be_replaced = by_province && *role == Role::UnitAdmin;
        if had && !keeps && !can_be_replaced {
            let others = store::user::list_with_roles(tx, organization, &[*role])?;
            if others.iter().all(|id| *id == before.id) {
                return Err(AppError::conflict(Code::last_admin));
            }
        }
    }
    Ok(())
}
