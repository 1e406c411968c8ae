//! Invitations into an organization: made by its administrators, or by whoever supervises a unit that nobody administers;
//! listed, withdrawn, accepted once. What an address must prove, or may forget, is decided in `claim`.

mod claim;

use serde_json::json;

pub(super) use self::claim::release;
use self::claim::{Claim, claim};
use super::account::{Applicant, append_joined, applicant_faults, insert_user};
use crate::app::{App, token};
use crate::domain::access::{self, Action, Role};
use crate::domain::account::{UserFacts, login_key};
use crate::domain::contact::check_email;
use crate::domain::fault::Faults;
use crate::domain::organization::first_roles;
use crate::domain::{Instant, InvitationId, Minutes, OrganizationId, Uscc, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::member::{distinct, keep_administrators};
use crate::operations::password;
use crate::operations::run::{Done, Outcome, Run, may, personal};
use crate::operations::session::attempt::{self, Attempt};
use crate::operations::subject::{self, Ties, authorize, load};
use crate::store::event::Subject;
use crate::store::invitation::{Invitation, NewInvitation};
use crate::store::organization::Organization;
use crate::store::user::User;
use crate::store::{self, Conn, Lock};

/// An invitation holds for a week.
const INVITATION_HOLDS: Minutes = Minutes::new(7 * 24 * 60);

/// Whom to invite, and what it will be.
#[derive(Debug, Clone)]
pub struct Invited {
    pub email: String,
    pub roles: Vec<Role>,
}

/// An invitation, with its token, which is shown once, to who invited.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub invitation: Invitation,
    pub token: String,
}

/// Invites a person. 409 `login_taken` when the login belongs to another verified organization; 409 `unit_has_admin` when
/// the administration invites for a unit that can invite for itself.
pub async fn invite(
    run: &Run<NewToken>,
    id: OrganizationId,
    invited: Result<Invited, AppError>,
) -> Outcome<NewToken> {
    let token = token::random_token("");
    run.on(
        id,
        invited,
        move |tx, actor, organization: Organization, invited| {
            let login = login_key(&invited.email);
            let known = store::user::find_by_login(tx, &login)?;
            check_invited(tx, actor, &organization, (&login, known.as_ref()), invited)?;
            let new = NewInvitation {
                organization_id: id,
                login: login.clone(),
                roles: distinct(&invited.roles),
                token_hash: token::hash(&token),
                invited_by: actor.user_id(),
                created_at: actor.now,
                expires_at: actor.now.plus(INVITATION_HOLDS),
            };
            // One token at a time opens an account.
            store::invitation::update_withdrawn_of(tx, id, &login, actor.now)?;
            let number = store::invitation::insert(tx, &new)?;
            let event = actor
                .event(Action::MemberInvite, Subject::new("invitation", number))
                .of(id, None)
                .after(json!({"organization_id": id, "roles": new.roles}))?
                .personal(personal(json!({"login": login}))?);
            store::event::append(tx, &event)?;
            Ok(NewToken {
                invitation: store::invitation::get(tx, number)?,
                token: token.clone(),
            })
        },
    )
    .await
}

/// As [`invite`] for the command line: the administrator of a verified organization that has none. 404 without it.
pub async fn invite_administrator(
    app: &App,
    uscc: Uscc,
    email: String,
    now: Instant,
) -> Result<NewToken, AppError> {
    let find = move |conn: &mut Conn| store::organization::find_by_uscc(conn, &uscc);
    let found = app.store.read(find).await.map_err(AppError::from)?;
    let organization = found.ok_or(AppError::NotFound)?;
    let invited = Invited {
        email,
        roles: first_roles(organization.kind, organization.is_host),
    };
    let run = Run::direct(app, &Actor::system(now), Action::MemberInvite)
        .or(Some(Action::UnitAdminInvite));
    invite(&run, organization.id, Ok(invited)).await?.now()
}

fn check_invited(
    tx: &mut Conn,
    actor: &Actor,
    organization: &Organization,
    (login, known): (&str, Option<&User>),
    invited: &Invited,
) -> Result<(), AppError> {
    let ties = Ties::Organization(organization.ties());
    let caller = actor.caller().ok();
    let is_own = caller.is_some_and(|caller| {
        caller.organization_id == organization.id && caller.has(Role::UnitAdmin)
    });
    let begins = !is_own
        && (invited.roles.contains(&Role::UnitAdmin)
            || authorize(actor, Action::MemberInvite, &ties).is_err());
    let mut faults = Faults::new();
    check_email("email", login, 254, &mut faults);
    let roles = match begins {
        true => access::check_first_roles(caller, organization.is_host, &invited.roles),
        false => access::check_roles(actor.caller()?, organization.is_host, &[], &invited.roles),
    };
    faults.extend(roles.err().unwrap_or_default());
    faults.into_result()?;
    let known_id = known.map(|user| user.id);
    if begins && invited.roles.contains(&Role::UnitAdmin) {
        refuse_second_administrator(tx, organization.id, known_id)?;
    }
    let claim = claim(tx, organization.id, known)?;
    match known.filter(|user| user.organization_id == Some(organization.id)) {
        Some(member) if claim == Claim::Reset => may_reset(actor, member, begins),
        _ => Ok(()),
    }
}

/// 409 `unit_has_admin` when somebody else than `known` administers the unit.
fn refuse_second_administrator(
    conn: &mut Conn,
    unit: OrganizationId,
    known: Option<UserId>,
) -> Result<(), AppError> {
    let administrators = store::user::list_with_roles(conn, unit, &[Role::UnitAdmin])?;
    match administrators.iter().any(|id| Some(*id) != known) {
        true => Err(AppError::conflict(Code::unit_has_admin)),
        false => Ok(()),
    }
}

/// A new password is given only to whom all roles could be taken from, and never to oneself: that needs the present one.
fn may_reset(actor: &Actor, member: &User, begins: bool) -> Result<(), AppError> {
    let caller = actor.caller().ok();
    if caller.is_some_and(|caller| caller.user_id == member.id) {
        return Err(AppError::conflict(Code::login_taken));
    }
    let by_province = caller.is_none_or(|caller| caller.has(Role::PlatformAdmin));
    let office = member.roles.iter().find(|role| access::is_office(**role));
    let foreign = match (begins, caller) {
        (false, Some(caller)) => access::check_roles(caller, true, &member.roles, &[]),
        _ => match office.filter(|_| !by_province) {
            Some(office) => Err(vec![
                Fault::field("roles", Code::role_not_grantable).actual(office),
            ]),
            None => Ok(()),
        },
    };
    let foreign = foreign.err().unwrap_or_default().into_iter();
    let foreign: Vec<Fault> = foreign
        .filter(|fault| fault.code != Code::required)
        .collect();
    AppError::refuse_all(foreign)
}

/// An invitation that can still be accepted, with the organization it leads to; every other one does not exist.
struct Open {
    organization: Organization,
    invitation: Option<Invitation>,
}

impl subject::Subject for Open {
    type Id = (OrganizationId, InvitationId);

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        let found = match store::invitation::get(conn, id.1) {
            Err(store::StoreError::NotFound) => None,
            found => Some(found?),
        };
        Ok(Self {
            organization: store::organization::get(conn, id.0)?,
            invitation: found.filter(|one| one.organization_id == id.0 && one.is_open(actor.now)),
        })
    }

    fn ties(&self) -> Ties {
        Ties::Organization(self.organization.ties())
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// The open invitations of an organization: after an id, at most so many.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
    page: Result<(Option<InvitationId>, i64), AppError>,
) -> Result<Vec<Invitation>, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            load::<Organization>(conn, &actor, Action::InvitationList, id)?;
            let (after, limit) = page?;
            Ok(store::invitation::list_open(
                conn, id, actor.now, after, limit,
            )?)
        })
        .await
}

/// Withdraws an open invitation: its token opens nothing any more.
pub async fn withdraw(
    run: &Run<()>,
    place: (OrganizationId, InvitationId),
    body: Result<(), AppError>,
) -> Outcome<()> {
    run.on(place, body, |tx, actor, open: Open, ()| {
        let one = open.invitation.ok_or(AppError::NotFound)?;
        if !store::invitation::update_withdrawn(tx, one.id, actor.now)? {
            return Err(AppError::NotFound);
        }
        let event = actor
            .event(
                Action::InvitationWithdraw,
                Subject::new("invitation", one.id),
            )
            .of(open.organization.id, None);
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}

/// An accepted invitation: who the person is, and the password it will sign in with.
#[derive(Debug, Clone)]
pub struct Acceptance {
    pub invitation_token: String,
    pub name: String,
    pub phone: Option<String>,
    pub password: String,
}

/// What is ready before the transaction: the invitation, who accepts, with which claim, and the hash of the password that was
/// chosen or proved.
#[derive(Debug)]
struct Ready {
    invitation: Invitation,
    facts: UserFacts,
    claim: Claim,
    password_hash: String,
    proved: Option<Attempt>,
}

/// Makes the invited account, once, or gives the unit's own one a new password. Somebody who left another organization
/// keeps the account and proves its password.
pub async fn accept(run: &Run<User>, acceptance: Result<Acceptance, AppError>) -> Outcome<User> {
    may(&run.actor, run.action)?;
    let acceptance = acceptance?;
    let run = run.about(&acceptance.invitation_token);
    let ready = match run.prepare(ready(&run.app, &run.actor, acceptance)).await? {
        Done::Now(ready) => ready,
        Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
    };
    run.with(Ok(()), move |tx, actor, ()| join(tx, actor, &ready))
        .await
}

async fn ready(app: &App, actor: &Actor, acceptance: Acceptance) -> Result<Ready, AppError> {
    let (hash, now) = (token::hash(&acceptance.invitation_token), actor.now);
    let find = move |conn: &mut Conn| -> Result<_, AppError> {
        let open = store::invitation::find_open(conn, &hash, now)?;
        let invitation = open.ok_or_else(invitation_invalid)?;
        let unit = store::organization::get(conn, invitation.organization_id)?;
        let known = store::user::find_by_login(conn, &invitation.login)?;
        let claim = claim(conn, unit.id, known.as_ref())?;
        let stored = match &known {
            Some(known) => Some((known.id, store::user::get_password(conn, known.id)?)),
            None => None,
        };
        Ok((invitation, unit.name, claim, stored))
    };
    let (invitation, unit_name, claim, stored) = app.store.read(find).await?;
    let applicant = Applicant {
        facts: UserFacts {
            name: acceptance.name,
            email: invitation.login.clone(),
            phone: acceptance.phone,
        },
        password: acceptance.password,
    };
    AppError::refuse_all(applicant_faults(&applicant, "", &unit_name))?;
    let Applicant { facts, password } = applicant;
    let (password_hash, proved) = match (claim, stored) {
        (Claim::Proof, Some((user, stored))) => {
            let place = attempt::Place::of(actor);
            let trial = attempt::Trial {
                login: facts.email.clone(),
                password,
                known: Some((user, stored.clone())),
            };
            let proved = attempt::prove(app, actor, place, trial).await?;
            let wrong = || AppError::refused("password", Code::wrong_password);
            (stored, Some(proved.ok_or_else(wrong)?))
        }
        _ => (password::hash(app, password).await?, None),
    };
    Ok(Ready {
        invitation,
        facts,
        claim,
        password_hash,
        proved,
    })
}

fn join(tx: &mut Conn, actor: &Actor, ready: &Ready) -> Result<User, AppError> {
    let (invitation, now) = (&ready.invitation, actor.now);
    let (unit, roles) = (invitation.organization_id, &invitation.roles);
    Lock::Organization(unit).take(tx)?;
    if !store::invitation::claim(tx, invitation.id, now)? {
        return Err(invitation_invalid());
    }
    let known = store::user::find_by_login(tx, &invitation.login)?;
    if begins(tx, invitation)? {
        let known = known.as_ref().map(|user| user.id);
        refuse_second_administrator(tx, unit, known).map_err(|_| invitation_invalid())?;
    }
    // Another invitation may have been accepted since.
    if claim(tx, unit, known.as_ref())? != ready.claim {
        return Err(AppError::conflict(Code::login_taken));
    }
    if let Some(proved) = &ready.proved {
        attempt::take_back(tx, proved, now)?;
    }
    let user = match (ready.claim, known) {
        (Claim::Proof, Some(known)) => {
            if !store::user::claim(tx, known.id, unit, roles, now)? {
                return Err(AppError::conflict(Code::login_taken));
            }
            store::user::get(tx, known.id)?
        }
        (Claim::Reset, Some(known)) => return reset(tx, actor, &known, ready),
        (_, known) => {
            if let Some(known) = known {
                release(tx, actor, &known)?;
            }
            insert_user(tx, unit, &ready.facts, &ready.password_hash, roles, now)?
        }
    };
    append_joined(tx, actor, &user)?;
    Ok(user)
}

/// Whether the administration made it, for a unit that nobody administered.
fn begins(conn: &mut Conn, invitation: &Invitation) -> Result<bool, AppError> {
    let is_own = match invitation.invited_by {
        Some(inviter) => {
            let inviter = store::user::get(conn, inviter)?;
            inviter.organization_id == Some(invitation.organization_id)
        }
        None => false,
    };
    Ok(!is_own && invitation.roles.contains(&Role::UnitAdmin))
}

/// A new password for an account of the unit, or of somebody who left it: what was signed in before ends.
fn reset(tx: &mut Conn, actor: &Actor, known: &User, ready: &Ready) -> Result<User, AppError> {
    let (unit, now) = (ready.invitation.organization_id, actor.now);
    let (roles, active) = (
        &ready.invitation.roles,
        crate::domain::account::UserState::Active,
    );
    let was_member = known.organization_id == Some(unit);
    keep_administrators(tx, None, known, (roles, active))?;
    store::user::update_membership(tx, known, Some(unit), roles, active, now)?;
    let moved = store::user::get(tx, known.id)?;
    let phone = ready.facts.phone.as_deref().or(known.phone.as_deref());
    store::user::update_profile(tx, &moved, &ready.facts.name, phone, now)?;
    store::user::update_password(tx, known.id, &ready.password_hash, now)?;
    store::session::update_all_revoked(tx, known.id, None, now)?;
    store::session::delete_failures(tx, &known.login)?;
    if !roles.iter().any(|role| role.manages_instruments()) {
        store::instrument::delete_managing(tx, known.id)?;
    }
    let user = store::user::get(tx, known.id)?;
    let mut event = actor
        .event(Action::PasswordReset, Subject::new("user", user.id))
        .of(unit, None)
        .before(json!({"roles": known.roles, "state": known.state}))?
        .after(json!({"roles": user.roles, "state": user.state}))?;
    event.actor_user_id = Some(user.id);
    event.actor_organization_id = Some(unit);
    store::event::append(tx, &event)?;
    if !was_member {
        append_joined(tx, actor, &user)?;
    }
    Ok(user)
}

fn invitation_invalid() -> AppError {
    AppError::refused("invitation_token", Code::invitation_invalid)
}
