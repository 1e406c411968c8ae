//! Entries from a table: all rows or none. Every row is judged as a single entry would be, and all that is wrong is told
//! with its row and column.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::check::{Rules, exemption_of};
use super::row::InstrumentRow;
use super::write::{self, Next};
use crate::app::App;
use crate::config::Config;
use crate::domain::OrganizationId;
use crate::domain::access::Action;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::run::perform_alone;
use crate::operations::table_fault;
use crate::store::instrument::{Instrument, Standing};
use crate::store::{self, Conn};

crate::vocabulary! {
    /// What a row with a known asset number means.
    ImportMode {
        /// A mistake.
        Create = "create",
        /// A change of that entry.
        Upsert = "upsert",
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Imported {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
}

/// The rows of a table with their numbers there, and what to do with them.
#[derive(Debug, Clone)]
pub struct Import {
    pub host: OrganizationId,
    pub rows: Vec<(u32, InstrumentRow)>,
    pub mode: ImportMode,
    /// Only judge the rows.
    pub is_dry_run: bool,
}

/// Imports the instruments of a host. 422, or 409 when only other entries are in the way, with one entry for
/// each fault of each row; then nothing was imported.
pub async fn import(app: &App, actor: &Actor, import: Import) -> Result<Imported, AppError> {
    admit(actor, import.host)?;
    let (app_of_action, actor_of_action) = (app.clone(), actor.clone());
    let action = move |tx: &mut Conn| {
        let today = actor_of_action.now.local_date();
        let planned = plan(tx, &app_of_action.config, &import, today)?;
        if !import.is_dry_run {
            carry_out(tx, &actor_of_action, import.host, &planned)?;
        }
        Ok(counted(&planned))
    };
    perform_alone(app, actor, action).await
}

fn admit(actor: &Actor, host: OrganizationId) -> Result<(), AppError> {
    crate::operations::run::may(actor, Action::InstrumentImport)?;
    match actor.caller() {
        Ok(caller) if caller.organization_id != host => Err(AppError::Denied(Code::forbidden)),
        _ => Ok(()),
    }
}

/// What one row comes to.
enum Step {
    Create(InstrumentFacts),
    Update(Box<Instrument>, InstrumentFacts),
    Leave,
}

fn plan(
    conn: &mut Conn,
    config: &Config,
    import: &Import,
    today: chrono::NaiveDate,
) -> Result<Vec<Step>, AppError> {
    let rules = Rules::read(conn, config, today)?;
    let mut known = present(conn, import)?;
    let mut asset_nos = HashSet::new();
    let (mut steps, mut faults) = (Vec::with_capacity(import.rows.len()), Vec::new());
    for (number, row) in &import.rows {
        let mut wrong = Vec::new();
        if !asset_nos.insert(row.asset_no.as_str()) {
            wrong.push(fault_of(row, Code::duplicate));
        }
        let step = match known.remove(&row.asset_no) {
            None => plan_new(&rules, row, &mut wrong),
            Some(_) if import.mode == ImportMode::Create => {
                wrong.push(fault_of(row, Code::asset_no_used));
                plan_new(&rules, row, &mut wrong)
            }
            Some(present) => Some(plan_change(conn, &rules, row, present, &mut wrong)?),
        };
        steps.extend(step);
        faults.extend(wrong.into_iter().map(|fault| at_cell(*number, fault)));
    }
    table_fault::refuse(faults)?;
    Ok(steps)
}

/// The entries of the host that the rows name, by number.
fn present(conn: &mut Conn, import: &Import) -> Result<HashMap<String, Instrument>, AppError> {
    let numbers = import.rows.iter().map(|(_, row)| row.asset_no.as_str());
    let numbers: Vec<&str> = numbers.collect();
    let known = store::instrument::list_by_asset_no(conn, import.host, &numbers)?;
    let by_number = known
        .into_iter()
        .map(|entry| (entry.asset_no.clone(), entry));
    Ok(by_number.collect())
}

fn fault_of(row: &InstrumentRow, code: Code) -> Fault {
    Fault::field("asset_no", code).actual(row.asset_no.as_str())
}

fn plan_new(rules: &Rules, row: &InstrumentRow, wrong: &mut Vec<Fault>) -> Option<Step> {
    let facts = row.new_facts(wrong)?;
    let told: Vec<Location> = wrong.iter().map(|fault| fault.place.clone()).collect();
    let judged = rules.check_new(&facts).into_iter();
    // What is missing or unreadable is told once, not judged besides.
    wrong.extend(judged.filter(|fault| !told.contains(&fault.place)));
    Some(Step::Create(facts))
}

fn plan_change(
    conn: &mut Conn,
    rules: &Rules,
    row: &InstrumentRow,
    present: Instrument,
    wrong: &mut Vec<Fault>,
) -> Result<Step, AppError> {
    let before = present.facts();
    let facts = row.changed_facts(before.clone(), wrong);
    if facts == before {
        return Ok(Step::Leave);
    }
    if present.state == InstrumentState::Retired {
        wrong.push(fault_of(row, Code::invalid_state));
    }
    let exemption = exemption_of(conn, &present)?;
    wrong.extend(rules.check_change(&present, &facts, exemption));
    Ok(Step::Update(Box::new(present), facts))
}

/// The fault of a field, at the column that says it.
fn at_cell(row: u32, fault: Fault) -> Fault {
    let column = match &fault.place {
        Location::Field(field) => column_of(field).to_owned(),
        _ => String::new(),
    };
    Fault {
        place: Location::Cell { row, column },
        ..fault
    }
}

fn column_of(field: &str) -> &str {
    match field {
        "public_contact" | "public_contact.name" => "contact_name",
        "public_contact.phone" => "contact_phone",
        "public_contact.email" => "contact_email",
        field if field.starts_with("subjects") => "subjects",
        field => field,
    }
}

fn carry_out(
    tx: &mut Conn,
    actor: &Actor,
    host: OrganizationId,
    steps: &[Step],
) -> Result<(), AppError> {
    let created = steps.iter().filter_map(|step| match step {
        Step::Create(facts) => Some(facts),
        Step::Update(..) | Step::Leave => None,
    });
    write::insert(tx, actor, host, &created.collect::<Vec<_>>())?;
    for step in steps {
        if let Step::Update(present, facts) = step {
            let next = Next {
                action: Action::InstrumentChange,
                facts,
                standing: &Standing::of(present),
                reason: None,
                told: &[],
                managers: None,
            };
            write::update(tx, actor, present, &next)?;
        }
    }
    Ok(())
}

fn counted(steps: &[Step]) -> Imported {
    let mut imported = Imported::default();
    for step in steps {
        match step {
            Step::Create(_) => imported.created += 1,
            Step::Update(..) => imported.updated += 1,
            Step::Leave => imported.unchanged += 1,
        }
    }
    imported
}
