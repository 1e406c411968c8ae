//! The asset ledger of a unit: imported by the unit, all rows or none, and read by who supervises it. A row that says what is so
//! already changes nothing; what a table does not name stays. The unit's duties follow at once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::fault::Faults;
use crate::domain::{AssetId, Code, Fault, OrganizationId, TypedKey};
use crate::error::{AppError, Location};
use crate::operations::actor::Actor;
use crate::operations::duty;
use crate::operations::lost_zeros::Padded;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::load;
use crate::operations::table_fault;
use crate::store::asset_ledger as rows;
pub use crate::store::asset_ledger::{Asset, Facts};
use crate::store::event::{self, Subject};
use crate::store::organization::Organization;
use crate::store::{self, Conn};

/// The most rows of one table, so that other writes wait no longer than they may.
const ROWS_MAX: usize = 5_000;

/// One row of a table.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// A spreadsheet program may have had the number as a number.
    pub may_lack_zeros: bool,
    pub facts: Facts,
}

/// A table to import. Reading it takes long, so that it is read when it is known that the caller may import it.
pub struct LedgerTable {
    pub read: Box<dyn FnOnce() -> Result<Vec<LedgerRow>, AppError> + Send>,
    pub is_dry_run: bool,
}

impl std::fmt::Debug for LedgerTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerTable")
            .field("is_dry_run", &self.is_dry_run)
            .finish_non_exhaustive()
    }
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedLedger {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
    pub is_dry_run: bool,
}

/// Enters every row or none; 422 with every fault of every row. A dry run does the same and takes it back.
pub async fn import(
    run: &Run<ImportedLedger>,
    id: OrganizationId,
    table: Result<LedgerTable, AppError>,
) -> Outcome<ImportedLedger> {
    let LedgerTable { read, is_dry_run } = match table {
        Ok(table) => table,
        Err(fault) => return run.refuse::<Organization>(id, fault).await,
    };
    let actor = run.actor.clone();
    let admit = move |conn: &mut Conn| {
        load::<Organization>(conn, &actor, Action::AssetLedgerImport, id).map(drop)
    };
    run.app.store.read(admit).await?;
    let read = run.app.tables.run(read).await?;
    let run = run.alone().dry(is_dry_run);
    run.on(id, read, move |tx, by, unit: Organization, sent| {
        let change = judge(tx, unit.id, sent, by.now.local_date())?;
        let done = change.counted(sent.len(), is_dry_run);
        if change.is_empty() {
            return Ok(done);
        }
        write(tx, by, unit.id, (&change, done))?;
        Ok(done)
    })
    .await
}

/// What a table makes of the ledger.
#[derive(Debug, Default)]
struct Change {
    new: Vec<Facts>,
    other: Vec<(AssetId, Facts)>,
}

impl Change {
    fn is_empty(&self) -> bool {
        self.new.is_empty() && self.other.is_empty()
    }

    fn counted(&self, rows: usize, is_dry_run: bool) -> ImportedLedger {
        let (created, updated) = (self.new.len(), self.other.len());
        ImportedLedger {
            created,
            updated,
            unchanged: rows.saturating_sub(created + updated),
            is_dry_run,
        }
    }
}

fn judge(
    tx: &mut Conn,
    unit: OrganizationId,
    sent: &[LedgerRow],
    today: NaiveDate,
) -> Result<Change, AppError> {
    if sent.len() > ROWS_MAX {
        let fault = Fault::cell(0, "", Code::too_many_rows).limit(ROWS_MAX);
        return Err(AppError::Refused(vec![fault.actual(sent.len())]));
    }
    let present: BTreeMap<String, Asset> = rows::list_all(tx, unit)?
        .into_iter()
        .map(|asset| (asset.asset_no.folded(), asset))
        .collect();
    let mut padded = store::instrument::list_zero_padded(tx, unit)?;
    padded.extend(
        present
            .values()
            .map(|asset| asset.asset_no.clone())
            .filter(is_padded),
    );
    let padded = Padded::of(padded);
    let (mut change, mut faults, mut seen) = (Change::default(), Vec::new(), BTreeMap::new());
    for row in sent {
        let key = row.facts.asset_no.folded();
        faults.extend(faults_of(row, today));
        if let Some(first) = seen.insert(key.clone(), row.row) {
            let fault = Fault::cell(row.row, "asset_no", Code::duplicate);
            let rows = format!("{first}, {}", row.row);
            faults.push(fault.limit(rows).actual(row.facts.asset_no.as_str()));
        }
        match present.get(&key) {
            Some(known) if known.facts() == row.facts => {}
            Some(known) => change.other.push((known.id, row.facts.clone())),
            None => {
                let lost = padded.fault("asset_no", &row.facts.asset_no);
                let lost = lost.filter(|_| row.may_lack_zeros);
                faults.extend(lost.map(|fault| at(row.row, fault)));
                change.new.push(row.facts.clone());
            }
        }
    }
    table_fault::refuse(faults)?;
    Ok(change)
}

fn is_padded(number: &TypedKey) -> bool {
    number.as_str().starts_with('0')
}

/// What is wrong with a row by itself, at its cells.
fn faults_of(row: &LedgerRow, today: NaiveDate) -> Vec<Fault> {
    let (facts, mut faults) = (&row.facts, Faults::new());
    faults.key("asset_no", &facts.asset_no, 64);
    faults.text("name", &facts.name, 200);
    faults.amount("original_value_fen", facts.original_value_fen, 0);
    let first = NaiveDate::from_ymd_opt(1950, 1, 1).unwrap_or(today);
    faults.date("accepted_on", Some(facts.accepted_on), first, today);
    faults.date("disposed_on", facts.disposed_on, first, today);
    if let Some(disposed_on) = facts.disposed_on.filter(|on| *on < facts.accepted_on) {
        let fault = Fault::field("disposed_on", Code::dates_out_of_order);
        let limit = format!("accepted_on {}", facts.accepted_on);
        faults.push(fault.limit(limit).actual(disposed_on));
    }
    let found = faults.into_vec().into_iter();
    found.map(|fault| at(row.row, fault)).collect()
}

/// The fault of a field, at the cell of its column.
fn at(row: u32, fault: Fault) -> Fault {
    let column = fault.name().to_owned();
    Fault {
        place: Location::Cell { row, column },
        ..fault
    }
}

fn write(
    tx: &mut Conn,
    by: &Actor,
    unit: OrganizationId,
    (change, done): (&Change, ImportedLedger),
) -> Result<(), AppError> {
    rows::insert(tx, unit, &change.new, by.now)?;
    for (id, facts) in &change.other {
        rows::update(tx, *id, facts, by.now)?;
    }
    let event = by
        .event(
            Action::AssetLedgerImport,
            Subject::new("organization", unit),
        )
        .of(unit, None)
        .after(json!({ "created": done.created, "updated": done.updated }))?;
    event::append(tx, &event)?;
    duty::of_organization(tx, unit, by.now)
}

/// The ledger of a unit: after an id, at most so many.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
    page: Result<(Option<AssetId>, i64), AppError>,
) -> Result<Vec<Asset>, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            load::<Organization>(conn, &actor, Action::AssetLedgerList, id)?;
            let (after, limit) = page?;
            Ok(rows::list(conn, id, after, limit)?)
        })
        .await
}
