//! Numbers that a unit reports for a year, of itself or of one of its instruments, as packs name them (`reported.NAME`): the unit
//! says them, a freeze takes them as they stand, and what was frozen stays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::reported::{self, ReportedNumber};
use crate::domain::{Code, Fault, InstrumentId, OrganizationId};
use crate::error::{AppError, Location};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::load;
use crate::operations::yearly_run::{check_year, refuse_locked_year};
use crate::store::event::{self, Subject};
use crate::store::organization::Organization;
use crate::store::{self, Conn, province};

/// The most numbers of one report, so that other writes wait no longer than they may.
const NUMBERS_MAX: usize = 1_000;

/// The numbers of a unit's year, those of the unit first, then by instrument, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedYear {
    pub year: i32,
    pub items: Vec<ReportedNumber>,
}

/// A report: what it does not name stays.
#[derive(Debug, Clone)]
pub struct Report {
    pub year: i32,
    pub items: Vec<ReportedNumber>,
}

/// What a unit reported for a year, for who may read its ledger.
pub async fn list(
    app: &App,
    actor: &Actor,
    unit: OrganizationId,
    year: Result<i32, AppError>,
) -> Result<ReportedYear, AppError> {
    let by = actor.clone();
    let read = move |conn: &mut Conn| {
        let unit = load::<Organization>(conn, &by, Action::ReportedNumberList, unit)?;
        let year = year?;
        check_year(year, by.now)?;
        of_year(conn, unit.id, year)
    };
    app.store.read_snapshot(read).await
}

/// Takes the numbers of a report. 422 with everything that is wrong with them, 409 `period_locked` for a year of which something is
/// final.
pub async fn report(
    run: &Run<ReportedYear>,
    unit: OrganizationId,
    report: Result<Report, AppError>,
) -> Outcome<ReportedYear> {
    run.on(unit, report, enter).await
}

fn enter(
    tx: &mut Conn,
    actor: &Actor,
    unit: Organization,
    report: &Report,
) -> Result<ReportedYear, AppError> {
    check(tx, actor, &unit, report)?;
    let present = of_year(tx, unit.id, report.year)?;
    let known: BTreeMap<_, _> = present
        .items
        .iter()
        .map(|item| (item.metric(), item.value))
        .collect();
    let changed = report.items.iter();
    let changed: Vec<&ReportedNumber> = changed
        .filter(|item| known.get(&item.metric()) != Some(&item.value))
        .collect();
    if changed.is_empty() {
        return Ok(present);
    }
    refuse_locked_year(tx, report.year)?;
    let year = i64::from(report.year);
    let told = |item: &&ReportedNumber, value: Option<i64>| json!({"instrument_id": item.instrument_id, "name": item.name, "value": value});
    let before: Vec<_> = changed
        .iter()
        .map(|item| told(item, known.get(&item.metric()).copied()))
        .collect();
    let after: Vec<_> = changed
        .iter()
        .map(|item| told(item, Some(item.value)))
        .collect();
    let event = actor
        .event(
            Action::ReportedNumberEnter,
            Subject::new("organization", unit.id),
        )
        .of(unit.id, None)
        .before(json!({"year": year, "numbers": before}))?
        .after(json!({"year": year, "numbers": after}))?;
    let event = event::append(tx, &event)?;
    store::yearly_run::update_to_stale(tx, year, actor.now)?;
    for item in changed {
        let (metric, value) = (item.metric(), item.value.to_string());
        match known.contains_key(&metric) {
            true => province::update_reported(tx, (unit.id, year, &metric), &value, event)?,
            false => province::insert_reported(tx, unit.id, year, &metric, &value, event)?,
        }
    }
    of_year(tx, unit.id, report.year)
}

fn of_year(conn: &mut Conn, unit: OrganizationId, year: i32) -> Result<ReportedYear, AppError> {
    let mut items = Vec::new();
    for (metric, value) in province::list_reported_of(conn, unit, i64::from(year))? {
        let value = value.parse().map_err(AppError::internal)?;
        items.extend(ReportedNumber::of_metric(&metric, value));
    }
    items.sort();
    Ok(ReportedYear { year, items })
}

/// Everything that is wrong with a report.
fn check(
    conn: &mut Conn,
    actor: &Actor,
    unit: &Organization,
    report: &Report,
) -> Result<(), AppError> {
    check_year(report.year, actor.now)?;
    if report.items.len() > NUMBERS_MAX {
        let fault = Fault::field("items", Code::too_many).limit(NUMBERS_MAX);
        return Err(fault.actual(report.items.len()).into());
    }
    let own = store::instrument::list_of(conn, unit.id)?.into_iter();
    let own: BTreeSet<InstrumentId> = own.map(|(id, _)| id).collect();
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    if !unit.is_host {
        faults.push(Fault::field("items", Code::organization_is_no_host));
    }
    for (at, item) in report.items.iter().enumerate() {
        let field = |name: &str| format!("items[{at}].{name}");
        if let Some(id) = item.instrument_id.filter(|id| !own.contains(id)) {
            let fault = Fault::field(field("instrument_id"), Code::unknown_reference);
            faults.push(fault.actual(id.number()));
        }
        faults.extend(reported::check(item).into_iter().map(|(name, fault)| {
            let place = Location::Field(field(name));
            Fault { place, ..fault }
        }));
        if !seen.insert(item.metric()) {
            let fault = Fault::field(field("name"), Code::duplicate);
            faults.push(fault.actual(item.name.as_str()));
        }
    }
    AppError::refuse_all(faults)
}
