//! Who runs an instrument day by day.

use super::write::{self, Next};
use super::{Entry, InstrumentContext, entry};
use crate::app::App;
use crate::domain::access::{Action, Role};
use crate::domain::{InstrumentId, OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::bulk::{Bulk, Verdicts, themselves};
use crate::operations::run::{Outcome, Run, may};
use crate::store::{self, Conn};

/// An instrument of the caller's own organization, with its managers.
#[derive(Debug, Clone)]
pub struct Own {
    pub id: InstrumentId,
    pub version: i64,
    pub managers: Vec<UserId>,
}

/// Every instrument of the caller's own organization, in the order of ids.
pub async fn list_own(app: &App, actor: &Actor) -> Result<Vec<Own>, AppError> {
    may(actor, Action::InstrumentAssignManagers)?;
    let host = actor.caller()?.organization_id;
    app.store
        .read(move |conn| {
            let mut all = Vec::new();
            for (id, version) in store::instrument::list_of(conn, host)? {
                let managers = store::instrument::list_managers(conn, id)?;
                all.push(Own {
                    id,
                    version,
                    managers,
                });
            }
            Ok(all)
        })
        .await
}

/// Makes these people the managers of an instrument; the new ones are told. 422 `unknown_reference` for people who are no
/// instrument managers or administrators of the host.
pub async fn assign_managers(
    run: &Run<Entry>,
    id: InstrumentId,
    managers: Result<Vec<UserId>, AppError>,
) -> Outcome<Entry> {
    run.on(id, managers, |tx, actor, context, managers| {
        assign(tx, actor, context, managers)
    })
    .await
}

/// Says of several instruments who manages them, each as [`assign_managers`] does.
pub async fn assign_managers_of_all(
    run: &Run<Verdicts>,
    bulk: Result<Bulk<InstrumentId, Vec<UserId>>, AppError>,
) -> Outcome<Verdicts> {
    let single = Action::InstrumentAssignManagers;
    run.each(bulk, single, themselves, |tx, actor, context, managers| {
        assign(tx, actor, context, managers)
    })
    .await
}

fn assign(
    tx: &mut Conn,
    actor: &Actor,
    context: InstrumentContext,
    managers: &[UserId],
) -> Result<Entry, AppError> {
    let present = context.instrument;
    AppError::refuse_all(check(tx, present.organization_id, managers)?)?;
    let before = store::instrument::list_managers(tx, present.id)?;
    let is_same = before.len() == managers.len() && before.iter().all(|id| managers.contains(id));
    if is_same {
        return entry(tx, present);
    }
    let next = Next {
        action: Action::InstrumentAssignManagers,
        facts: &present.facts,
        standing: &present.standing,
        reason: None,
        managers: Some((&before, managers)),
    };
    store::instrument::update_managers(tx, present.id, managers)?;
    let assigned = write::update(tx, actor, &present, &next)?;
    entry(tx, assigned)
}

fn check(tx: &mut Conn, host: OrganizationId, managers: &[UserId]) -> Result<Vec<Fault>, AppError> {
    let roles = [Role::InstrumentManager, Role::HostAdmin];
    let eligible = store::user::list_with_roles(tx, host, &roles)?;
    let mut faults = Vec::new();
    for (at, manager) in managers.iter().enumerate() {
        let is_repeated = managers.iter().take(at).any(|earlier| earlier == manager);
        let code = match (eligible.contains(manager), is_repeated) {
            (true, false) => continue,
            (true, true) => Code::duplicate,
            (false, _) => Code::unknown_reference,
        };
        let field = format!("manager_ids[{at}]");
        faults.push(Fault::field(field, code).actual(manager.number()));
    }
    Ok(faults)
}
