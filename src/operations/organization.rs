//! What happens to organizations: they change what they declare, and their administration verifies, refuses, suspends and
//! resumes them. How they come to be is told in `account`.

use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::domain::access::{self, Action, Caller, Reach};
use crate::domain::fault::Faults;
use crate::domain::organization::{
    OrganizationDeed, OrganizationFacts, OrganizationKind, OrganizationState,
};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, personal, same_version};
use crate::store::event::{NewEvent, Subject};
use crate::store::organization::{Amendment, Organization};
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// The longest reason, in characters.
const REASON_CHARS: usize = 500;

/// The organization, if the caller may see it and do this there: 404, then 403.
pub async fn admit(
    app: &App,
    caller: &Caller,
    id: OrganizationId,
    action: Action,
) -> Result<Organization, AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| admit_in(conn, &caller, id, action))
        .await
}

/// As [`admit`], inside an action's transaction.
pub fn admit_in(
    conn: &mut Conn,
    caller: &Caller,
    id: OrganizationId,
    action: Action,
) -> Result<Organization, AppError> {
    let organization = store::organization::get(conn, id)?;
    access::may_on_organization(caller, action, &organization.ties())?;
    Ok(organization)
}

/// Whether somebody sees more of the organization than the public.
pub fn sees_all(visitor: Option<&Caller>, organization: &Organization) -> bool {
    reach(visitor).covers_organization(&organization.ties())
}

/// Which organizations somebody reads whole; none without sign-in.
pub fn reach(visitor: Option<&Caller>) -> Reach {
    visitor
        .filter(|caller| access::may(caller, Action::OrganizationRead).is_ok())
        .map(|caller| Reach::of(caller, Action::OrganizationRead))
        .unwrap_or_default()
}

/// The organization, if the caller may change it, and as whom: as one of its own people or as its administration. 404, then
/// 403.
pub async fn admit_change(
    app: &App,
    caller: &Caller,
    id: OrganizationId,
) -> Result<(Organization, Action), AppError> {
    let caller = caller.clone();
    app.store
        .read(move |conn| admit_change_in(conn, &caller, id))
        .await
}

fn admit_change_in(
    conn: &mut Conn,
    caller: &Caller,
    id: OrganizationId,
) -> Result<(Organization, Action), AppError> {
    let organization = store::organization::get(conn, id)?;
    let ties = organization.ties();
    let may = |right: Action| access::may_on_organization(caller, right, &ties).map(|()| right);
    let own = may(Action::OrganizationUpdate);
    let right = own.or_else(|denied| may(Action::OrganizationCorrect).map_err(|_| denied))?;
    Ok((organization, right))
}

/// A change of what an organization declares: every field with the value it shall have.
#[derive(Debug, Clone)]
pub struct Declared {
    pub facts: OrganizationFacts,
    pub uscc_confirmed: bool,
}

/// Changes what an organization declares; a refused one is pending again. Its administration corrects what was verified.
pub async fn amend(
    app: &App,
    actor: Actor,
    id: OrganizationId,
    version: Option<i64>,
    declared: Declared,
) -> Result<Organization, AppError> {
    perform(app, &actor.clone(), move |tx| {
        Lock::RecordsShared.take(tx)?;
        let (before, _) = admit_change_in(tx, actor.caller()?, id)?;
        same_version(version, before.version)?;
        check(tx, &declared.facts, declared.uscc_confirmed, "")?;
        let state = before.state.after(OrganizationDeed::Amend)?;
        let new = Amendment {
            facts: declared.facts.clone(),
            uscc_confirmed: declared.uscc_confirmed,
            state,
            now: store::yearly_run::after_freezes(tx, actor.now)?,
        };
        store::organization::update_facts(tx, &before, &new).map_err(known_code)?;
        let after = store::organization::get(tx, id)?;
        let event = actor
            .event(Action::OrganizationUpdate, Subject::new("organization", id))
            .of(id, None)
            .before(Trace::of(&before))?
            .after(Trace::of(&after))?
            .personal(personal(declared_texts(&after))?);
        store::event::append(tx, &event)?;
        Ok(after)
    })
    .await
}

/// Verifies, refuses, suspends or resumes. Refusing and suspending need a reason.
pub async fn decide(
    app: &App,
    actor: Actor,
    (id, version): (OrganizationId, Option<i64>),
    decision: Decision,
    reason: Option<String>,
) -> Result<Organization, AppError> {
    perform(app, &actor.clone(), move |tx| {
        let before = admit_in(tx, actor.caller()?, id, decision.action())?;
        same_version(version, before.version)?;
        let reason = checked_reason(decision, reason.as_deref())?;
        let state = before.state.after(decision.turn())?;
        store::organization::update_state(tx, &before, state, reason, actor.now)?;
        let after = store::organization::get(tx, id)?;
        let event = actor
            .event(decision.action(), Subject::new("organization", id))
            .of(id, None)
            .before(json!({"state": before.state}))?
            .after(json!({"state": state}))?
            .personal(personal(json!({"reason": reason}))?);
        store::event::append(tx, &event)?;
        Ok(after)
    })
    .await
}

/// What the administration decides about an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Verify,
    Refuse,
    Suspend,
    Resume,
}

impl Decision {
    pub const fn action(self) -> Action {
        match self {
            Self::Verify => Action::OrganizationVerify,
            Self::Refuse => Action::OrganizationRefuse,
            Self::Suspend => Action::OrganizationSuspend,
            Self::Resume => Action::OrganizationResume,
        }
    }

    const fn turn(self) -> OrganizationDeed {
        match self {
            Self::Verify => OrganizationDeed::Verify,
            Self::Refuse => OrganizationDeed::Refuse,
            Self::Suspend => OrganizationDeed::Suspend,
            Self::Resume => OrganizationDeed::Resume,
        }
    }

    const fn needs_reason(self) -> bool {
        matches!(self, Self::Refuse | Self::Suspend)
    }
}

fn checked_reason(decision: Decision, reason: Option<&str>) -> Result<Option<&str>, AppError> {
    let reason = reason.filter(|text| !text.trim().is_empty());
    if decision.needs_reason() && reason.is_none() {
        return Err(AppError::refused("reason", Code::reason_required));
    }
    let mut faults = Faults::new();
    faults.optional_text("reason", reason, REASON_CHARS);
    faults.into_result()?;
    Ok(reason)
}

/// Every rule of the fields, and whether the regions exist; `prefix` stands before the names.
pub fn check(
    conn: &mut Conn,
    facts: &OrganizationFacts,
    uscc_confirmed: bool,
    prefix: &str,
) -> Result<(), AppError> {
    let mut faults = facts.validate(uscc_confirmed).err().unwrap_or_default();
    let regions = [
        ("region_code", facts.region_code),
        ("supervising_region_code", facts.supervising_region_code),
    ];
    for (field, code) in regions {
        if !store::reference::knows_region(conn, code)? {
            faults.push(Fault::field(field, Code::unknown_region).actual(code));
        }
    }
    for fault in &mut faults {
        fault.place = Location::Field(format!("{prefix}{}", fault.name()));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.into())
    }
}

/// 409 `organization_exists` when the code is another organization's.
pub fn known_code(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::OrganizationUscc) => {
            AppError::conflict(Code::organization_exists)
        }
        other => other.into(),
    }
}

/// What the trail shows of an organization.
#[derive(Debug, Serialize)]
pub struct Trace<'a> {
    name: &'a str,
    kind: OrganizationKind,
    uscc: &'a Uscc,
    uscc_confirmed: bool,
    region_code: RegionCode,
    supervising_region_code: RegionCode,
    is_host: bool,
    state: OrganizationState,
}

impl<'a> Trace<'a> {
    pub fn of(organization: &'a Organization) -> Self {
        Self {
            name: &organization.name,
            kind: organization.kind,
            uscc: &organization.uscc,
            uscc_confirmed: organization.uscc_confirmed,
            region_code: organization.region_code,
            supervising_region_code: organization.supervising_region_code,
            is_host: organization.is_host,
            state: organization.state,
        }
    }
}

/// What the trail keeps apart: addresses and names of people.
pub fn declared_texts(organization: &Organization) -> serde_json::Value {
    json!({
        "address": organization.address,
        "public_contact": organization.public_contact,
    })
}

/// The event with which an organization begins.
pub fn beginning(
    action: Action,
    organization: &Organization,
    now: Instant,
) -> Result<NewEvent, AppError> {
    Ok(
        NewEvent::new(now, action, Subject::new("organization", organization.id))
            .of(organization.id, None)
            .after(Trace::of(organization))?
            .personal(personal(declared_texts(organization))?),
    )
}
