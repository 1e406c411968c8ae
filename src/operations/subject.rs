//! What an action is done to: how each noun is locked and loaded, and which ties decide who may do it. Rights are asked here
//! and in lists (`Reach`), for every entrance alike.

use super::actor::{Actor, Who};
use crate::domain::access::{
    self, Action, BookingTies, Denied, FindingTies, InstrumentTies, ObjectionTies, OrganizationTies,
};
use crate::domain::{OrganizationId, UserId};
use crate::error::AppError;
use crate::store::Conn;

/// Who is tied to a subject, by its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The role alone decides.
    Nobody,
    Organization(OrganizationTies),
    Instrument(InstrumentTies),
    Booking(BookingTies),
    UsageRecord(BookingTies),
    Charge(BookingTies),
    Objection(ObjectionTies),
    /// The host that has to mend something.
    Rectification(OrganizationTies),
    /// An expert's assignment, by its evaluator.
    Assignment(UserId),
    Finding(FindingTies),
    /// An evaluation or a subsidy run.
    Run {
        is_published: bool,
    },
    /// A unit in an evaluation, or its award of a subsidy run.
    Award {
        is_published: bool,
        organization_id: OrganizationId,
    },
}

impl Ties {
    /// Whether everybody sees what has these ties: 404 otherwise.
    fn check_public(&self) -> Result<(), AppError> {
        match self {
            Ties::Instrument(ties) if !ties.is_public => Err(Denied::Hidden.into()),
            Ties::Organization(ties) if !ties.is_public => Err(Denied::Hidden.into()),
            _ => Ok(()),
        }
    }
}

/// A noun that actions are done to.
pub trait Subject: Sized {
    type Id: Copy + Send + 'static;

    /// Takes the locks that keep it as it is, then reads it. `NotFound` when there is none.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError>;

    /// Reads it without a lock.
    fn load(conn: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError>;

    fn ties(&self) -> Ties;

    /// The version a request may name; none for what has none.
    fn version(&self) -> Option<i64>;
}

/// The subject as it stands, for who may do this to it: 404, 403 or the subject.
pub fn load<S: Subject>(
    conn: &mut Conn,
    actor: &Actor,
    action: Action,
    id: S::Id,
) -> Result<S, AppError> {
    let subject = S::load(conn, actor, id)?;
    authorize(actor, action, &subject.ties())?;
    Ok(subject)
}

/// Whether `actor` may do `action` to what has these ties: 404 for what is not the caller's to see, else 403.
pub fn authorize(actor: &Actor, action: Action, ties: &Ties) -> Result<(), AppError> {
    let caller = match &actor.who {
        Who::Person(caller) | Who::ApiKey(caller) => caller,
        Who::System if action.is_done_by_system() => return Ok(()),
        Who::Visitor if action.is_open_to_visitors() => return ties.check_public(),
        Who::System => return Err(Denied::Forbidden.into()),
        Who::Visitor => return actor.caller().map(|_| ()),
    };
    let answer = match ties {
        Ties::Nobody => access::may(caller, action),
        // What visitors may look at, everybody may who sees it.
        Ties::Organization(ties) if action.is_open_to_visitors() => {
            access::sees_organization(caller, ties)
        }
        Ties::Organization(ties) => access::may_on_organization(caller, action, ties),
        Ties::Instrument(ties) if action.is_open_to_visitors() => {
            access::sees_instrument(caller, ties)
        }
        Ties::Instrument(ties) => access::may_on_instrument(caller, action, ties),
        Ties::Booking(ties) => access::may_on_booking(caller, action, ties),
        Ties::UsageRecord(ties) => access::may_on_usage(caller, action, ties),
        Ties::Charge(ties) => access::may_on_charge(caller, action, ties),
        Ties::Finding(ties) => access::may_on_finding(caller, action, ties),
        Ties::Objection(ties) => access::may_on_objection(caller, action, ties),
        Ties::Assignment(evaluator) => access::may_on_assignment(caller, action, *evaluator),
        Ties::Rectification(ties) => access::may_on_rectification(caller, action, ties),
        Ties::Run { is_published } => access::may_on_run(caller, action, *is_published),
        Ties::Award {
            is_published,
            organization_id,
        } => access::may_explain(caller, action, *is_published, *organization_id),
    };
    Ok(answer?)
}
