//! A sheet of experts' points at once, as a secretary of the experts keeps it: each row gives a unit's points for an indicator of a
//! year, in place of those imported before. What evaluators or the province give stands before them.

use std::collections::{BTreeMap, BTreeSet};

use num_rational::BigRational;
use serde_json::json;

use crate::domain::access::Action;
use crate::domain::{Code, Fault, OrganizationId, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::run::{Done, Outcome, Run, may};
use crate::operations::table_fault;
use crate::operations::yearly_run::freeze::EXPERT_PREFIX;
use crate::operations::yearly_run::{check_year, refuse_locked_year};
use crate::store::event::{self, Subject};
use crate::store::{self, Conn, province};

/// The most rows of one sheet, so that other writes wait no longer than they may.
const ROWS_MAX: usize = 5_000;

/// One row, its unit still by code.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    pub year: u32,
    /// The unified social credit code of the unit.
    pub uscc: String,
    pub indicator: String,
    /// As a decimal text.
    pub points: String,
}

/// What an import did, or would do: rows of the sheet, and those that say something new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    pub rows: usize,
    pub changed: usize,
    pub is_dry_run: bool,
}

/// Takes the points of every row, or of none. A dry run checks the same and only reads. 409 `period_locked` for a final year.
pub async fn import(
    run: &Run<Imported>,
    rows: impl Future<Output = Result<Vec<ImportRow>, AppError>>,
    is_dry_run: bool,
) -> Outcome<Imported> {
    // The sheet is not read for who may not import it.
    may(&run.actor, run.action)?;
    let rows = rows.await?;
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
            record(tx, actor, &changes)?;
            Ok(imported(rows, &changes))
        })
        .await
}

/// Whether the caller may have the empty table.
pub fn may_get_template(actor: &Actor) -> Result<(), AppError> {
    may(actor, Action::ExpertPointTemplateGet)
}

/// Points that are new or other than before.
#[derive(Debug)]
struct Change {
    unit: OrganizationId,
    year: i64,
    indicator: String,
    points: String,
    is_new: bool,
}

/// What the sheet changes, in its order, or every fault of every row.
fn judge(conn: &mut Conn, actor: &Actor, rows: &[ImportRow]) -> Result<Vec<Change>, AppError> {
    if rows.len() > ROWS_MAX {
        let fault = Fault::cell(0, "", Code::too_many_rows).limit(ROWS_MAX);
        return Err(AppError::Refused(vec![fault.actual(rows.len())]));
    }
    let codes = rows.iter().map(|row| row.uscc.clone()).collect();
    let units: BTreeMap<String, (OrganizationId, bool)> =
        store::organization::list_by_usccs(conn, codes)?
            .into_iter()
            .map(|unit| (unit.uscc.as_str().to_owned(), (unit.id, unit.is_host)))
            .collect();
    let most = most_points(conn, actor)?;
    let (mut faults, mut seen, mut changes) = (Vec::new(), BTreeMap::new(), Vec::new());
    for row in rows {
        let before = faults.len();
        faults.extend(faults_of(row, actor, &most));
        let key = (row.year, &row.uscc, &row.indicator);
        if let Some(first) = seen.insert(key, row.row) {
            let fault = Fault::cell(row.row, "indicator", Code::duplicate);
            let rows = format!("{first}, {}", row.row);
            faults.push(fault.limit(rows).actual(row.indicator.as_str()));
        }
        let unit = match units.get(&row.uscc) {
            Some((unit, true)) => *unit,
            known => {
                let code = match known {
                    Some(_) => Code::organization_is_no_host,
                    None => Code::unknown_reference,
                };
                faults.push(Fault::cell(row.row, "uscc", code).actual(&row.uscc));
                continue;
            }
        };
        if faults.len() == before {
            changes.extend(change(conn, unit, row)?);
        }
    }
    table_fault::refuse(faults)?;
    let years: BTreeSet<i64> = changes.iter().map(|change| change.year).collect();
    for year in years {
        refuse_locked_year(conn, i32::try_from(year).map_err(AppError::internal)?)?;
    }
    Ok(changes)
}

/// The most points of every indicator of the packs in force.
fn most_points(conn: &mut Conn, actor: &Actor) -> Result<BTreeMap<String, BigRational>, AppError> {
    let mut most = BTreeMap::new();
    for pack in store::policy::list_in_force(conn, None, actor.now.local_date())? {
        for (indicator, max) in packs::indicators(&packs::open(&pack)?) {
            let max = ratio::parse_exact(&max).map_err(AppError::internal)?;
            let known = most.entry(indicator).or_insert_with(|| max.clone());
            if *known < max {
                *known = max;
            }
        }
    }
    Ok(most)
}

fn faults_of(row: &ImportRow, actor: &Actor, most: &BTreeMap<String, BigRational>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let year = i32::try_from(row.year).unwrap_or(i32::MAX);
    if check_year(year, actor.now).is_err() {
        let fault = Fault::cell(row.row, "year", Code::out_of_range);
        faults.push(fault.actual(row.year));
    }
    let Some(max) = most.get(&row.indicator) else {
        let fault = Fault::cell(row.row, "indicator", Code::unknown_reference);
        faults.push(fault.actual(row.indicator.as_str()));
        return faults;
    };
    if !ratio::parse(&row.points).is_ok_and(|points| points <= *max) {
        let fault = Fault::cell(row.row, "points", Code::out_of_range);
        let limit = format!("0–{}", ratio::plain(max));
        faults.push(fault.limit(limit).actual(row.points.as_str()));
    }
    faults
}

/// What a row changes; the same points written otherwise are the same.
fn change(
    conn: &mut Conn,
    unit: OrganizationId,
    row: &ImportRow,
) -> Result<Option<Change>, AppError> {
    let (year, metric) = (i64::from(row.year), metric(&row.indicator));
    let known = province::find_reported(conn, unit, year, &metric)?;
    let value = |text: &str| ratio::parse(text).ok();
    if known.as_deref().and_then(value) == value(&row.points) {
        return Ok(None);
    }
    Ok(Some(Change {
        unit,
        year,
        indicator: row.indicator.clone(),
        points: row.points.clone(),
        is_new: known.is_none(),
    }))
}

fn metric(indicator: &str) -> String {
    format!("{EXPERT_PREFIX}{indicator}")
}

/// Writes the changes, one event for each unit and year.
fn record(tx: &mut Conn, actor: &Actor, changes: &[Change]) -> Result<(), AppError> {
    let mut of_units: BTreeMap<(OrganizationId, i64), Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let own = of_units.entry((change.unit, change.year)).or_default();
        own.push(change);
    }
    for ((unit, year), own) in of_units {
        let points: BTreeMap<_, _> = own
            .iter()
            .map(|change| (&change.indicator, &change.points))
            .collect();
        let event = actor
            .event(
                Action::ExpertPointImport,
                Subject::new("organization", unit),
            )
            .after(json!({ "year": year, "points": points }))?;
        let event = event::append(tx, &event)?;
        store::yearly_run::update_to_stale(tx, year, actor.now)?;
        for change in own {
            let metric = metric(&change.indicator);
            match change.is_new {
                true => {
                    province::insert_reported(tx, unit, year, &metric, &change.points, event)?;
                }
                false => {
                    province::update_reported(tx, (unit, year, &metric), &change.points, event)?;
                }
            }
        }
    }
    Ok(())
}
