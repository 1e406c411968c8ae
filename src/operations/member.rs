//! The people of an organization: invited with roles, given others, suspended, removed. The last administrator stays.

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
use crate::operations::run::{Outcome, ReadChange, Run, personal};
use crate::operations::subject::{self, Ties, load};
use crate::store::event::Subject;
use crate::store::invitation::NewInvitation;
use crate::store::organization::Organization;
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

/// An invitation, with its token, which is shown once, to who invited.
#[derive(Debug, Clone)]
pub struct Invitation {
    pub organization_id: OrganizationId,
    pub login: String,
    pub roles: Vec<Role>,
    pub expires_at: Instant,
    pub token: String,
}

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

/// Invites a person. 409 `login_taken` when the login belongs to some organization already.
pub async fn invite(
    run: &Run<Invitation>,
    id: OrganizationId,
    invited: Result<Invited, AppError>,
) -> Outcome<Invitation> {
    let token = token::random_token("");
    run.on(
        id,
        invited,
        move |tx, actor, organization: Organization, invited| {
            check_invited(actor.caller()?, organization.is_host, invited)?;
            let login = login_key(&invited.email);
            let known = store::user::find_by_login(tx, &login)?;
            if known.is_some_and(|user| user.organization_id.is_some()) {
                return Err(AppError::conflict(Code::login_taken));
            }
            let new = NewInvitation {
                organization_id: id,
                login: login.clone(),
                roles: distinct(&invited.roles),
                token_hash: token::hash(&token),
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
                organization_id: id,
                login,
                roles: new.roles,
                expires_at: new.expires_at,
                token: token.clone(),
            })
        },
    )
    .await
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
        keep_administrators(tx, before, (&roles, state))?;
        let unit = before.organization_id;
        store::user::update_membership(tx, before, unit, &roles, state, actor.now)?;
        if !roles.iter().any(|role| MANAGING.contains(role)) {
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
        keep_administrators(tx, before, (&[], before.state))?;
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
