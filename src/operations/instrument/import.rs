//! Entries from a table: all rows or none. Every row is judged as a single entry would be, and all that is wrong is told
//! with its row and column.

mod plan;

use std::collections::HashMap;

use serde::Serialize;

use super::check::Rules;
use super::row::{Empty, InstrumentRow};
use crate::domain::access::Action;
use crate::domain::exemption::ExemptionState;
use crate::domain::instrument::{InstrumentFacts, InstrumentState};
use crate::domain::{Instant, OrganizationId};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::lost_zeros::Padded;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::{booking, table_fault, table_import};
use crate::store::instrument::Instrument;
use crate::store::{self, Conn};
use plan::{Basis, ImportPlan};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
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
    pub empty: Empty,
    /// Only judge the rows.
    pub is_dry_run: bool,
}

/// Imports the instruments of a host. 422, or 409 when only other entries are in the way, with one entry for
/// each fault of each row; then nothing was imported. A dry run only reads. The table is not read for those who may not.
pub async fn import(
    run: &Run<Imported>,
    read: impl Future<Output = Result<Import, AppError>>,
) -> Outcome<Imported> {
    may(&run.actor, run.action)?;
    let import = read.await?;
    match run.actor.caller() {
        Ok(caller) if caller.organization_id != import.host => {
            return Err(AppError::Denied(Code::forbidden));
        }
        _ => {}
    }
    let is_dry_run = import.is_dry_run;
    let judge = {
        let actor = run.actor.clone();
        let import = std::sync::Arc::new(import);
        move |conn: &mut Conn| judge(conn, &actor, &import)
    };
    if is_dry_run {
        let counted = move |conn: &mut Conn| Ok(judge(conn)?.counted());
        return run.app.store.read_snapshot(counted).await.map(Done::Now);
    }
    table_import::run(run, judge).await
}

/// Whether the actor may have the empty table to fill in.
pub fn may_get_template(actor: &Actor) -> Result<(), AppError> {
    may(actor, Action::InstrumentTemplateGet)
}

/// What one row comes to.
enum Step {
    Create(InstrumentFacts),
    Update(Box<Instrument>, InstrumentFacts),
    Leave(Box<Instrument>),
}

impl Step {
    fn is_written(&self) -> bool {
        !matches!(self, Step::Leave(_))
    }
}

fn judge(conn: &mut Conn, actor: &Actor, import: &Import) -> Result<ImportPlan, AppError> {
    let rules = Rules::read(conn, actor.now.local_date())?;
    let basis = Basis::read(conn, import.host)?;
    let mut known = present(conn, import)?;
    let padded = Padded::of(store::instrument::list_zero_padded(conn, import.host)?);
    let mut asset_nos = HashMap::new();
    let (mut steps, mut faults) = (Vec::with_capacity(import.rows.len()), Vec::new());
    for (number, row) in &import.rows {
        let mut wrong = Vec::new();
        let key = row.asset_no.folded();
        let present = known.remove(&key);
        match asset_nos.get(&key) {
            Some(first) => {
                let twice = fault_of(row, Code::duplicate);
                wrong.push(twice.limit(format!("{first}, {number}")));
            }
            None => wrong.extend(row.registry_faults(import.host, present.as_ref())),
        }
        let step = match present {
            None => {
                let lost = padded.fault("asset_no", &row.asset_no);
                wrong.extend(lost.filter(|_| row.may_lack_zeros()));
                judge_new(&rules, row, &mut wrong)
            }
            Some(_) if import.mode == ImportMode::Create => {
                wrong.push(fault_of(row, Code::asset_no_used));
                judge_new(&rules, row, &mut wrong)
            }
            Some(present) => {
                let exemption = basis.exemption_of(present.id);
                let facts = row.changed_facts(present.facts.clone(), import.empty, &mut wrong);
                Some(judge_change(
                    &rules,
                    (row, facts),
                    present,
                    exemption,
                    &mut wrong,
                ))
            }
        };
        if let Some(Step::Update(present, facts)) = &step {
            wrong.extend(withdrawn(conn, present, facts, actor.now)?);
        }
        asset_nos.entry(key).or_insert(*number);
        steps.extend(step);
        faults.extend(wrong.into_iter().map(|fault| at_cell(*number, fault)));
    }
    table_fault::refuse(faults)?;
    Ok(ImportPlan::new(actor, basis, steps))
}

/// The entries of the host that the rows name, by the folded number.
fn present(conn: &mut Conn, import: &Import) -> Result<HashMap<String, Instrument>, AppError> {
    let numbers = import.rows.iter().map(|(_, row)| row.asset_no.folded());
    let numbers: Vec<String> = numbers.collect();
    let known = store::instrument::list_by_asset_no(conn, import.host, &numbers)?;
    let by_number = known
        .into_iter()
        .map(|entry| (entry.facts.asset_no.folded(), entry));
    Ok(by_number.collect())
}

fn fault_of(row: &InstrumentRow, code: Code) -> Fault {
    Fault::field("asset_no", code).actual(row.asset_no.as_str())
}

fn judge_new(rules: &Rules, row: &InstrumentRow, wrong: &mut Vec<Fault>) -> Option<Step> {
    let facts = row.new_facts(wrong)?;
    let told: Vec<Location> = wrong.iter().map(|fault| fault.place.clone()).collect();
    let judged = rules.check_new(&facts).into_iter();
    // What is missing or unreadable is told once, not judged besides.
    wrong.extend(judged.filter(|fault| !told.contains(&fault.place)));
    Some(Step::Create(facts))
}

fn judge_change(
    rules: &Rules,
    (row, facts): (&InstrumentRow, InstrumentFacts),
    present: Instrument,
    exemption: Option<ExemptionState>,
    wrong: &mut Vec<Fault>,
) -> Step {
    if facts == present.facts {
        return Step::Leave(Box::new(present));
    }
    if present.standing.state == InstrumentState::Retired {
        wrong.push(fault_of(row, Code::invalid_state));
    }
    let told: Vec<Location> = wrong.iter().map(|fault| fault.place.clone()).collect();
    let judged = rules.check_change(&present, &facts, exemption).into_iter();
    wrong.extend(judged.filter(|fault| !told.contains(&fault.place)));
    Step::Update(Box::new(present), facts)
}

/// What becomes of bookings on channels that are no longer offered cannot be said in a table.
fn withdrawn(
    conn: &mut Conn,
    present: &Instrument,
    facts: &InstrumentFacts,
    now: Instant,
) -> Result<Option<Fault>, AppError> {
    if facts.channels >= present.facts.channels {
        return Ok(None);
    }
    let said = (facts.channels, facts.share_mode);
    let hit = booking::count_withdrawn(conn, present.id, said, now)?;
    let fault = Fault::field("channels", Code::bookings_affected).actual(hit);
    Ok((hit > 0).then_some(fault))
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
