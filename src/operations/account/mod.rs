//! How people get an account: with a new organization, or from the command line (`founder`); `invitation` tells the third
//! way. Also what they change of it themselves. Passwords are hashed before any transaction begins.

mod founder;

use serde_json::json;

pub use self::founder::{Founder, add_members, create_first_administrator, establish};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::account::{check_password_of, login_key};
use crate::domain::organization::{OrganizationState, first_roles};
use crate::domain::{Instant, OrganizationId, RegionCode, SessionId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, ReadChange, Run, may, personal};
use crate::operations::session::attempt::{self, Attempt, Place, Trial};
use crate::operations::subject::{self, Ties};
use crate::operations::{invitation, organization, password};
use crate::store::event::Subject;
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
    /// What the applicant says who supervises it, which is not the applicant's to say.
    pub supervisor_wanted: Option<RegionCode>,
    pub user: Applicant,
}

/// A pending organization with its first user.
#[derive(Debug, Clone)]
pub struct Registration {
    pub organization: Organization,
    pub user: User,
}

/// Makes a pending organization with its first user. 409 `organization_exists` or `login_taken` where a verified one has the
/// code or the login: who was not verified keeps nobody from either.
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
        ..
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
        organization::refuse_known_code(tx, &organization.uscc, None)?;
        if let Some(known) = store::user::find_by_login(tx, &login_key(&user.facts.email))? {
            invitation::release(tx, actor, &known)?;
        }
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
        supervisor_wanted,
        user,
    } = application;
    let name = facts.name.clone();
    let supervisor = supervisor_wanted.filter(|wanted| *wanted != facts.supervising_region_code);
    let supervisor = supervisor.map(|wanted| {
        Fault::field("organization.supervising_region_code", Code::read_only).actual(wanted)
    });
    let organization_faults = app
        .store
        .read(move |conn| organization::check(conn, &facts, uscc_confirmed, "organization."))
        .await;
    let faults = faults_of(organization_faults)?
        .into_iter()
        .chain(supervisor)
        .chain(applicant_faults(&user, "user.", &name))
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

/// Every fault of a person who is to belong to the organization of that name.
pub(super) fn applicant_faults(applicant: &Applicant, prefix: &str, unit: &str) -> Vec<Fault> {
    let mut faults = applicant.facts.validate(prefix).err().unwrap_or_default();
    let (field, login) = (format!("{prefix}password"), &applicant.facts.email);
    faults.extend(check_password_of(&field, &applicant.password, login, unit).err());
    faults
}

pub(super) fn insert_user(
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
pub(super) fn append_joined(tx: &mut Conn, actor: &Actor, user: &User) -> Result<(), AppError> {
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

/// A new password, and the one it replaces.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    pub current: String,
    pub new: String,
    pub ends_api_keys: bool,
}

/// Changes the password and ends every other session of the person than the kept one; on request its API keys, too.
pub async fn change_password(
    run: &Run<()>,
    change: Result<PasswordChange, AppError>,
    kept: Option<SessionId>,
) -> Outcome<()> {
    may(&run.actor, run.action)?;
    let (id, change) = (run.actor.caller()?.user_id, change?);
    let ends_api_keys = change.ends_api_keys;
    let replacing = replaced(&run.app, &run.actor, change, kept);
    let (proved, password_hash) = match run.prepare(replacing).await? {
        Done::Now(replaced) => replaced,
        Done::Earlier(reply) => return Ok(Done::Earlier(reply)),
    };
    run.with(Ok(()), move |tx, actor, ()| {
        store::user::update_password(tx, id, &password_hash, actor.now)?;
        attempt::take_back(tx, &proved, actor.now)?;
        store::session::update_all_revoked(tx, id, kept, actor.now)?;
        if ends_api_keys {
            store::api_key::update_keys_of_revoked(tx, id, actor.now)?;
        }
        let event = actor
            .event(Action::PasswordChange, Subject::new("user", id))
            .of(actor.caller()?.organization_id, None)
            .after(json!({ "api_keys_ended": ends_api_keys }))?;
        store::event::append(tx, &event)?;
        Ok(())
    })
    .await
}

/// The trial that proved the present password, and the hash of the new one. The session stands for itself: what others try
/// elsewhere keeps nobody from a new password.
async fn replaced(
    app: &App,
    actor: &Actor,
    change: PasswordChange,
    session: Option<SessionId>,
) -> Result<(Attempt, String), AppError> {
    let caller = actor.caller()?;
    let (id, unit) = (caller.user_id, caller.organization_id);
    let find = move |conn: &mut Conn| -> Result<_, AppError> {
        let user = store::user::get(conn, id)?;
        let unit = store::organization::get(conn, unit)?;
        Ok((user.login, unit.name, store::user::get_password(conn, id)?))
    };
    let (login, unit, stored) = app.store.read(find).await?;
    check_password_of("new_password", &change.new, &login, &unit).map_err(|fault| vec![fault])?;
    let place = session.map_or(Place::of(actor), Place::Session);
    let trial = Trial {
        login,
        password: change.current,
        known: Some((id, stored)),
    };
    let proved = attempt::prove(app, actor, place, trial).await?;
    let wrong = || AppError::refused("current_password", Code::wrong_password);
    let proved = proved.ok_or_else(wrong)?;
    Ok((proved, password::hash(app, change.new).await?))
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
