//! What the hosts of the demo have set up: every instrument open all day, every day, confirmed at once, and a manager for
//! those of the host whose people are introduced.

use serde_json::json;

use super::bytes_of;
use super::people::{HOST, Person, head_of};
use crate::app::App;
use crate::cli::acting_as;
use crate::cli::failure::Failure;
use crate::exchange::province::organizations;
use crate::exchange::sheet::Encoding;
use crate::operations::account::Role;
use crate::operations::booking::Treatment;
use crate::operations::province::{OrganizationRole, ProvinceFile};
use crate::operations::run::Run;
use crate::operations::session::Action;
use crate::operations::{booking_rules, instrument};

/// Who speaks for each host of the imported year.
pub fn heads() -> Result<Vec<Person>, Failure> {
    let wrong = |faults| Failure::Internal(format!("organizations.csv: {faults:?}"));
    let rows =
        organizations(bytes_of(ProvinceFile::Organizations), Encoding::Utf8).map_err(wrong)?;
    let (rows, _) = rows.collect_all().map_err(wrong)?;
    let hosts = rows
        .into_iter()
        .map(|row| row.value)
        .filter(|organization| organization.role == OrganizationRole::Host);
    Ok(hosts.map(|host| head_of(host.uscc.as_str())).collect())
}

/// Opens the instruments whose rules nobody has touched. What can no longer be done, because somebody suspended a host or
/// its speaker meanwhile, is left as it is.
pub async fn open_instruments(app: &App, heads: &[Person]) -> Result<(), Failure> {
    for head in heads {
        unless_refused(open_those_of(app, head).await)?;
    }
    Ok(())
}

async fn open_those_of(app: &App, head: &Person) -> Result<(), Failure> {
    let act = acting_as(app, &head.login).await?;
    for own in instrument::list_own(app, &act).await? {
        let (_, version) = booking_rules::get(app, &act, own.id).await?;
        if version == 1 {
            let rules = serde_json::from_value(json!({
                "approval": "automatic",
                "weekly_hours": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "from": "00:00", "until": "24:00"}],
                "holidays": "open",
                "lead_minutes": 0,
                "cancel_before_minutes": 0,
                "horizon_days": 365,
            }))?;
            let mut run = Run::direct(app, &act, Action::BookingRulesUpdate);
            run.versions = Some(vec![version]);
            let kept = Treatment::default();
            booking_rules::update(&run, own.id, Ok(rules), kept).await?;
        }
    }
    Ok(())
}

/// Gives the host's instruments to the introduced manager, where they have none and both are still there.
pub async fn assign_manager(app: &App, people: &[Person]) -> Result<(), Failure> {
    let is_manager = |person: &&Person| person.role == Role::InstrumentManager;
    match people.iter().find(is_manager) {
        Some(manager) => unless_refused(assign(app, manager).await),
        None => Ok(()),
    }
}

async fn assign(app: &App, manager: &Person) -> Result<(), Failure> {
    let manager = acting_as(app, &manager.login).await?.caller()?.user_id;
    let act = acting_as(app, &head_of(HOST).login).await?;
    for own in instrument::list_own(app, &act).await? {
        if own.managers.is_empty() {
            let mut run = Run::direct(app, &act, Action::InstrumentAssignManagers);
            run.versions = Some(vec![own.version]);
            instrument::assign_managers(&run, own.id, Ok(vec![manager])).await?;
        }
    }
    Ok(())
}

fn unless_refused(done: Result<(), Failure>) -> Result<(), Failure> {
    match done {
        Err(Failure::Refused(_)) => Ok(()),
        done => done,
    }
}
