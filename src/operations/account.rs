//! How people get an account: with a new organization, by an invitation, or from the command line. Also what they change of
//! it themselves. Passwords are hashed before any transaction begins.

use serde_json::json;

use crate::app::App;
use crate::app::token;
use crate::domain::access::Action;
use crate::domain::account::{check_password, login_key};
use crate::domain::fault::FieldFault;
use crate::domain::organization::{OrganizationState, first_roles};
use crate::domain::{Instant, OrganizationId, RegionCode, SessionId, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{find_earlier, perform, personal, same_version};
use crate::operations::{organization, password, session};
use crate::store::event::{NewEvent, Subject};
use crate::store::invitation::Invitation;
use crate::store::organization::{NewOrganization, Organization};
use crate::store::user::{NewUser, User};
use crate::store::{self, Conn, Constraint, Lock, StoreError};

// What the command line needs to name people and organizations.
pub use crate::domain::Uscc;
pub use crate::domain::access::Role;
pub use crate::domain::account::UserFacts;
pub use crate::domain::organization::{OrganizationFacts, OrganizationKind};

/// The agency that runs the platform.
const PROVINCE_AGENCY: &str = "河北省科学技术厅";

/// A person with the password it chose.
#[derive(Debug, Clone)]
pub struct Applicant {
    pub facts: UserFacts,
    pub password: String,
}

/// An organization that wants to join, with its first user.
#[derive(Debug, Clone)]
pub struct Application {
    pub organization: OrganizationFacts,
    pub uscc_confirmed: bool,
    pub user: Applicant,
}

/// Makes a pending organization with its first user. 409 `organization_exists` or `login_taken`.
pub async fn register(
    app: &App,
    application: Application,
    visit: Actor,
) -> Result<(Organization, User), AppError> {
    let login = login_key(&application.user.facts.email);
    if let Some(earlier) = find_earlier(app, &visit.clone().about(&login)).await? {
        return Ok(earlier);
    }
    let Application {
        organization: facts,
        uscc_confirmed,
        user,
    } = application;
    let checked = facts.clone();
    let organization_faults = app
        .store
        .read(move |conn| organization::check(conn, &checked, uscc_confirmed, "organization."))
        .await;
    let faults = faults_of(organization_faults)?
        .into_iter()
        .chain(applicant_faults(&user, "user.").into_iter().map(Into::into))
        .collect();
    AppError::refuse_all(faults)?;
    let password_hash = password::hash(app, user.password).await?;
    let roles = first_roles(facts.kind, facts.is_host);
    let (now, request_id) = (visit.now, visit.request_id.clone());
    perform(app, &visit.about(&login), move |tx| {
        let new = NewOrganization {
            facts: facts.clone(),
            uscc_confirmed,
            is_sme: false,
            state: OrganizationState::Pending,
            now,
        };
        let id = store::organization::insert(tx, &new).map_err(organization::known_code)?;
        let user = insert_user(tx, id, &user.facts, &password_hash, &roles, now)?;
        let organization = store::organization::get(tx, id)?;
        let mut event = organization::beginning(Action::AccountRegister, &organization, now)?;
        event.actor_user_id = Some(user.id);
        event.actor_organization_id = Some(id);
        event.request_id = request_id.clone();
        store::event::append(tx, &event)?;
        append_joined(tx, &user, request_id.as_deref(), now)?;
        Ok((organization, user))
    })
    .await
}

fn faults_of(checked: Result<(), AppError>) -> Result<Vec<crate::error::Fault>, AppError> {
    match checked {
        Ok(()) => Ok(Vec::new()),
        Err(AppError::Refused(faults)) => Ok(faults),
        Err(other) => Err(other),
    }
}

fn applicant_faults(applicant: &Applicant, prefix: &str) -> Vec<FieldFault> {
    let mut faults = applicant.facts.validate(prefix).err().unwrap_or_default();
    let field = format!("{prefix}password");
    faults.extend(check_password(&field, &applicant.password, &applicant.facts.email).err());
    faults
}

fn insert_user(
    tx: &mut Conn,
    organization_id: OrganizationId,
    facts: &UserFacts,
    password_hash: &str,
    roles: &[Role],
    now: Instant,
) -> Result<User, AppError> {
    let new = NewUser {
        organization_id,
        login: login_key(&facts.email),
        name: facts.name.clone(),
        phone: facts.phone.clone(),
        password_hash: password_hash.to_owned(),
        roles: roles.to_vec(),
        now,
    };
    let id = store::user::insert(tx, &new).map_err(|error| match error {
        StoreError::Violated(Constraint::UserLogin) => AppError::conflict(Code::login_taken),
        other => other.into(),
    })?;
    Ok(store::user::get(tx, id)?)
}

/// A person is a member from now on.
fn append_joined(
    tx: &mut Conn,
    user: &User,
    request_id: Option<&str>,
    now: Instant,
) -> Result<(), AppError> {
    let mut event = NewEvent::new(now, Action::MemberJoin, Subject::new("user", user.id))
        .after(json!({"organization_id": user.organization_id, "roles": user.roles}))?
        .personal(personal(
            json!({"login": user.login, "name": user.name, "phone": user.phone}),
        )?);
    event.actor_user_id = Some(user.id);
    event.actor_organization_id = user.organization_id;
    event.organization_id = user.organization_id;
    event.request_id = request_id.map(str::to_owned);
    store::event::append(tx, &event)?;
    Ok(())
}

/// An accepted invitation: who the person is, and the password it will sign in with.
#[derive(Debug, Clone)]
pub struct Acceptance {
    pub invitation_token: String,
    pub name: String,
    pub phone: Option<String>,
    pub password: String,
}

/// Makes the invited account, once. Somebody who left another organization keeps the account and proves its password.
pub async fn accept(app: &App, acceptance: Acceptance, visit: Actor) -> Result<User, AppError> {
    let token = acceptance.invitation_token.clone();
    if let Some(earlier) = find_earlier(app, &visit.clone().about(&token)).await? {
        return Ok(earlier);
    }
    let (now, request_id) = (visit.now, visit.request_id.clone());
    let hash = token::hash(&token);
    let find = move |conn: &mut Conn| -> Result<_, AppError> {
        let open = store::invitation::find_open(conn, &hash, now)?;
        let invitation = open.ok_or_else(invitation_invalid)?;
        let known = store::user::find_password(conn, &invitation.login)?;
        Ok((invitation, known))
    };
    let (invitation, known) = app.store.read(find).await?;
    let applicant = Applicant {
        facts: UserFacts {
            name: acceptance.name,
            email: invitation.login.clone(),
            phone: acceptance.phone,
        },
        password: acceptance.password,
    };
    let faults = applicant_faults(&applicant, "");
    AppError::refuse_all(faults.into_iter().map(Into::into).collect())?;
    let Applicant { facts, password } = applicant;
    let password_hash = match known {
        Some((_, stored)) => {
            let proof = (password, stored.clone());
            prove(app, &facts.email, proof, "password", now).await?;
            stored
        }
        None => password::hash(app, password).await?,
    };
    perform(app, &visit.about(&token), move |tx| {
        let user = join(tx, &invitation, &facts, &password_hash, now)?;
        append_joined(tx, &user, request_id.as_deref(), now)?;
        Ok(user)
    })
    .await
}

fn join(
    tx: &mut Conn,
    invitation: &Invitation,
    facts: &UserFacts,
    password_hash: &str,
    now: Instant,
) -> Result<User, AppError> {
    if !store::invitation::claim(tx, invitation.id, now)? {
        return Err(invitation_invalid());
    }
    let (unit, roles) = (invitation.organization_id, &invitation.roles);
    let Some(known) = store::user::find_by_login(tx, &invitation.login)? else {
        return insert_user(tx, unit, facts, password_hash, roles, now);
    };
    if known.organization_id.is_some() {
        return Err(AppError::conflict(Code::login_taken));
    }
    // Another invitation may have been accepted since.
    if !store::user::claim(tx, known.id, unit, roles, now)? {
        return Err(AppError::conflict(Code::login_taken));
    }
    Ok(store::user::get(tx, known.id)?)
}

fn invitation_invalid() -> AppError {
    AppError::refused("invitation_token", Code::invitation_invalid)
}

/// 422 `wrong_password` unless the password belongs to the hash; guesses count as failed sign-ins.
async fn prove(
    app: &App,
    login: &str,
    (password, stored): (String, String),
    field: &'static str,
    now: Instant,
) -> Result<(), AppError> {
    if session::prove(app, login, password, Some(stored), now).await? {
        Ok(())
    } else {
        Err(AppError::refused(field, Code::wrong_password))
    }
}

/// Changes the password and ends every other session of the person.
pub async fn change_password(
    app: &App,
    actor: Actor,
    (present, new): (String, String),
    kept: Option<SessionId>,
) -> Result<(), AppError> {
    if let Some(()) = find_earlier(app, &actor).await? {
        return Ok(());
    }
    let id = actor.caller()?.user_id;
    let find = move |conn: &mut Conn| -> Result<_, AppError> {
        let user = store::user::get(conn, id)?;
        Ok((user.login, store::user::get_password(conn, id)?))
    };
    let (login, stored) = app.store.read(find).await?;
    check_password("new_password", &new, &login).map_err(|fault| vec![fault])?;
    prove(
        app,
        &login,
        (present, stored),
        "current_password",
        actor.now,
    )
    .await?;
    let password_hash = password::hash(app, new).await?;
    perform(app, &actor.clone(), move |tx| {
        store::user::update_password(tx, id, &password_hash, actor.now)?;
        store::session::delete_failures(tx, &login)?;
        store::session::update_all_revoked(tx, id, kept, actor.now)?;
        let event = actor
            .event(Action::PasswordChange, Subject::new("user", id))
            .of(actor.caller()?.organization_id, None);
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}

/// Changes what a person says of itself.
pub async fn update_me(
    app: &App,
    actor: Actor,
    version: Option<i64>,
    (name, phone): (String, Option<String>),
) -> Result<User, AppError> {
    let id = actor.caller()?.user_id;
    perform(app, &actor.clone(), move |tx| {
        let before = store::user::get(tx, id)?;
        same_version(version, before.version)?;
        let facts = UserFacts {
            name: name.clone(),
            email: before.login.clone(),
            phone: phone.clone(),
        };
        facts.validate("")?;
        store::user::update_profile(tx, &before, &facts.name, facts.phone.as_deref(), actor.now)?;
        let texts = json!({
            "before": {"name": before.name, "phone": before.phone},
            "after": {"name": facts.name, "phone": facts.phone},
        });
        let event = actor
            .event(Action::MeUpdate, Subject::new("user", id))
            .of(actor.caller()?.organization_id, None)
            .personal(personal(texts)?);
        store::event::append(tx, &event)?;
        Ok(store::user::get(tx, id)?)
    })
    .await
}

/// A member to begin with.
#[derive(Debug, Clone)]
pub struct Founder {
    pub applicant: Applicant,
    pub roles: Vec<Role>,
}

/// Makes a verified organization with these members in one action; an organization of this code that is verified already
/// gets the members. For the command line, which stands outside the rights of callers.
///
/// `uscc_confirmed` accepts a code whose check character fails. Administrators of the platform sit in one agency: 409
/// `organization_exists` with `platform_agency` when they would be founded in another.
pub async fn establish(
    app: &App,
    facts: OrganizationFacts,
    uscc_confirmed: bool,
    founders: Vec<Founder>,
    now: Instant,
) -> Result<(OrganizationId, Vec<UserId>), AppError> {
    let checked = facts.clone();
    app.store
        .read(move |conn| organization::check(conn, &checked, uscc_confirmed, ""))
        .await?;
    let members = ready(app, founders).await?;
    app.store
        .write(move |tx| {
            if members
                .iter()
                .any(|(.., roles)| roles.contains(&Role::PlatformAdmin))
            {
                refuse_second_platform(tx, &facts.uscc)?;
            }
            let id = establish_organization(tx, &facts, now)?;
            Ok((id, insert_members(tx, id, &members, now)?))
        })
        .await
}

/// Gives an organization that is there already these members. As [`establish`] for the command line; 404 without it.
pub async fn add_members(
    app: &App,
    organization: Uscc,
    founders: Vec<Founder>,
    now: Instant,
) -> Result<Vec<UserId>, AppError> {
    let members = ready(app, founders).await?;
    app.store
        .write(move |tx| {
            let known = store::organization::find_by_uscc(tx, &organization)?;
            insert_members(tx, known.ok_or(AppError::NotFound)?.id, &members, now)
        })
        .await
}

/// A founder whose fields are right and whose password is hashed.
type Member = (UserFacts, String, Vec<Role>);

async fn ready(app: &App, founders: Vec<Founder>) -> Result<Vec<Member>, AppError> {
    let mut members = Vec::with_capacity(founders.len());
    for founder in founders {
        let faults = applicant_faults(&founder.applicant, "");
        AppError::refuse_all(faults.into_iter().map(Into::into).collect())?;
        let hash = password::hash(app, founder.applicant.password).await?;
        members.push((founder.applicant.facts, hash, founder.roles));
    }
    Ok(members)
}

fn insert_members(
    tx: &mut Conn,
    organization: OrganizationId,
    members: &[Member],
    now: Instant,
) -> Result<Vec<UserId>, AppError> {
    Lock::Organization(organization).take(tx)?;
    let mut ids = Vec::with_capacity(members.len());
    for (person, hash, roles) in members {
        let user = insert_user(tx, organization, person, hash, roles, now)?;
        append_joined(tx, &user, None, now)?;
        ids.push(user.id);
    }
    Ok(ids)
}

/// A mistyped code would otherwise make an agency beside the one that runs the platform.
fn refuse_second_platform(tx: &mut Conn, agency: &Uscc) -> Result<(), AppError> {
    for login in store::user::list_logins(tx, &[Role::PlatformAdmin])? {
        let administrator = store::user::find_by_login(tx, &login)?;
        let Some(known) = administrator.and_then(|user| user.organization_id) else {
            continue;
        };
        let known = store::organization::get(tx, known)?;
        if known.uscc != *agency {
            return Err(AppError::conflict(Code::organization_exists)
                .with("existing_id", known.id.number())
                .with("platform_agency", known.uscc.as_str()));
        }
    }
    Ok(())
}

fn establish_organization(
    tx: &mut Conn,
    facts: &OrganizationFacts,
    now: Instant,
) -> Result<OrganizationId, AppError> {
    let known = store::organization::find_by_uscc(tx, &facts.uscc)?;
    if let Some(known) = known {
        let is_same = known.kind == facts.kind && known.state == OrganizationState::Verified;
        let taken =
            || AppError::conflict(Code::organization_exists).with("existing_id", known.id.number());
        return is_same.then_some(known.id).ok_or_else(taken);
    }
    let new = NewOrganization {
        facts: facts.clone(),
        uscc_confirmed: !facts.uscc.check_passes(),
        is_sme: false,
        state: OrganizationState::Verified,
        now,
    };
    let id = store::organization::insert(tx, &new).map_err(organization::known_code)?;
    let organization = store::organization::get(tx, id)?;
    let event = organization::beginning(Action::OrganizationEstablish, &organization, now)?;
    store::event::append(tx, &event)?;
    Ok(id)
}

/// Makes an administrator of the platform in the province's agency, which is made first if it is missing. Its code must
/// pass its check, unless it was confirmed. Errors as [`establish`].
pub async fn create_first_administrator(
    app: &App,
    (agency, uscc_confirmed): (Uscc, bool),
    administrator: Applicant,
    now: Instant,
) -> Result<UserId, AppError> {
    let facts = OrganizationFacts {
        name: PROVINCE_AGENCY.to_owned(),
        kind: OrganizationKind::Agency,
        uscc: agency,
        region_code: RegionCode::HEBEI,
        supervising_region_code: RegionCode::HEBEI,
        is_host: false,
        address: None,
        public_contact: None,
    };
    let founder = Founder {
        applicant: administrator,
        roles: vec![Role::PlatformAdmin],
    };
    let (_, users) = establish(app, facts, uscc_confirmed, vec![founder], now).await?;
    users.first().copied().ok_or(AppError::NotFound)
}
