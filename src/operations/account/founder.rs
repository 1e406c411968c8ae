//! What the command line makes without anybody's rights: organizations with members to begin with, and the first administrator
//! of the platform.

use super::{Applicant, append_joined, applicant_faults, insert_user};
use crate::app::App;
use crate::domain::access::{Action, Role};
use crate::domain::account::UserFacts;
use crate::domain::organization::{OrganizationFacts, OrganizationKind, OrganizationState};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::Run;
use crate::operations::{organization, password};
use crate::store::organization::NewOrganization;
use crate::store::{self, Conn, Lock};

/// The agency that runs the platform.
const PROVINCE_AGENCY: &str = "河北省科学技术厅";

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
    let members = ready(app, founders, &facts.name).await?;
    let run = Run::direct(app, &Actor::system(now), Action::OrganizationEstablish);
    let done = run
        .with(Ok(()), move |tx, actor, ()| {
            if members
                .iter()
                .any(|(.., roles)| roles.contains(&Role::PlatformAdmin))
            {
                refuse_second_platform(tx, &facts.uscc)?;
            }
            let id = establish_organization(tx, &facts, actor.now)?;
            Ok((id, insert_members(tx, actor, id, &members)?))
        })
        .await?;
    done.now()
}

/// Gives an organization that is there already these members. As [`establish`] for the command line; 404 without it.
pub async fn add_members(
    app: &App,
    organization: Uscc,
    founders: Vec<Founder>,
    now: Instant,
) -> Result<Vec<UserId>, AppError> {
    let find = move |conn: &mut Conn| store::organization::find_by_uscc(conn, &organization);
    let known = app.store.read(find).await.map_err(AppError::from)?;
    let known = known.ok_or(AppError::NotFound)?;
    let members = ready(app, founders, &known.name).await?;
    let run = Run::direct(app, &Actor::system(now), Action::OrganizationEstablish);
    let done = run
        .with(Ok(()), move |tx, actor, ()| {
            insert_members(tx, actor, known.id, &members)
        })
        .await?;
    done.now()
}

/// A founder whose fields are right and whose password is hashed.
type Member = (UserFacts, String, Vec<Role>);

async fn ready(app: &App, founders: Vec<Founder>, unit: &str) -> Result<Vec<Member>, AppError> {
    let mut members = Vec::with_capacity(founders.len());
    for founder in founders {
        let faults = applicant_faults(&founder.applicant, "", unit);
        AppError::refuse_all(faults)?;
        let hash = password::hash(app, founder.applicant.password).await?;
        members.push((founder.applicant.facts, hash, founder.roles));
    }
    Ok(members)
}

fn insert_members(
    tx: &mut Conn,
    actor: &Actor,
    organization: OrganizationId,
    members: &[Member],
) -> Result<Vec<UserId>, AppError> {
    Lock::Organization(organization).take(tx)?;
    let mut ids = Vec::with_capacity(members.len());
    for (person, hash, roles) in members {
        let user = insert_user(tx, organization, person, hash, roles, actor.now)?;
        append_joined(tx, actor, &user)?;
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
    organization::refuse_rivals(tx, &Actor::system(now), id)?;
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
