//! Experts' assignments: the province asks an evaluator for points of an indicator, the evaluator gives them as often as wished
//! until they are submitted or their last day is over, and the province may withdraw the assignment with all its points.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::json;

use crate::app::App;
pub use crate::domain::ExpertAssignmentId;
use crate::domain::access::{Action, AssignmentReach, Role};
use crate::domain::account::UserState;
pub use crate::domain::expert::AssignmentState;
use crate::domain::expert::{AssignmentAction, UNITS_MAX};
use crate::domain::fault::Faults;
use crate::domain::policy::Policy;
use crate::domain::{Instant, OrganizationId, Reason, UserId, ratio};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::run::{Outcome, Run, may, personal};
use crate::operations::subject::{self, Subject, Ties};
use crate::operations::yearly_run::check_year;
use crate::store::event::{self, Subject as Noun};
use crate::store::expert_assignment::{self as rows, NewAssignment};
pub use crate::store::expert_assignment::{AssignedUnit, ExpertAssignment, Filter};
use crate::store::user::User;
use crate::store::{self, Conn, Constraint, StoreError};

impl Subject for ExpertAssignment {
    type Id = ExpertAssignmentId;

    fn lock_and_load(tx: &mut Conn, _: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Ok(rows::get_locked(tx, id)?)
    }

    fn load(conn: &mut Conn, _: &Actor, id: Self::Id) -> Result<Self, AppError> {
        Ok(rows::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Assignment(self.evaluator_user_id)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// An assignment with its units, as it stands on a day.
#[derive(Debug, Clone)]
pub struct Whole {
    pub row: ExpertAssignment,
    pub state: AssignmentState,
    pub units: Vec<AssignedUnit>,
}

impl Whole {
    fn of(row: ExpertAssignment, units: Vec<AssignedUnit>, now: Instant) -> Self {
        let state = row.state.on(now.local_date(), row.due_on);
        Self { row, state, units }
    }

    fn get(conn: &mut Conn, id: ExpertAssignmentId, now: Instant) -> Result<Self, AppError> {
        let units = rows::list_units(conn, id)?;
        Ok(Self::of(rows::get(conn, id)?, units, now))
    }
}

/// Whom the province asks for points of what. `policy` says which pack the indicator is of; none: the one that registrations follow.
#[derive(Debug, Clone)]
pub struct Asked {
    pub year: i32,
    pub policy: Option<String>,
    pub indicator: String,
    pub evaluator_user_id: UserId,
    pub organization_ids: Vec<OrganizationId>,
    pub due_on: NaiveDate,
}

/// Assigns units to an evaluator. 422 `not_an_evaluator`, `related_to_evaluator`; 409 `already_assigned` with `existing_id` and
/// the units in question.
pub async fn create(run: &Run<Whole>, asked: Result<Asked, AppError>) -> Outcome<Whole> {
    run.with(asked, insert).await
}

fn insert(tx: &mut Conn, by: &Actor, asked: &Asked) -> Result<Whole, AppError> {
    let max = refuse_faults(tx, by.now, asked)?;
    let year = i64::from(asked.year);
    refuse_assigned(tx, asked)?;
    let new = NewAssignment {
        year,
        indicator: asked.indicator.clone(),
        max,
        evaluator_user_id: asked.evaluator_user_id,
        due_on: asked.due_on,
        state: AssignmentState::Open,
        created_by: by.user_id(),
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    let id = match rows::insert(tx, &new, &asked.organization_ids) {
        // Somebody else was faster: the other assignment is seen only by a new transaction.
        Err(StoreError::Violated(Constraint::ExpertAssignmentUnit)) => {
            return Err(AppError::conflict(Code::already_assigned));
        }
        inserted => inserted?,
    };
    let event = by.event(
        Action::ExpertAssignmentCreate,
        Noun::new("expert_assignment", id),
    );
    let event = event.after(json!({
        "year": year,
        "indicator": asked.indicator,
        "evaluator_user_id": asked.evaluator_user_id,
        "organization_ids": asked.organization_ids,
        "due_on": asked.due_on,
    }))?;
    event::append(tx, &event)?;
    Whole::get(tx, id, by.now)
}

/// The most points of the indicator, or everything that is wrong.
fn refuse_faults(tx: &mut Conn, now: Instant, asked: &Asked) -> Result<String, AppError> {
    let mut faults = Faults::new();
    keep(&mut faults, check_year(asked.year, now))?;
    let policy = keep(&mut faults, pack(tx, asked.policy.as_deref(), now))?;
    let max = policy.and_then(|policy| {
        let known = packs::indicators(&policy).into_iter();
        let found = known
            .filter(|(indicator, _)| *indicator == asked.indicator)
            .map(|(_, max)| max)
            .next();
        if found.is_none() {
            let fault = Fault::field("indicator", Code::unknown_reference);
            faults.push(fault.actual(asked.indicator.as_str()));
        }
        found
    });
    let today = now.local_date();
    faults.date("due_on", Some(asked.due_on), today, NaiveDate::MAX);
    let related = match evaluator(tx, asked.evaluator_user_id)? {
        Ok(user) => related_to(tx, &user, now)?,
        Err(fault) => {
            faults.push(fault);
            BTreeSet::new()
        }
    };
    check_units(tx, &asked.organization_ids, &related, &mut faults)?;
    AppError::refuse_all(faults.into_vec())?;
    let max = max.ok_or_else(|| AppError::internal("an indicator without a maximum"))?;
    let max = ratio::parse_exact(&max).map_err(AppError::internal)?;
    Ok(ratio::plain(&max))
}

/// The faults of a part beside those of the others; any other error ends it.
fn keep<T>(faults: &mut Faults, part: Result<T, AppError>) -> Result<Option<T>, AppError> {
    match part {
        Ok(value) => Ok(Some(value)),
        Err(AppError::Refused(found)) => {
            faults.extend(found);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

fn pack(conn: &mut Conn, named: Option<&str>, now: Instant) -> Result<Policy, AppError> {
    let today = now.local_date();
    match named {
        Some(name) => packs::open(&packs::get_named(conn, name, today)?),
        None => packs::active(conn, today),
    }
}

/// The active evaluator of this id, or why there is none.
fn evaluator(conn: &mut Conn, id: UserId) -> Result<Result<User, Fault>, AppError> {
    let fault = |code| Fault::field("evaluator_user_id", code).actual(id.number());
    match store::user::get(conn, id) {
        Ok(user) if user.state == UserState::Active && user.roles.contains(&Role::Evaluator) => {
            Ok(Ok(user))
        }
        Ok(_) => Ok(Err(fault(Code::not_an_evaluator))),
        Err(StoreError::NotFound) => Ok(Err(fault(Code::unknown_reference))),
        Err(other) => Err(other.into()),
    }
}

/// The evaluator's own unit and those related to it now, declared or verified.
fn related_to(
    conn: &mut Conn,
    user: &User,
    now: Instant,
) -> Result<BTreeSet<OrganizationId>, AppError> {
    let Some(own) = user.organization_id else {
        return Ok(BTreeSet::new());
    };
    let relations = store::related_party::list_of(conn, own, None, i64::MAX)?;
    let holding = relations
        .into_iter()
        .filter(|relation| relation.since <= now && relation.until.is_none_or(|until| now < until));
    let both = holding.flat_map(|one| [one.organization_id, one.related_organization_id]);
    Ok(both.chain([own]).collect())
}

fn check_units(
    conn: &mut Conn,
    units: &[OrganizationId],
    related: &BTreeSet<OrganizationId>,
    faults: &mut Faults,
) -> Result<(), AppError> {
    if units.is_empty() {
        faults.push(Fault::required("organization_ids"));
    }
    if units.len() > UNITS_MAX {
        let fault = Fault::field("organization_ids", Code::too_many).limit(UNITS_MAX);
        faults.push(fault.actual(units.len()));
        return Ok(());
    }
    let known: BTreeMap<_, _> = rows::list_hosts_among(conn, units)?.into_iter().collect();
    let mut seen = BTreeSet::new();
    for (at, unit) in units.iter().enumerate() {
        let code = match known.get(unit) {
            _ if !seen.insert(unit) => Code::duplicate,
            None => Code::unknown_reference,
            Some(false) => Code::organization_is_no_host,
            Some(true) if related.contains(unit) => Code::related_to_evaluator,
            Some(true) => continue,
        };
        let fault = Fault::field(format!("organization_ids[{at}]"), code);
        faults.push(fault.actual(unit.number()));
    }
    Ok(())
}

/// 409 `already_assigned` when the evaluator has one of the units for the indicator of the year.
fn refuse_assigned(conn: &mut Conn, asked: &Asked) -> Result<(), AppError> {
    let key = (
        i64::from(asked.year),
        asked.indicator.as_str(),
        asked.evaluator_user_id,
    );
    let assigned = rows::list_assigned(conn, key, &asked.organization_ids)?;
    let Some((existing, _)) = assigned.first() else {
        return Ok(());
    };
    let units: Vec<i64> = assigned.iter().map(|(_, unit)| unit.number()).collect();
    Err(AppError::conflict(Code::already_assigned)
        .with("existing_id", existing.number())
        .with("organization_ids", units))
}

/// Points for a unit, as a decimal text, and why.
#[derive(Debug, Clone)]
pub struct GivenPoints {
    pub organization_id: OrganizationId,
    pub points: String,
    pub text: Option<String>,
}

/// Says the points of an assignment anew: units that are not named have none. 409 `assignment_closed`.
pub async fn score(
    run: &Run<Whole>,
    id: ExpertAssignmentId,
    given: Result<Vec<GivenPoints>, AppError>,
) -> Outcome<Whole> {
    run.on(id, given, |tx, by, row: ExpertAssignment, given| {
        let present = rows::list_units(tx, row.id)?;
        let said = said(&row, &present, given)?;
        refuse_closed(&row, by.now)?;
        let changed: Vec<_> = present
            .iter()
            .zip(&said)
            .filter(|(before, after)| !is_same(before, after))
            .map(|(_, after)| after.clone())
            .collect();
        if !changed.is_empty() {
            for unit in &changed {
                rows::update_unit(tx, row.id, unit)?;
            }
            rows::update_changed(tx, row.id, by.now)?;
            store::yearly_run::update_to_stale(tx, row.year, by.now)?;
            tell_points(tx, by, row.id, &changed)?;
        }
        Whole::get(tx, row.id, by.now)
    })
    .await
}

/// What every unit of the assignment has after this, in their order, or everything that is wrong.
fn said(
    row: &ExpertAssignment,
    units: &[AssignedUnit],
    given: &[GivenPoints],
) -> Result<Vec<AssignedUnit>, AppError> {
    let max = ratio::parse(&row.max).map_err(AppError::internal)?;
    let (mut faults, mut said) = (Faults::new(), BTreeMap::new());
    if given.len() > UNITS_MAX {
        let fault = Fault::field("items", Code::too_many).limit(UNITS_MAX);
        return Err(fault.actual(given.len()).into());
    }
    for (at, one) in given.iter().enumerate() {
        let field = |name: &str| format!("items[{at}].{name}");
        let id = one.organization_id;
        let code = match units.iter().any(|unit| unit.organization_id == id) {
            false => Some(Code::unknown_reference),
            true => said.contains_key(&id).then_some(Code::duplicate),
        };
        if let Some(code) = code {
            let fault = Fault::field(field("organization_id"), code);
            faults.push(fault.actual(id.number()));
        }
        if !ratio::parse(&one.points).is_ok_and(|points| points <= max) {
            let fault = Fault::field(field("points"), Code::out_of_range);
            let limit = format!("0–{}", ratio::plain(&max));
            faults.push(fault.limit(limit).actual(one.points.as_str()));
        }
        let text = Reason::of(&field("text"), one.text.as_deref());
        let text = text.unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        said.insert(id, (one.points.clone(), text.map(String::from)));
    }
    AppError::refuse_all(faults.into_vec())?;
    let after = |unit: &AssignedUnit| {
        let (points, text) = said.remove(&unit.organization_id).unzip();
        AssignedUnit {
            organization_id: unit.organization_id,
            points,
            text: text.flatten(),
        }
    };
    Ok(units.iter().map(after).collect())
}

/// The same points, however they are written, and the same words.
fn is_same(before: &AssignedUnit, after: &AssignedUnit) -> bool {
    let value = |unit: &AssignedUnit| unit.points.as_deref().map(ratio::parse);
    value(before) == value(after) && before.text == after.text
}

/// Points are the province's to read; the words stand beside the trail.
fn tell_points(
    tx: &mut Conn,
    by: &Actor,
    id: ExpertAssignmentId,
    units: &[AssignedUnit],
) -> Result<(), AppError> {
    let points: Vec<_> = units
        .iter()
        .map(|unit| (unit.organization_id, &unit.points))
        .collect();
    let texts: Vec<_> = units
        .iter()
        .map(|unit| (unit.organization_id, &unit.text))
        .collect();
    let event = by
        .event(
            Action::ExpertAssignmentScore,
            Noun::new("expert_assignment", id),
        )
        .after(json!({ "points": points }))?
        .personal(personal(json!({ "texts": texts }))?);
    event::append(tx, &event)?;
    Ok(())
}

/// 409 `assignment_closed` unless points can still be given.
fn refuse_closed(row: &ExpertAssignment, now: Instant) -> Result<(), AppError> {
    let state = row.state.on(now.local_date(), row.due_on);
    match state {
        AssignmentState::Open => Ok(()),
        _ => Err(AppError::conflict(Code::assignment_closed)
            .with("state", state.as_str())
            .with("due_on", row.due_on.to_string())),
    }
}

/// Submits the points for good, or withdraws the assignment, as the action says. Of a submission every unit has points: 409
/// `expert_points_missing` otherwise, `assignment_closed` when it is over.
pub async fn end(
    run: &Run<Whole>,
    id: ExpertAssignmentId,
    nothing: Result<(), AppError>,
) -> Outcome<Whole> {
    let action = run.action;
    run.on(id, nothing, move |tx, by, row: ExpertAssignment, ()| {
        let before = row.state.on(by.now.local_date(), row.due_on);
        let ending = match action {
            Action::ExpertAssignmentSubmit => {
                refuse_closed(&row, by.now)?;
                refuse_missing(tx, row.id)?;
                AssignmentAction::Submit
            }
            _ => AssignmentAction::Withdraw,
        };
        let state = before.after(ending)?;
        rows::update_state(tx, &row, state, by.now)?;
        store::yearly_run::update_to_stale(tx, row.year, by.now)?;
        let event = by
            .event(action, Noun::new("expert_assignment", row.id))
            .before(json!({ "state": before }))?
            .after(json!({ "state": state, "evaluator_user_id": row.evaluator_user_id }))?;
        event::append(tx, &event)?;
        Whole::get(tx, row.id, by.now)
    })
    .await
}

fn refuse_missing(conn: &mut Conn, id: ExpertAssignmentId) -> Result<(), AppError> {
    let units = rows::list_units(conn, id)?.into_iter();
    let missing: Vec<i64> = units
        .filter(|unit| unit.points.is_none())
        .map(|unit| unit.organization_id.number())
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => {
            Err(AppError::conflict(Code::expert_points_missing).with("organization_ids", missing))
        }
    }
}

/// One assignment; 404 when it is not the caller's to read.
pub async fn get(app: &App, actor: &Actor, id: ExpertAssignmentId) -> Result<Whole, AppError> {
    let by = actor.clone();
    app.store
        .read_snapshot(move |conn| {
            let row: ExpertAssignment = subject::load(conn, &by, Action::ExpertAssignmentGet, id)?;
            Whole::get(conn, row.id, by.now)
        })
        .await
}

/// The assignments that the filter asks for and the caller reads.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Whole>, AppError> {
    may(actor, Action::ExpertAssignmentList)?;
    let (filter, reach, now) = (filter?, AssignmentReach::of(actor.caller()?), actor.now);
    let list = move |conn: &mut Conn| {
        let found = rows::list(conn, &reach, &filter, now.local_date())?;
        let ids: Vec<_> = found.iter().map(|row| row.id).collect();
        let mut units: BTreeMap<ExpertAssignmentId, Vec<AssignedUnit>> = BTreeMap::new();
        for (id, unit) in rows::list_units_of(conn, &ids)? {
            units.entry(id).or_default().push(unit);
        }
        let whole = found.into_iter().map(|row| {
            let own = units.remove(&row.id).unwrap_or_default();
            Whole::of(row, own, now)
        });
        Ok::<_, AppError>(whole.collect())
    };
    app.store.read_snapshot(list).await
}
