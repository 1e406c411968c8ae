//! Prices from a table: all rows or none. A row that says what is so already changes nothing; every other one becomes a price
//! of its own, and all that is wrong is told with its row and column.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::json;

use super::is_in_the_way;
use crate::domain::access::Action;
use crate::domain::tariff::Tariff;
use crate::domain::{InstrumentId, TariffId, TypedKey};
use crate::error::{AppError, Code, Fault, Location};
use crate::operations::actor::Actor;
use crate::operations::lost_zeros::Padded;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::table_fault;
use crate::store::event::{self, Subject};
use crate::store::{self, Conn, Lock};

/// A table has at most so many prices: they come in with one commit, for which others wait.
const ROWS_MAX: usize = 1_000;

/// One price, its instrument still by number.
#[derive(Debug, Clone)]
pub struct TariffRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// The number of an instrument of the caller's own organization.
    pub asset_no: TypedKey,
    /// A spreadsheet program may have had the number as a number.
    pub may_lack_zeros: bool,
    pub tariff: Tariff,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportedTariffs {
    pub created: usize,
    pub unchanged: usize,
    pub is_dry_run: bool,
}

/// Makes every price of a table, or none. 422 with every fault of every row, 409 when only other prices are in the way. A dry
/// run checks the same and only reads. The table is not read for those who may not.
pub async fn import(
    run: &Run<ImportedTariffs>,
    rows: impl Future<Output = Result<Vec<TariffRow>, AppError>>,
    is_dry_run: bool,
) -> Outcome<ImportedTariffs> {
    may(&run.actor, run.action)?;
    let rows = Arc::new(rows.await?);
    if rows.len() > ROWS_MAX {
        let fault = Fault::cell(0, "", Code::too_many_rows).limit(ROWS_MAX);
        return Err(AppError::Refused(vec![fault]));
    }
    if is_dry_run {
        let own = run.actor.clone();
        let judged = move |conn: &mut Conn| {
            let judged = judge(conn, &own, &rows)?;
            Ok(counted(&judged, true))
        };
        return run.app.store.read_snapshot(judged).await.map(Done::Now);
    }
    let part = |tx: &mut Conn, actor: &Actor, rows: &Arc<Vec<TariffRow>>| {
        let instruments: BTreeSet<InstrumentId> = known(tx, actor, rows)?.into_values().collect();
        // All instruments before their records: nobody who waits for one of them keeps others from the records.
        for instrument in &instruments {
            Lock::Instrument(*instrument).take(tx)?;
        }
        Lock::RecordsShared.take(tx)?;
        let judged = judge(tx, actor, rows)?;
        insert(tx, actor, &judged)?;
        Ok(counted(&judged, false))
    };
    run.alone().with(Ok(rows), part).await
}

/// Whether the caller may have the empty table.
pub fn may_get_template(actor: &Actor) -> Result<(), AppError> {
    may(actor, Action::TariffTemplateGet)
}

/// What a row comes to.
struct Judged {
    instrument: InstrumentId,
    tariff: Tariff,
    is_new: bool,
}

fn counted(judged: &[Judged], is_dry_run: bool) -> ImportedTariffs {
    let created = judged.iter().filter(|row| row.is_new).count();
    ImportedTariffs {
        created,
        unchanged: judged.len() - created,
        is_dry_run,
    }
}

/// The instruments of the caller's organization that the rows name, by the folded number.
fn known(
    conn: &mut Conn,
    actor: &Actor,
    rows: &[TariffRow],
) -> Result<HashMap<String, InstrumentId>, AppError> {
    let host = actor.caller()?.organization_id;
    let numbers: BTreeSet<String> = rows.iter().map(|row| row.asset_no.folded()).collect();
    let numbers: Vec<String> = numbers.into_iter().collect();
    let found = store::instrument::list_by_asset_no(conn, host, &numbers)?;
    let by_number = found
        .into_iter()
        .map(|entry| (entry.facts.asset_no.folded(), entry.id));
    Ok(by_number.collect())
}

/// Every row judged, or every fault.
fn judge(conn: &mut Conn, actor: &Actor, rows: &[TariffRow]) -> Result<Vec<Judged>, AppError> {
    let host = actor.caller()?.organization_id;
    let instruments = known(conn, actor, rows)?;
    let ids: BTreeSet<InstrumentId> = instruments.values().copied().collect();
    let ids: Vec<InstrumentId> = ids.into_iter().collect();
    let present = store::tariff::list_of_all(conn, &ids)?;
    let padded = Padded::of(store::instrument::list_zero_padded(conn, host)?);
    let mut earlier: BTreeMap<InstrumentId, Vec<(u32, Tariff)>> = BTreeMap::new();
    let (mut judged, mut faults) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let broken = row.tariff.validate().err().unwrap_or_default();
        faults.extend(broken.into_iter().map(|fault| at(row.row, fault)));
        let Some(instrument) = instruments.get(&row.asset_no.folded()).copied() else {
            let lost = padded.fault("asset_no", &row.asset_no);
            let unknown = Fault::field("asset_no", Code::unknown_reference);
            let lost = lost.filter(|_| row.may_lack_zeros);
            let fault = lost.unwrap_or_else(|| unknown.actual(row.asset_no.as_str()));
            faults.push(at(row.row, fault));
            continue;
        };
        let present = present.get(&instrument).map_or(&[][..], Vec::as_slice);
        let earlier = earlier.entry(instrument).or_default();
        let fault = in_the_way(row, present).or_else(|| repeated(row, earlier));
        faults.extend(fault.map(|fault| at(row.row, fault)));
        earlier.push((row.row, row.tariff));
        judged.push(Judged {
            instrument,
            tariff: row.tariff,
            is_new: present.iter().all(|(_, known)| *known != row.tariff),
        });
    }
    table_fault::refuse(faults)?;
    Ok(judged)
}

/// Another price there is that the row overlaps. The same price again is none.
fn in_the_way(row: &TariffRow, present: &[(TariffId, Tariff)]) -> Option<Fault> {
    let mut others = present.iter().filter(|(_, known)| *known != row.tariff);
    let (id, _) = others.find(|(_, known)| is_in_the_way(known, &row.tariff))?;
    let fault = Fault::field("valid_from", Code::tariff_overlaps);
    Some(fault.actual(id.number()))
}

/// An earlier row of the table that the row repeats or overlaps.
fn repeated(row: &TariffRow, earlier: &[(u32, Tariff)]) -> Option<Fault> {
    let (first, other) = earlier
        .iter()
        .find(|(_, other)| is_in_the_way(other, &row.tariff))?;
    let code = match *other == row.tariff {
        true => Code::duplicate,
        false => Code::tariff_overlaps,
    };
    let fault = Fault::field("valid_from", code).actual(row.tariff.period.valid_from);
    Some(fault.limit(format!("{first}, {}", row.row)))
}

/// The fault of a field, at the cell of its column.
fn at(row: u32, fault: Fault) -> Fault {
    let column = fault.name().to_owned();
    Fault {
        place: Location::Cell { row, column },
        ..fault
    }
}

fn insert(tx: &mut Conn, actor: &Actor, judged: &[Judged]) -> Result<(), AppError> {
    let host = actor.caller()?.organization_id;
    let created_at = store::yearly_run::after_freezes(tx, actor.now)?;
    for row in judged.iter().filter(|row| row.is_new) {
        let id = store::tariff::insert_unseen(tx, row.instrument, &row.tariff, created_at)?;
        let event = actor
            .event(Action::TariffCreate, Subject::new("tariff", id))
            .of(host, None)
            .after(json!({ "instrument_id": row.instrument, "tariff": row.tariff }))?;
        event::append(tx, &event)?;
    }
    let changed = judged.iter().filter(|row| row.is_new);
    let changed: BTreeSet<InstrumentId> = changed.map(|row| row.instrument).collect();
    Ok(store::tariff::refresh(tx, &changed, created_at)?)
}
