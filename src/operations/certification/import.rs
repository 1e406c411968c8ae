//! A list of certified units at once, as an office publishes it: each row adds a certification or replaces the one of the same
//! kind and first day; what a unit has besides stays. Every bad row is told, and one bad row leaves nothing behind.

use std::collections::BTreeMap;

use super::record;
use crate::domain::access::{Action, Reach};
use crate::domain::certification::{self, Certification};
use crate::domain::{Code, Fault, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::subject::Subject as _;
use crate::operations::table_fault;
use crate::store::organization::Organization;
use crate::store::{self, Conn};

/// The most rows of one list, so that other writes wait no longer than they may.
const ROWS_MAX: usize = 5_000;

/// One row, its unit still by code.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// The unified social credit code of the unit.
    pub uscc: String,
    pub certification: Certification,
}

/// What an import did, or would do: rows of the list, and units that it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub rows: usize,
    pub changed: usize,
    pub is_dry_run: bool,
}

/// A table to import. Reading it takes long, so that it is read when it is known that the caller may import it.
pub struct ImportTable {
    pub read: Box<dyn FnOnce() -> Result<Vec<ImportRow>, AppError> + Send>,
    pub is_dry_run: bool,
}

impl std::fmt::Debug for ImportTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportTable")
            .field("is_dry_run", &self.is_dry_run)
            .finish_non_exhaustive()
    }
}

/// Certifies the unit of every row, or none. A dry run checks the same and only reads.
pub async fn import(
    run: &Run<Imported>,
    table: Result<ImportTable, AppError>,
) -> Outcome<Imported> {
    may(&run.actor, run.action)?;
    let ImportTable { read, is_dry_run } = table?;
    let rows = run.app.tables.run(read).await??;
    let imported = move |rows: &[ImportRow], changes: &[Change]| Imported {
        rows: rows.len(),
        changed: changes.len(),
        is_dry_run,
    };
    if is_dry_run {
        let actor = run.actor.clone();
        let check = move |conn: &mut Conn| {
            let changes = judge(conn, &actor, &rows)?;
            Ok::<_, AppError>(imported(&rows, &changes))
        };
        return run.app.store.read_snapshot(check).await.map(Done::Now);
    }
    run.alone()
        .with(Ok(rows), move |tx, actor, rows| {
            let changes = judge(tx, actor, rows)?;
            for change in &changes {
                let unit = Organization::lock_and_load(tx, actor, change.unit)?;
                record(tx, actor, &unit, (&change.before, &change.after))?;
            }
            Ok(imported(rows, &changes))
        })
        .await
}

/// Whether the caller may have the empty table.
pub fn may_get_template(actor: &Actor) -> Result<(), AppError> {
    may(actor, Action::CertificationTemplateGet)
}

/// What the list makes of one unit.
struct Change {
    unit: OrganizationId,
    before: Vec<Certification>,
    after: Vec<Certification>,
}

/// The units that change, by their ids, or every fault of every row.
fn judge(conn: &mut Conn, actor: &Actor, rows: &[ImportRow]) -> Result<Vec<Change>, AppError> {
    if rows.len() > ROWS_MAX {
        let fault = Fault::cell(0, "", Code::too_many_rows).limit(ROWS_MAX);
        return Err(AppError::Refused(vec![fault.actual(rows.len())]));
    }
    let units = units(conn, actor, rows)?;
    let ids: Vec<_> = units.values().copied().collect();
    let mut present = store::certification::list_of(conn, &ids)?;
    let mut changes: BTreeMap<OrganizationId, Change> = BTreeMap::new();
    let (mut faults, mut seen) = (Vec::new(), BTreeMap::new());
    for row in rows {
        let one = &row.certification;
        faults.extend(faults_of(row));
        let key = (&row.uscc, &one.certification, one.valid_from_on);
        if let Some(first) = seen.insert(key, row.row) {
            let fault = Fault::cell(row.row, "certification", Code::duplicate);
            let rows = format!("{first}, {}", row.row);
            faults.push(fault.limit(rows).actual(one.certification.as_str()));
        }
        let Some(unit) = units.get(&row.uscc).copied() else {
            let fault = Fault::cell(row.row, "uscc", Code::unknown_reference);
            faults.push(fault.actual(&row.uscc));
            continue;
        };
        let change = changes.entry(unit).or_insert_with(|| {
            let before = present.remove(&unit).unwrap_or_default();
            Change {
                unit,
                after: before.clone(),
                before,
            }
        });
        change.take(one);
        if let Err(too_many) = certification::check_count(&change.after) {
            faults.push(Fault {
                place: Fault::cell(row.row, "uscc", too_many.code).place,
                ..too_many
            });
        }
    }
    table_fault::refuse(faults)?;
    let changed = changes.into_values();
    Ok(changed
        .filter(|change| change.before != change.after)
        .collect())
}

impl Change {
    fn take(&mut self, one: &Certification) {
        let is_same = |known: &&mut Certification| {
            (&known.certification, known.valid_from_on) == (&one.certification, one.valid_from_on)
        };
        match self.after.iter_mut().find(is_same) {
            Some(known) => *known = one.clone(),
            None => self.after.push(one.clone()),
        }
    }
}

/// The units of the rows that the caller certifies, by their codes.
fn units(
    conn: &mut Conn,
    actor: &Actor,
    rows: &[ImportRow],
) -> Result<BTreeMap<String, OrganizationId>, AppError> {
    let reach = Reach::of(actor.caller()?, Action::CertificationUpdate);
    let codes = rows.iter().map(|row| row.uscc.clone()).collect();
    let found = store::organization::list_by_usccs(conn, codes)?;
    let covered = found
        .into_iter()
        .filter(|unit| reach.covers_organization(&unit.ties()));
    Ok(covered
        .map(|unit| (unit.uscc.as_str().to_owned(), unit.id))
        .collect())
}

/// What is wrong with the certification of a row, at its cells.
fn faults_of(row: &ImportRow) -> Vec<Fault> {
    let one = std::slice::from_ref(&row.certification);
    let found = certification::check(one).err().unwrap_or_default();
    let at_cell = |fault: Fault| {
        let column = fault
            .name()
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        Fault {
            place: Fault::cell(row.row, column, fault.code).place,
            ..fault
        }
    };
    found.into_iter().map(at_cell).collect()
}
