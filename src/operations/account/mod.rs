//! How people get an account: with a new organization, by an invitation, or from the command line (`founder`). Also what they
//! change of it themselves. Passwords are hashed before any transaction begins.

mod founder;

use serde_json::json;

pub use self::founder::{Founder, add_members, create_first_administrator, establish};
use crate::app::App;
use crate::app::token;
use crate::domain::access::Action;
use crate::domain::account::{check_password, login_key};
use crate::domain::organization::{OrganizationState, first_roles};
use crate::domain::{Instant, OrganizationId, SessionId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, ReadChange, Run, may, personal};
use crate::operations::subject::{self, Ties};
use crate::operations::{organization, password, session};
use crate::store::event::Subject;
use crate::store::invitation::Invitation;
use crate::store::organization::{NewOrganization, Organization};
use crate::store::user::{NewUser, User};
use crate::store::{self, Conn, Constraint, StoreError};

// What the command line needs to name people and organizations.
pub use crate::domain::Uscc;
pub use crate::domain::access::Role;
pub use crate::domain::account::UserFacts;
pub use crate::domain::organization::{OrganizationFacts, OrganizationKind};

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

/// A pending organization with its first user.
#[derive(Debug, Clone)]
pub struct Registration {
    pub organization: Organization,
    pub user: User,
}

/// Makes a pending organization with its first user. 409 `organization_exists` or `login_taken`.
pub async fn register(
    run: &Run<Registration>,
    application: Result<Application, AppError>,
) -> Outcome<Registration> {
    may(&run.actor, run.action)?;
    let application = application?;
    let run = run.about(&login_key(&application.user.facts.email));
    let hashing = hash_of(&run.app, application.clone());
    let password_hash = match run.prepare(hashing).await? {
        Done::Now(password_hash) => password_hash,
        Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
    };
    let Application {
        organization,
        uscc_confirmed,
        user,
    } = application;
    let roles = first_roles(organization.kind, organization.is_host);
    run.with(Ok(()), move |tx, actor, ()| {
        let new = NewOrganization {
            facts: organization.clone(),
            uscc_confirmed,
            is_sme: false,
            state: OrganizationState::Pending,
            now: actor.now,
        };
        let id = store::organization::insert(tx, &new).map_err(organization::known_code)?;
        let user = insert_user(tx, id, &user.facts, &password_hash, &roles, actor.now)?;
        let organization = store::organization::get(tx, id)?;
        let mut event = organization::beginning(Action::AccountRegister, &organization, actor.now)?;
        event.actor_user_id = Some(user.id);
        event.actor_organization_id = Some(id);
        event.request_id.clone_from(&actor.request_id);
        store::event::append(tx, &event)?;
        append_joined(tx, actor, &user)?;
        Ok(Registration { organization, user })
    })
    .await
}

/// The hash of the password of an application in which nothing is wrong.
async fn hash_of(app: &App, application: Application) -> Result<String, AppError> {
    let Application {
        organization: facts,
        uscc_confirmed,
        user,
    } = application;
    let organization_faults = app
        .store
        .read(move |conn| organization::check(conn, &facts, uscc_confirmed, "organization."))
        .await;
    let faults = faults_of(organization_faults)?
        .into_iter()
        .chain(applicant_faults(&user, "user."))
        .collect();
    AppError::refuse_all(faults)?;
    password::hash(app, user.password).await
}

fn faults_of(checked: Result<(), AppError>) -> Result<Vec<Fault>, AppError> {
    match checked {
        Ok(()) => Ok(Vec::new()),
        Err(AppError::Refused(faults)) => Ok(faults),
        Err(other) => Err(other),
    }
}

fn applicant_faults(applicant: &Applicant, prefix: &str) -> Vec<Fault> {
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
fn append_joined(tx: &mut Conn, actor: &Actor, user: &User) -> Result<(), AppError> {
    let mut event = actor
        .event(Action::MemberJoin, Subject::new("user", user.id))
        .after(json!({"organization_id": user.organization_id, "roles": user.roles}))?
        .personal(personal(
            json!({"login": user.login, "name": user.name, "phone": user.phone}),
        )?);
    event.actor_user_id = Some(user.id);
    event.actor_organization_id = user.organization_id;
    event.organization_id = user.organization_id;
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
pub async fn accept(run: &Run<User>, acceptance: Result<Acceptance, AppError>) -> Outcome<User> {
    may(&run.actor, run.action)?;
    let acceptance = acceptance?;
    let run = run.about(&acceptance.invitation_token);
    let (invitation, facts, password_hash) = match run
        .prepare(invited(&run.app, acceptance, run.actor.now))
        .await?
    {
        Done::Now(invited) => invited,
        Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
    };
    run.with(Ok(()), move |tx, actor, ()| {
        let user = join(tx, &invitation, &facts, &password_hash, actor.now)?;
        append_joined(tx, actor, &user)?;
        Ok(user)
    })
    .await
}

/// The open invitation, whom it is for, and the hash of the password that is chosen or proved.
async fn invited(
    app: &App,
    acceptance: Acceptance,
    now: Instant,
) -> Result<(Invitation, UserFacts, String), AppError> {
    let hash = token::hash(&acceptance.invitation_token);
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
    AppError::refuse_all(faults)?;
    let Applicant { facts, password } = applicant;
    let password_hash = match known {
        Some((_, stored)) => {
            let proof = (password, stored.clone());
            prove(app, &facts.email, proof, "password", now).await?;
            stored
        }
        None => password::hash(app, password).await?,
    };
    Ok((invitation, facts, password_hash))
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

/// A new password, and the one it replaces.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    pub current: String,
    pub new: String,
}

/// Changes the password and ends every other session of the person than the kept one.
pub async fn change_password(
    run: &Run<()>,
    change: Result<PasswordChange, AppError>,
    kept: Option<SessionId>,
) -> Outcome<()> {
    may(&run.actor, run.action)?;
    let (id, now) = (run.actor.caller()?.user_id, run.actor.now);
    let (login, password_hash) = match run.prepare(replaced(&run.app, id, change?, now)).await? {
        Done::Now(replaced) => replaced,
        Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
    };
    run.with(Ok(()), move |tx, actor, ()| {
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

/// The login and the hash of the new password, when the present one was proved.
async fn replaced(
    app: &App,
    id: UserId,
    change: PasswordChange,
    now: Instant,
) -> Result<(String, String), AppError> {
    let find = move |conn: &mut Conn| -> Result<_, AppError> {
        let user = store::user::get(conn, id)?;
        Ok((user.login, store::user::get_password(conn, id)?))
    };
    let (login, stored) = app.store.read(find).await?;
    check_password("new_password", &change.new, &login).map_err(|fault| vec![fault])?;
    let proof = (change.current, stored);
    prove(app, &login, proof, "current_password", now).await?;
    Ok((login, password::hash(app, change.new).await?))
}

/// Who is signed in.
pub async fn me(app: &App, actor: &Actor) -> Result<User, AppError> {
    may(actor, Action::MeRead)?;
    let id = actor.caller()?.user_id;
    let find = move |conn: &mut Conn| store::user::get(conn, id);
    Ok(app.store.read(find).await?)
}

/// What a person says of itself.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub phone: Option<String>,
}

/// An account is its person's own; others reach it as a member of their organization.
impl subject::Subject for User {
    type Id = UserId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: UserId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: UserId) -> Result<Self, AppError> {
        match actor.user_id() == Some(id) {
            true => Ok(store::user::get(conn, id)?),
            false => Err(AppError::NotFound),
        }
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Changes what a person says of itself.
pub async fn update_me<B: Send + 'static>(
    run: &Run<User>,
    sent: Result<B, AppError>,
    read: ReadChange<User, B, Profile>,
) -> Outcome<User> {
    let read = move |_: &mut Conn, _: &Actor, user: &User, sent: &B| read(user, sent);
    let id = run.actor.caller()?.user_id;
    run.change(id, sent, read, |tx, actor, before, profile| {
        let facts = UserFacts {
            name: profile.name.clone(),
            email: before.login.clone(),
            phone: profile.phone.clone(),
        };
        facts.validate("")?;
        if (&facts.name, &facts.phone) == (&before.name, &before.phone) {
            return Ok(before);
        }
        store::user::update_profile(tx, &before, &facts.name, facts.phone.as_deref(), actor.now)?;
        let texts = json!({
            "before": {"name": before.name, "phone": before.phone},
            "after": {"name": facts.name, "phone": facts.phone},
        });
        let event = actor
            .event(Action::MeUpdate, Subject::new("user", before.id))
            .of(actor.caller()?.organization_id, None)
            .personal(personal(texts)?);
        store::event::append(tx, &event)?;
        Ok(store::user::get(tx, before.id)?)
    })
    .await
}
