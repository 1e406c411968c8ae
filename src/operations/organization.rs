//! What happens to organizations: they change what they declare, and their administration verifies, refuses, suspends and
//! resumes them. How they come to be is told in `account`.

use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::domain::access::{self, Action, Reach};
use crate::domain::organization::{
    OrganizationAction, OrganizationFacts, OrganizationKind, OrganizationState,
};
use crate::domain::{Instant, OrganizationId, Reason, RegionCode, Slot, Uscc};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::booking::{self, Change, Treatment};
use crate::operations::run::{Outcome, Run, personal};
use crate::operations::subject::{self, Ties, authorize, load};
use crate::store::directory::{self, Filter};
use crate::store::event::{NewEvent, Subject};
use crate::store::organization::{Amendment, Organization};
use crate::store::page::Found;
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// An organization as a caller sees it.
#[derive(Debug, Clone)]
pub struct OrganizationView {
    pub organization: Organization,
    /// How many instruments it lists.
    pub listed_instruments: i64,
    /// The caller sees more of it than the public.
    pub is_whole: bool,
}

impl OrganizationView {
    fn of(conn: &mut Conn, organization: Organization, is_whole: bool) -> Result<Self, AppError> {
        let listed = directory::count_listed(conn, &[organization.id])?;
        Ok(Self {
            listed_instruments: listed.get(&organization.id).copied().unwrap_or(0),
            organization,
            is_whole,
        })
    }

    /// Whether the caller sees anything of it.
    pub fn is_shown(&self) -> bool {
        self.is_whole || self.organization.ties().is_public
    }
}

impl subject::Subject for Organization {
    type Id = OrganizationId;

    /// No yearly run is frozen meanwhile: it reads what organizations are.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        Lock::RecordsShared.take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        Ok(store::organization::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Organization(Organization::ties(self))
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// Which organizations somebody reads whole; none without sign-in.
pub(super) fn reach(actor: &Actor) -> Reach {
    actor
        .caller()
        .ok()
        .filter(|caller| access::may(caller, Action::OrganizationRead).is_ok())
        .map(|caller| Reach::of(caller, Action::OrganizationRead))
        .unwrap_or_default()
}

/// One organization; 404 when it is not the caller's to see.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
) -> Result<OrganizationView, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let organization: Organization = load(conn, &actor, Action::OrganizationRead, id)?;
            let is_whole = reach(&actor).covers_organization(&organization.ties());
            OrganizationView::of(conn, organization, is_whole)
        })
        .await
}

/// The organizations that the filter asks for and the caller may see, at most its limit; in the order of change also those
/// that were there to see and no longer are.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
) -> Result<Found<OrganizationView>, AppError> {
    let (reach, is_search) = (reach(actor), !filter.names.is_empty());
    let find = move |conn: &mut Conn| {
        let found = directory::list(conn, &Filter { reach, ..filter })?;
        let ids: Vec<_> = found.rows.iter().map(|row| row.id).collect();
        let listed = directory::count_listed(conn, &ids)?;
        let view = |organization: Organization| OrganizationView {
            listed_instruments: listed.get(&organization.id).copied().unwrap_or(0),
            is_whole: reach.covers_organization(&organization.ties()),
            organization,
        };
        Ok(Found {
            rows: found.rows.into_iter().map(view).collect(),
            rest: found.rest,
        })
    };
    match is_search {
        true => app.store.read_search(find).await,
        false => app.store.read(find).await,
    }
}

/// A change of what an organization declares: every field with the value it shall have.
#[derive(Debug, Clone)]
pub struct Declared {
    pub facts: OrganizationFacts,
    pub uscc_confirmed: bool,
}

/// How a change that was sent as `B` is read beside the organization, for who changes it by these rights.
pub type ReadDeclared<B> =
    fn(&OrganizationView, &[Action], &B) -> Result<(Declared, Vec<Fault>), AppError>;

/// The rights to change an organization, each other fields of it.
const CHANGES: [Action; 3] = [
    Action::OrganizationUpdate,
    Action::OrganizationCorrect,
    Action::OrganizationHandOver,
];

/// Changes what an organization declares; a refused one is pending again. Its administration corrects what was verified.
pub async fn amend<B: Send + 'static>(
    run: &Run<OrganizationView>,
    id: OrganizationId,
    sent: Result<B, AppError>,
    read: ReadDeclared<B>,
) -> Outcome<OrganizationView> {
    let read = move |conn: &mut Conn, actor: &Actor, present: &Organization, sent: &B| {
        let ties = Ties::Organization(present.ties());
        let rights: Vec<_> = CHANGES
            .into_iter()
            .filter(|right| authorize(actor, *right, &ties).is_ok())
            .collect();
        let view = OrganizationView::of(conn, present.clone(), true)?;
        read(&view, &rights, sent)
    };
    run.change(
        id,
        sent,
        read,
        |tx, actor, before: Organization, declared| {
            check(tx, &declared.facts, declared.uscc_confirmed, "")?;
            let state = before.state.after(OrganizationAction::Amend)?;
            refuse_known_code(tx, &declared.facts.uscc, Some(before.id))?;
            let said = (&declared.facts, declared.uscc_confirmed, state);
            if said == (&before.facts(), before.uscc_confirmed, before.state) {
                return OrganizationView::of(tx, before, true);
            }
            let told = (&declared.facts, declared.uscc_confirmed);
            let after = rewrite(tx, actor, &before, told, state)?;
            OrganizationView::of(tx, after, true)
        },
    )
    .await
}

/// Makes an organization say what an import tells of it, under the rules of a change of its own.
pub fn amend_as_told(
    tx: &mut Conn,
    actor: &Actor,
    before: &Organization,
    facts: &OrganizationFacts,
) -> Result<(), AppError> {
    check(tx, facts, before.uscc_confirmed, "")?;
    let state = before.state.after(OrganizationAction::Amend)?;
    rewrite(tx, actor, before, (facts, before.uscc_confirmed), state)?;
    Ok(())
}

fn rewrite(
    tx: &mut Conn,
    actor: &Actor,
    before: &Organization,
    (facts, uscc_confirmed): (&OrganizationFacts, bool),
    state: OrganizationState,
) -> Result<Organization, AppError> {
    let new = Amendment {
        facts: facts.clone(),
        uscc_confirmed,
        state,
        now: store::yearly_run::after_freezes(tx, actor.now)?,
    };
    store::organization::update_facts(tx, before, &new).map_err(known_code)?;
    let after = store::organization::get(tx, before.id)?;
    let event = actor
        .event(
            Action::OrganizationUpdate,
            Subject::new("organization", before.id),
        )
        .of(before.id, None)
        .before(Trace::of(before))?
        .after(Trace::of(&after))?
        .personal(personal(declared_texts(&after))?);
    store::event::append(tx, &event)?;
    Ok(after)
}

/// Verifies, refuses, suspends or resumes. Refusing and suspending need a reason. Bookings with a suspended host stand with a
/// problem.
pub async fn decide(
    run: &Run<OrganizationView>,
    id: OrganizationId,
    decision: Decision,
    reason: Result<Option<String>, AppError>,
) -> Outcome<OrganizationView> {
    run.on(
        id,
        reason,
        move |tx, actor, before: Organization, reason| {
            let reason = Reason::read(reason.as_deref(), decision.needs_reason())?;
            let reason = reason.as_ref().map(Reason::as_str);
            let state = before.state.after(decision.turn())?;
            let standing = booking::before_of_host(tx, before.id, actor.now)?;
            store::organization::update_state(tx, &before, state, reason, actor.now)
                .map_err(known_code)?;
            if decision == Decision::Verify {
                refuse_rivals(tx, actor, before.id)?;
            }
            let after = store::organization::get(tx, before.id)?;
            let event = actor
                .event(decision.action(), Subject::new("organization", before.id))
                .of(before.id, None)
                .before(json!({"state": before.state}))?
                .after(json!({"state": state}))?
                .personal(personal(json!({"reason": reason}))?);
            store::event::append(tx, &event)?;
            let is_suspended = decision == Decision::Suspend;
            let says = |_: &Slot| is_suspended.then_some(Code::instrument_not_bookable);
            let change = Change {
                says: &says,
                ..Change::default()
            };
            for instrument in standing {
                instrument.settle(tx, actor, Treatment::default(), &change)?;
            }
            OrganizationView::of(tx, after, true)
        },
    )
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

    const fn turn(self) -> OrganizationAction {
        match self {
            Self::Verify => OrganizationAction::Verify,
            Self::Refuse => OrganizationAction::Refuse,
            Self::Suspend => OrganizationAction::Suspend,
            Self::Resume => OrganizationAction::Resume,
        }
    }

    const fn needs_reason(self) -> bool {
        matches!(self, Self::Refuse | Self::Suspend)
    }
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

/// What is told to who registered a code under which another organization was verified.
const RIVAL_REASON: &str = "同一统一社会信用代码的另一份登记已通过审核";

/// One code is one organization: who else says that it has the code of this one, which is verified, is refused.
pub fn refuse_rivals(tx: &mut Conn, actor: &Actor, id: OrganizationId) -> Result<(), AppError> {
    let verified = store::organization::get(tx, id)?;
    for rival in store::organization::list_pending_by_uscc(tx, &verified.uscc)? {
        let (refused, now) = (OrganizationState::Refused, actor.now);
        store::organization::update_state(tx, &rival, refused, Some(RIVAL_REASON), now)?;
        let event = actor
            .event(
                Action::OrganizationRefuse,
                Subject::new("organization", rival.id),
            )
            .of(rival.id, None)
            .before(json!({"state": rival.state}))?
            .after(json!({"state": refused}))?
            .personal(personal(json!({"reason": RIVAL_REASON}))?);
        store::event::append(tx, &event)?;
    }
    Ok(())
}

/// 409 `organization_exists` when another organization of this code was verified.
pub fn refuse_known_code(
    conn: &mut Conn,
    uscc: &Uscc,
    own: Option<OrganizationId>,
) -> Result<(), AppError> {
    match store::organization::find_by_uscc(conn, uscc)? {
        Some(known) if Some(known.id) != own => Err(AppError::conflict(Code::organization_exists)),
        _ => Ok(()),
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
