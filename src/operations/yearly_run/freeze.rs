//! Freezing: from the records of a year, as they were at an event, to the inputs of its evaluation.

mod detail;
mod registry;
mod request;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};

use crate::domain::calendar::Calendar;
use crate::domain::certification::Certification;
pub use crate::domain::evaluation::ExpertPoints;
use crate::domain::evaluation::{
    Effects, Format, Host, HostCounts, Inputs, Judge, Relations, RequestGroup, UsingUnit,
};
use crate::domain::policy::{Grade, Grain, IncomeBy, Policy, Span, YearRule, YearSpan};
use crate::domain::{EventId, Instant, OrganizationId, Slot, UsageRecordId};
use crate::error::AppError;
use crate::operations::finding::effect;
use crate::store::yearly_input::{self, Member, Scope};
use crate::store::{self, Conn};
pub use detail::{ChangedCertification, HeldDays};
pub(super) use detail::{Details, changed_certifications};

/// The metrics a unit reports for a year, as `reported_metric` names them.
pub const REQUESTS_RECEIVED: &str = "requests_received";
pub const REQUESTS_ANSWERED: &str = "requests_answered_in_time";
/// Followed by the id of the score.
pub const EXPERT_PREFIX: &str = "expert:";

/// What days cover in the platform's zone, seen from a freeze, with income by its payment.
pub fn scope(
    of: &YearSpan,
    frozen_at: Instant,
    frozen_event_id: Option<EventId>,
) -> Result<Scope, AppError> {
    let Span { first_on, last_on } = of.span;
    let next = last_on.succ_opt();
    let next = next.ok_or_else(|| AppError::internal("the calendar ends"))?;
    let period = Slot::new(Instant::at_midnight(first_on), Instant::at_midnight(next));
    Ok(Scope {
        year: of.year,
        period: period.map_err(AppError::internal)?,
        first_on,
        last_on,
        days_of_year: of.days_of_year,
        income_by: IncomeBy::PaidOn,
        frozen_at,
        frozen_event_id,
    })
}

/// A calendar year, whatever a pack's year is.
pub fn calendar_year(year: i32) -> Result<YearSpan, AppError> {
    let whole = YearRule::default().whole(year);
    whole.map_err(AppError::internal)
}

/// Everything one freeze works with.
struct Freeze<'a> {
    scope: &'a Scope,
    relations: Relations,
    effects: &'a Effects,
    /// The records on which a finding has an effect: they are not summed with the others.
    apart: Vec<UsageRecordId>,
    /// The facts are to say which instruments are sets: the pack asks it, or they were frozen for one that did. What was frozen
    /// before sets were known stays what it was.
    asks_sets: bool,
}

/// The inputs stored at a freeze, told again where the records have no versions.
#[derive(Debug)]
pub struct Known<'a> {
    pub inputs: &'a Inputs,
    /// Organizations not changed since then are what they were at the freeze.
    pub since: Instant,
}

/// What a unit has besides its instruments, as it is put together.
#[derive(Default)]
struct UnitFacts {
    counts: HostCounts,
    requests: Vec<RequestGroup>,
    reported: BTreeMap<String, i64>,
}

/// Reads the inputs. Organizations and the calendar have no versions: `known` tells what they were at the freeze.
pub fn read(
    conn: &mut Conn,
    scope: &Scope,
    policy: &Policy,
    calendar: &Calendar,
    experts: ExpertPoints,
    known: Option<Known<'_>>,
) -> Result<Inputs, AppError> {
    let relations = Relations::new(yearly_input::list_related(conn, scope)?);
    let known_inputs = known.as_ref().map(|known| known.inputs);
    let format = known_inputs.map_or(Format::Facts, Inputs::format);
    let days = match &known {
        Some(known) => known.inputs.days().clone(),
        None => calendar.days_within(scope.first_on, last_deadline_on(scope)),
    };
    let effects = effects(conn, scope, known_inputs)?;
    let grain = grain(policy, known_inputs);
    let freeze = Freeze {
        scope,
        relations,
        effects: &effects,
        apart: effects.records.keys().copied().collect(),
        asks_sets: grain.sets,
    };
    let mut registry = freeze.registry(conn)?;
    let held = known_inputs.and_then(Inputs::certified);
    let details = Details::new(grain, held);
    let asks_days = details.are_asked();
    let service = freeze.services(conn, &registry.hosts, details)?;
    let mut facts: BTreeMap<OrganizationId, UnitFacts> = BTreeMap::new();
    freeze.add_requests(conn, &mut facts, &mut registry)?;
    let mut members: BTreeMap<OrganizationId, Member> = yearly_input::list_members(conn)?
        .into_iter()
        .map(|member| (member.id, member))
        .collect();
    if let Some(known) = known {
        restore(&mut members, &known)?;
    }
    let hosts: BTreeSet<OrganizationId> = registry.hosts.values().copied().collect();
    let certified = certified(conn, scope, &members, known_inputs)?;
    let adopted = adopted(conn, scope, known_inputs)?;
    let using_units = using_units(&service, &members, &certified)?;
    let certified_days = certified_days(conn, &using_units, asks_days, known_inputs)?;
    let units = units(
        &hosts,
        &members,
        (&certified, &adopted),
        facts,
        service.answers,
        experts,
    )?;
    let inputs = Inputs::assemble_of(
        scope.year_span(),
        units,
        registry.instruments,
        using_units,
        service.cells,
    );
    let inputs = inputs
        .map_err(AppError::internal)?
        .with_days(days)
        .with_effects(effects)
        .with_certified(certified_days)
        .frozen_on_day(scope.frozen_at.local_date());
    Ok(match format {
        Format::Facts => inputs,
        // What was stored with verdicts is compared with verdicts.
        Format::Positional | Format::Keyed => Judge::new(&inputs, policy).with_verdicts(format),
    })
}

/// How fine the facts are: facts that a what-if took may be finer than it asks.
fn grain(policy: &Policy, known: Option<&Inputs>) -> Grain {
    let asked = policy.grain();
    known.map_or(asked, |known| known.grain(asked))
}

/// The days on which using units are certified, where the pack asks them: of what was frozen, those that were.
fn certified_days(
    conn: &mut Conn,
    using_units: &[UsingUnit],
    are_asked: bool,
    known: Option<&Inputs>,
) -> Result<Option<crate::domain::evaluation::Certified>, AppError> {
    match known {
        Some(known) => Ok(known.certified().cloned()),
        None if are_asked => {
            let users = using_units.iter().map(|user| user.organization_id);
            let users: Vec<OrganizationId> = users.collect();
            Ok(Some(detail::certified_of(conn, &users)?))
        }
        None => Ok(None),
    }
}

/// Everybody who used an instrument or paid for it.
fn using_units(
    service: &service::Services,
    members: &BTreeMap<OrganizationId, Member>,
    certified: &Certified,
) -> Result<Vec<UsingUnit>, AppError> {
    let cells = service.cells.iter();
    let users: BTreeSet<_> = cells.map(|(_, cell)| cell.key.using_unit_id).collect();
    let using_unit = |id| {
        let member = member(members, id)?;
        Ok(UsingUnit {
            organization_id: id,
            uscc: member.uscc.to_string(),
            region_code: member.region_code.to_string(),
            kind: Some(member.kind),
            certifications: certified.get(&id).cloned().unwrap_or_default(),
        })
    };
    users.into_iter().map(using_unit).collect()
}

/// What organizations were certified as on the last day of the year.
type Certified = BTreeMap<OrganizationId, BTreeSet<String>>;

fn certified(
    conn: &mut Conn,
    scope: &Scope,
    members: &BTreeMap<OrganizationId, Member>,
    known: Option<&Inputs>,
) -> Result<Certified, AppError> {
    let ids: Vec<OrganizationId> = members.keys().copied().collect();
    let held = |one: &Certification| {
        one.valid_from_on.is_none_or(|from| from <= scope.last_on)
            && one
                .valid_until_on
                .is_none_or(|until| scope.last_on <= until)
    };
    let all = store::certification::list_of(conn, &ids)?.into_iter();
    let all = all.map(|(id, own)| {
        let own = own.into_iter().filter(held);
        (id, own.map(|one| one.certification).collect())
    });
    let mut all: Certified = all.collect();
    if let Some(known) = known {
        restore_certified(&mut all, known);
    }
    Ok(all)
}

/// Certifications have no versions: what the stored inputs tell is what was held at the freeze.
fn restore_certified(certified: &mut Certified, known: &Inputs) {
    for unit in known.units() {
        certified.insert(unit.organization_id, unit.certifications.clone());
    }
    for user in known.using_units() {
        certified.insert(user.organization_id, user.certifications.clone());
    }
}

/// The grades that others gave. Their lists have no versions: the stored inputs tell which were there at the freeze.
pub(super) type Adopted = BTreeMap<OrganizationId, Grade>;

pub(super) fn adopted(
    conn: &mut Conn,
    scope: &Scope,
    known: Option<&Inputs>,
) -> Result<Adopted, AppError> {
    if let Some(known) = known {
        let units = known.units();
        let held = units.filter_map(|unit| Some((unit.organization_id, unit.adopted?)));
        return Ok(held.collect());
    }
    let listed = store::adopted_grade::list(conn, i64::from(scope.year))?.into_iter();
    Ok(listed
        .map(|item| (item.organization_id, item.grade))
        .collect())
}

/// What upheld findings do: of what was frozen, what they did then.
fn effects(conn: &mut Conn, scope: &Scope, known: Option<&Inputs>) -> Result<Effects, AppError> {
    match known {
        Some(known) => Ok(known.effects().clone()),
        None => effect::of_year(conn, i64::from(scope.year)),
    }
}

/// No deadline is later: a pack gives at most 366 working days.
fn last_deadline_on(scope: &Scope) -> NaiveDate {
    let two_years = Months::new(24);
    let last = scope.last_on.checked_add_months(two_years);
    last.unwrap_or(scope.last_on)
}

fn member(
    members: &BTreeMap<OrganizationId, Member>,
    id: OrganizationId,
) -> Result<&Member, AppError> {
    let member = members.get(&id);
    member.ok_or_else(|| AppError::internal(format!("organization {id} is not there")))
}

fn units(
    hosts: &BTreeSet<OrganizationId>,
    members: &BTreeMap<OrganizationId, Member>,
    (certified, adopted): (&Certified, &Adopted),
    mut facts: BTreeMap<OrganizationId, UnitFacts>,
    mut answers: service::Answers,
    mut experts: ExpertPoints,
) -> Result<Vec<Host>, AppError> {
    let unit = |id: &OrganizationId| {
        let member = member(members, *id)?;
        let facts = facts.remove(id).unwrap_or_default();
        Ok(Host {
            region_code: member.region_code.to_string(),
            certifications: certified.get(id).cloned().unwrap_or_default(),
            counts: facts.counts,
            requests: facts.requests,
            reported: facts.reported,
            answers: answers.remove(id).unwrap_or_default(),
            expert_scores: experts.remove(id).unwrap_or_default(),
            adopted: adopted.get(id).copied(),
            ..Host::new(*id, member.uscc.to_string(), member.kind)
        })
    };
    hosts.iter().map(unit).collect()
}

/// Gives organizations that may have changed since the freeze the values the stored inputs have of them.
fn restore(
    members: &mut BTreeMap<OrganizationId, Member>,
    known: &Known<'_>,
) -> Result<(), AppError> {
    let changed = |members: &BTreeMap<OrganizationId, Member>, id: OrganizationId| {
        members
            .get(&id)
            .is_some_and(|member| member.updated_at >= known.since)
    };
    for unit in known.inputs.units() {
        let id = unit.organization_id;
        if changed(members, id)
            && let Some(member) = members.get_mut(&id)
        {
            member.kind = unit.kind;
            if known.inputs.format() == Format::Facts {
                member.region_code = unit.region_code.parse().map_err(AppError::internal)?;
            }
            member.uscc = unit.uscc.parse().map_err(AppError::internal)?;
        }
    }
    for user in known.inputs.using_units() {
        let id = user.organization_id;
        if changed(members, id)
            && let Some(member) = members.get_mut(&id)
        {
            member.uscc = user.uscc.parse().map_err(AppError::internal)?;
            member.region_code = user.region_code.parse().map_err(AppError::internal)?;
            if let Some(kind) = user.kind {
                member.kind = kind;
            }
        }
    }
    Ok(())
}
