//! Preflight: what of a year would be lost as things stand, by unit and reason, of what is recorded now or of a draft evaluation.
//! Units are asked one after the other, so that a province's question holds nobody up.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::subject;
use crate::app::App;
use crate::domain::EvaluationId;
use crate::domain::access::{Action, Reach};
use crate::domain::calendar::Year;
pub use crate::domain::preflight::Item;
use crate::domain::preflight::{Course, Rules, Services, Unit};
pub use crate::domain::{OrganizationId, Uscc};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::{Actor, Who};
use crate::operations::policy as packs;
use crate::operations::run::may;
use crate::operations::yearly_run::basis::policy_of;
use crate::operations::yearly_run::freeze::EXPERT_PREFIX;
use crate::operations::yearly_run::{by_experts, check_year, expert};
use crate::store::organization;
use crate::store::preflight::{self as rows, HostRow, ServiceGroup};
use crate::store::yearly_run::evaluation::{self, Evaluation};
use crate::store::yearly_run::expert as points;
use crate::store::{self, Conn};

/// A question about a year. `policy` is a code or `code@version`; none is the one that registrations follow.
#[derive(Debug, Clone)]
pub struct Asked {
    pub year: i32,
    pub policy: Option<String>,
    /// None: everything the actor may ask about.
    pub organizations: Vec<OrganizationId>,
}

/// The indicators for which a unit was given points.
type Given = BTreeMap<OrganizationId, Vec<String>>;

/// What is asked of every unit.
struct Question {
    year: Year,
    rules: Rules,
    given: Given,
    /// Of a draft: itself, and whom it grades.
    draft: Option<(EvaluationId, BTreeSet<OrganizationId>)>,
    hosts: Vec<HostRow>,
    /// Hosts are not told of experts' points, which are not theirs to give, nor of findings that are not shown to them.
    sees_points: bool,
    /// The pack that was asked for by name.
    policy: Option<String>,
}

/// What the year lacks as things stand: of the host itself; to the province of any unit or of all.
pub async fn live(
    app: &App,
    actor: &Actor,
    asked: Result<Asked, AppError>,
) -> Result<Vec<Item>, AppError> {
    may(actor, Action::PreflightGet)?;
    let asked = asked?;
    check_year(asked.year, actor.now)?;
    let year = year_of(asked.year)?;
    let units = reached(actor, asked.organizations)?;
    let (today, named) = (actor.now.local_date(), asked.policy.clone());
    let sees_points =
        may(actor, Action::ExpertPointList).is_ok() || matches!(actor.who, Who::System);
    let question = move |conn: &mut Conn| -> Result<Question, AppError> {
        let policy = match &asked.policy {
            Some(name) => packs::open(&packs::get_named(conn, name, today)?)?,
            None => packs::active(conn, today)?,
        };
        Ok(Question {
            year,
            rules: Rules::of(&policy),
            given: points_of(conn, year, today)?,
            draft: None,
            sees_points,
            policy: named,
            hosts: hosts(conn, units.as_deref())?,
        })
    };
    let question = app.store.read(question).await?;
    answer(app, question).await
}

/// What the year of a draft lacks by its pack, for all units.
pub async fn of_evaluation(
    app: &App,
    actor: &Actor,
    id: EvaluationId,
) -> Result<Vec<Item>, AppError> {
    let by = actor.clone();
    let question = move |conn: &mut Conn| -> Result<Question, AppError> {
        let row: Evaluation = subject::load(conn, &by, Action::EvaluationPreflight, id)?;
        let policy = policy_of(conn, &row.lifecycle)?;
        let given = expert::points(conn, id)?.into_iter();
        let mut given: Given = given
            .map(|(unit, own)| (unit, own.into_keys().collect()))
            .collect();
        take_open(conn, row.lifecycle.year, by.now.local_date(), &mut given)?;
        let graded = evaluation::list_units(conn, id)?.into_iter();
        let year = i32::try_from(row.lifecycle.year).map_err(AppError::internal)?;
        Ok(Question {
            year: year_of(year)?,
            rules: Rules::of(&policy),
            given,
            draft: Some((id, graded.map(|unit| unit.organization_id).collect())),
            sees_points: true,
            policy: None,
            hosts: hosts(conn, None)?,
        })
    };
    let question = app.store.read(question).await?;
    answer(app, question).await
}

/// The unit with this code, for the command line.
pub async fn unit(app: &App, uscc: Uscc) -> Result<OrganizationId, AppError> {
    let find = move |conn: &mut Conn| organization::find_by_uscc(conn, &uscc);
    let found = app.store.read(find).await.map_err(AppError::from)?;
    found.map(|row| row.id).ok_or(AppError::NotFound)
}

fn year_of(year: i32) -> Result<Year, AppError> {
    year.to_string().parse().map_err(AppError::internal)
}

/// Whom the actor asks about: `None` is everybody. 422 `unknown_reference` for a unit that is not theirs to ask about.
fn reached(
    actor: &Actor,
    asked: Vec<OrganizationId>,
) -> Result<Option<Vec<OrganizationId>>, AppError> {
    let reach = match &actor.who {
        Who::System => None,
        _ => Some(Reach::of(actor.caller()?, Action::PreflightGet)),
    };
    let own = match reach {
        Some(reach) if !reach.everything => reach.host,
        _ => return Ok((!asked.is_empty()).then_some(asked)),
    };
    match asked.iter().find(|id| Some(**id) != own) {
        Some(other) => Err(unknown(*other)),
        None => Ok(Some(own.into_iter().collect())),
    }
}

fn unknown(id: OrganizationId) -> AppError {
    let fault = Fault::field("organization_id", Code::unknown_reference);
    AppError::Refused(vec![fault.actual(id.number())])
}

fn hosts(conn: &mut Conn, asked: Option<&[OrganizationId]>) -> Result<Vec<HostRow>, AppError> {
    let found = rows::list_hosts(conn, asked)?;
    let is_found = |id: &&OrganizationId| found.iter().any(|host| host.id == **id);
    match asked.unwrap_or_default().iter().find(|id| !is_found(id)) {
        Some(id) => Err(unknown(*id)),
        None => Ok(found),
    }
}

/// The indicators for which the year's points are known, imported, given by evaluators or entered by the province.
fn points_of(conn: &mut Conn, year: Year, today: NaiveDate) -> Result<Given, AppError> {
    let year = i64::from(year.number());
    let mut given = Given::new();
    for (unit, metric, _) in points::list_imported(conn, year)? {
        if let Some(indicator) = metric.strip_prefix(EXPERT_PREFIX) {
            given.entry(unit).or_default().push(indicator.to_owned());
        }
    }
    for (unit, indicator, _) in by_experts::list_means(conn, year, today)? {
        given.entry(unit).or_default().push(indicator);
    }
    for point in points::list(conn, year)? {
        let own = given.entry(point.organization_id).or_default();
        own.push(point.indicator);
    }
    take_open(conn, year, today, &mut given)?;
    Ok(given)
}

/// What an evaluator is still to give is not given yet, whatever else is there.
fn take_open(
    conn: &mut Conn,
    year: i64,
    today: NaiveDate,
    given: &mut Given,
) -> Result<(), AppError> {
    for (unit, indicator) in by_experts::list_open(conn, year, today)? {
        if let Some(own) = given.get_mut(&unit) {
            own.retain(|one| *one != indicator);
        }
    }
    Ok(())
}

async fn answer(app: &App, question: Question) -> Result<Vec<Item>, AppError> {
    let Question {
        year,
        rules,
        mut given,
        draft,
        hosts,
        sees_points,
        policy,
    } = question;
    let calendar = app.calendar().await?;
    let mut items = Vec::new();
    for host in hosts {
        let (id, rules_of_unit) = (host.id, rules.clone());
        let own = given.remove(&id).unwrap_or_default();
        let read = move |conn: &mut Conn| {
            let mut unit = read(conn, host, year, &rules_of_unit, own)?;
            let year = i64::from(year.number());
            let open = store::finding::count_undecided(conn, (id, year), !sees_points)?;
            (unit.findings, unit.first_finding_due_on) = open;
            let open = store::objection::count_open(conn, id, year)?;
            (unit.objections, unit.first_objection_due_on) = open;
            Ok::<_, AppError>(unit)
        };
        let mut unit = app.store.read(read).await?;
        if let Some((_, graded)) = &draft {
            unit.is_evaluated = graded.contains(&id);
        }
        unit.is_evaluated &= sees_points;
        let course = Course {
            year,
            rules: &rules,
            calendar: &calendar,
            policy: policy.as_deref(),
            evaluation: draft.as_ref().map(|(draft, _)| *draft),
        };
        items.extend(course.lacks_of(&unit));
    }
    Ok(items)
}

fn read(
    conn: &mut Conn,
    host: HostRow,
    year: Year,
    rules: &Rules,
    given: Vec<String>,
) -> Result<Unit, AppError> {
    let weak = rules.weak_evidence.as_ref();
    let weak = weak.map(|(classes, from)| (classes.as_slice(), *from));
    let services = rows::list_services(conn, host.id, (year, rules.income_by), weak)?;
    let requests = rows::count_requests(conn, host.id, year)?;
    let registry = rows::count_registry(conn, host.id, year, rules.registered_from)?;
    Ok(Unit {
        organization_id: host.id,
        name: host.name,
        uscc: host.uscc,
        services: services.into_iter().map(alike).collect(),
        requests: requests.requests,
        first_requested_at: requests.first_requested_at,
        drafts: registry.drafts,
        first_accepted_on: registry.first_accepted_on,
        incomplete: registry.incomplete,
        is_evaluated: registry.listed > 0,
        lacks_admin: host.lacks_admin,
        // Which of them the reader knows of is asked beside.
        findings: 0,
        first_finding_due_on: None,
        objections: 0,
        first_objection_due_on: None,
        given,
    })
}

fn alike(group: ServiceGroup) -> Services {
    Services {
        state: group.state,
        has_weak_evidence: group.has_weak_evidence,
        is_unpriced: group.is_unpriced,
        charge: group.charge,
        is_owed: group.is_owed,
        count: group.services,
        minutes: group.minutes,
        amount: group.amount_fen,
        received: group.received_fen,
        received_in_year: group.received_in_year_fen,
    }
}
