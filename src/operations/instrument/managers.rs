//! Who runs an instrument day by day.

use super::write::{self, Next};
use super::{Entry, admit, entry};
use crate::app::App;
use crate::domain::access::{self, Action, Caller, Role};
use crate::domain::{InstrumentId, OrganizationId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store::instrument::Standing;
use crate::store::{self, Conn, Lock};

/// An instrument of the caller's own organization, with its managers.
#[derive(Debug, Clone)]
pub struct Own {
    pub id: InstrumentId,
    pub version: i64,
    pub managers: Vec<UserId>,
}

/// Every instrument of the caller's own organization, in the order of ids.
pub async fn list_own(app: &App, caller: &Caller) -> Result<Vec<Own>, AppError> {
    access::may(caller, Action::InstrumentAssignManagers)?;
    let host = caller.organization_id;
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
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    version: Option<i64>,
    managers: Vec<UserId>,
) -> Result<Entry, AppError> {
    let act_of_action = actor.clone();
    perform(app, actor, move |tx| {
        Lock::Instrument(id).take(tx)?;
        let caller = act_of_action.caller()?;
        let present = admit(tx, caller, id, Action::InstrumentAssignManagers)?;
        same_version(version, present.version)?;
        AppError::refuse_all(check(tx, present.organization_id, &managers)?)?;
        let before = store::instrument::list_managers(tx, id)?;
        let next = Next {
            action: Action::InstrumentAssignManagers,
            facts: &present.facts(),
            standing: &Standing::of(&present),
            reason: None,
            managers: Some((&before, &managers)),
        };
        store::instrument::update_managers(tx, id, &managers)?;
        let actor = act_of_action.clone();
        let assigned = write::update(tx, &actor, &present, &next)?;
        entry(tx, assigned)
    })
    .await
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
