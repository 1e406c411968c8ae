//! Closing several instruments of a host at once, all or those it names: one closure each, or none.

use super::{Draft, close, rule};
use crate::domain::access::Action;
use crate::domain::{InstrumentId, OrganizationId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking::{Impact, Treatment};
use crate::operations::instrument::InstrumentContext;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, Ties, authorize};
use crate::store::closure::Closure;
use crate::store::organization::Organization;
use crate::store::{self, Conn};

/// So many instruments are closed at once.
const INSTRUMENTS_MAX: usize = 500;

/// A closure of several instruments as somebody wants it.
#[derive(Debug, Clone)]
pub struct Drafts {
    pub draft: Draft,
    /// None: all that are not retired.
    pub instruments: Option<Vec<InstrumentId>>,
}

/// The closures of several instruments, by these, and the bookings they hit.
#[derive(Debug, Clone, Default)]
pub struct AllClosed {
    pub closures: Vec<Closure>,
    pub impact: Impact,
}

/// A host whose instruments are locked one by one, in the order of their ids, before anything else is.
struct Host(Organization);

impl Subject for Host {
    type Id = OrganizationId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: OrganizationId) -> Result<Self, AppError> {
        Ok(Self(store::organization::get(conn, id)?))
    }

    fn ties(&self) -> Ties {
        Ties::Organization(self.0.ties())
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// Closes them; says which bookings that hits. 422 for an instrument that is not the host's, or for too many.
pub async fn create_all(
    run: &Run<AllClosed>,
    id: OrganizationId,
    drafts: Result<Drafts, AppError>,
    treatment: Treatment,
) -> Outcome<AllClosed> {
    run.on(id, drafts, move |tx, actor, Host(host), drafts| {
        let rule = rule(&drafts.draft);
        let chosen = chosen(tx, host.id, drafts.instruments.as_deref());
        let (rule, chosen) = match (rule, chosen) {
            (Err(AppError::Refused(mut faults)), Err(AppError::Refused(others))) => {
                faults.extend(others);
                return Err(AppError::Refused(faults));
            }
            (rule, chosen) => (rule?, chosen?),
        };
        let mut all = AllClosed::default();
        for instrument in chosen {
            let context = InstrumentContext::lock_and_load(tx, actor, instrument)?;
            authorize(actor, Action::ClosureCreate, &context.ties())?;
            let closed = close(tx, actor, &context, &rule, treatment)?;
            all.closures.push(closed.closure);
            all.impact = all.impact.and(closed.impact);
        }
        Ok(all)
    })
    .await
}

/// The instruments to close, in the order of their ids.
fn chosen(
    conn: &mut Conn,
    host: OrganizationId,
    named: Option<&[InstrumentId]>,
) -> Result<Vec<InstrumentId>, AppError> {
    let own = store::instrument::list_in_service(conn, host)?;
    let many = named.map_or(own.len(), <[_]>::len);
    if many > INSTRUMENTS_MAX {
        let fault = Fault::field("instrument_ids", Code::too_many).limit(INSTRUMENTS_MAX);
        return Err(AppError::Refused(vec![fault.actual(many)]));
    }
    let Some(named) = named else {
        return Ok(own);
    };
    let mut faults = Vec::new();
    if named.is_empty() {
        faults.push(Fault::field("instrument_ids", Code::required));
    }
    let mut chosen = Vec::with_capacity(named.len());
    for (at, id) in named.iter().enumerate() {
        let field = format!("instrument_ids[{at}]");
        let code = match (own.contains(id), chosen.contains(id)) {
            (false, _) => Some(Code::unknown_reference),
            (true, true) => Some(Code::duplicate),
            (true, false) => None,
        };
        faults.extend(code.map(|code| Fault::field(field, code).actual(id.number())));
        chosen.push(*id);
    }
    AppError::refuse_all(faults)?;
    chosen.sort_unstable();
    Ok(chosen)
}
