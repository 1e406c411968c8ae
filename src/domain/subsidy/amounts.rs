//! What an award begins with: an amount for each service, instrument or recipient, and beside it, by instrument, the base and
//! what was left out of it.

use super::income::{InstrumentBase, share};
use super::{AllocationError, AwardResult};
use crate::domain::evaluation::{
    GradesGiven, Host, Instrument, Judge, RecordFacts, Subject, UsageGroup,
};
use crate::domain::policy::{Act, Award, Base, Condition, Level, Measure, Recipient, Test};
use crate::domain::{InstrumentId, OrganizationId, ratio};
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::{BTreeMap, BTreeSet};

/// An amount on its way.
#[derive(Debug, Clone)]
pub(super) struct Amount<'a> {
    pub recipient: OrganizationId,
    /// `None` from the sum by organization on.
    pub instrument_id: Option<InstrumentId>,
    /// One service alone.
    pub record: Option<&'a RecordFacts>,
    /// What decides who comes first: the first of the services in it.
    pub first: Option<Turn<'a>>,
    pub subject: Subject<'a>,
    pub value: BigRational,
}

/// A service's place where first come is first served: by payment, end and record number; what was never paid comes last.
pub(super) type Turn<'a> = (bool, &'a RecordFacts);

fn turn(cell: &UsageGroup) -> Option<Turn<'_>> {
    let record = cell.key.detail.as_deref()?.record.as_ref()?;
    Some((record.paid_on.is_none(), record))
}

/// The earlier of two turns; whoever has none comes after.
pub(super) fn earlier<'a>(one: Option<Turn<'a>>, other: Option<Turn<'a>>) -> Option<Turn<'a>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Amounts, and the bases of the units by instrument, in the order of (`asset_no`, id).
pub(super) struct Beginning<'a> {
    pub amounts: Vec<Amount<'a>>,
    pub bases: BTreeMap<OrganizationId, BTreeMap<(String, InstrumentId), InstrumentBase>>,
}

/// The amounts of an award. `paid`: what awards before it paid.
pub(super) fn begin<'a>(
    judge: &Judge<'a>,
    grades: &GradesGiven,
    award: &'a Award,
    paid: &BTreeMap<String, AwardResult>,
) -> Result<Beginning<'a>, AllocationError> {
    let mut beginning = Beginning {
        amounts: Vec::new(),
        bases: BTreeMap::new(),
    };
    if asks_grades(award) {
        check_graded(judge, grades)?;
    }
    match &award.base {
        Base::Award(code) => of_award(judge, grades, award, paid.get(code), &mut beginning),
        Base::Metric { .. } if award.counts_records() => {
            of_records(judge, grades, award, &mut beginning)?;
        }
        Base::Metric { measure, .. } => {
            of_registry(judge, grades, award, Some(measure), &mut beginning);
        }
        Base::Nothing => of_registry(judge, grades, award, None, &mut beginning),
    }
    Ok(beginning)
}

/// Whether money depends on grades anywhere.
fn asks_grades(award: &Award) -> bool {
    let in_condition = |condition: &Option<Condition>| {
        let mut tests = condition.iter().flat_map(Condition::tests);
        tests.any(|test| matches!(test, Test::Grade(_)))
    };
    in_condition(&award.only)
        || award.steps.iter().any(|step| {
            let by_rate = match &step.act {
                Act::Rate {
                    rates, times_grade, ..
                } => !times_grade.is_empty() || rates.iter().any(|rate| in_condition(&rate.when)),
                _ => false,
            };
            by_rate || in_condition(&step.when)
        })
}

/// Everybody who was evaluated has a grade.
fn check_graded(judge: &Judge, grades: &GradesGiven) -> Result<(), AllocationError> {
    for host in judge.evaluated() {
        let id = host.organization_id;
        let is_graded = match judge.policy.evaluation.per {
            Level::Instrument => judge
                .counted(host)
                .all(|instrument| grades.instruments.contains_key(&instrument.id)),
            Level::Organization | Level::Service => grades.units.contains_key(&id),
        };
        if !is_graded {
            return Err(AllocationError::NotGraded(id));
        }
    }
    Ok(())
}

/// One amount for each recipient of another award.
fn of_award<'a>(
    judge: &Judge<'a>,
    grades: &GradesGiven,
    award: &'a Award,
    other: Option<&AwardResult>,
    beginning: &mut Beginning<'a>,
) {
    for unit in other.iter().flat_map(|other| &other.units) {
        let id = unit.organization_id;
        let host = judge.inputs.units().find(|host| host.organization_id == id);
        let subject = match award.recipient {
            Recipient::Host => Subject {
                host,
                grade: host.and_then(|host| grades.of(host.organization_id, None)),
                award: Some(&award.code),
                ..Subject::default()
            },
            Recipient::User => Subject {
                user: judge.inputs.using_unit(id),
                award: Some(&award.code),
                ..Subject::default()
            },
        };
        beginning.bases.entry(id).or_default();
        if holds(judge, award, &subject) {
            beginning.amounts.push(Amount {
                recipient: id,
                instrument_id: None,
                record: None,
                first: None,
                subject,
                value: ratio::whole(unit.award.number()),
            });
        }
    }
}

fn holds(judge: &Judge, award: &Award, subject: &Subject) -> bool {
    let only = award.only.as_ref();
    only.is_none_or(|only| judge.holds(only, subject))
}

/// One amount for each counted instrument, or each unit, of what its registry entry or its reports say; 0 without a measure.
fn of_registry<'a>(
    judge: &Judge<'a>,
    grades: &GradesGiven,
    award: &'a Award,
    measure: Option<&Measure>,
    beginning: &mut Beginning<'a>,
) {
    for host in judge.hosts() {
        let bases = beginning.bases.entry(host.organization_id).or_default();
        let subject = |instrument: Option<&'a Instrument>| Subject {
            host: Some(host),
            instrument,
            grade: grades.of(host.organization_id, instrument.map(|one| one.id)),
            award: Some(&award.code),
            ..Subject::default()
        };
        let amount = |instrument: Option<&'a Instrument>, value| Amount {
            recipient: host.organization_id,
            instrument_id: instrument.map(|instrument| instrument.id),
            record: None,
            first: None,
            subject: subject(instrument),
            value,
        };
        if award.per == Level::Organization {
            if holds(judge, award, &subject(None)) {
                let value = measure.map(|measure| judge.measure_unit(host, measure));
                let value = value.unwrap_or_else(BigRational::zero);
                beginning.amounts.push(amount(None, value));
            }
            continue;
        }
        for instrument in judge.counted(host) {
            let key = (instrument.asset_no.clone(), instrument.id);
            let base = InstrumentBase::new(instrument.id, &instrument.asset_no);
            bases.insert(key, base);
            if holds(judge, award, &subject(Some(instrument))) {
                let value = measure
                    .map(|measure| judge.measure_instrument(host, instrument, measure))
                    .unwrap_or_else(BigRational::zero);
                beginning.amounts.push(amount(Some(instrument), value));
            }
        }
    }
}

/// What the services of the year bring: added up by instrument or recipient, or each for itself.
fn of_records<'a>(
    judge: &Judge<'a>,
    grades: &GradesGiven,
    award: &'a Award,
    beginning: &mut Beginning<'a>,
) -> Result<(), AllocationError> {
    let mut sums: BTreeMap<(OrganizationId, Option<InstrumentId>), Amount<'a>> = BTreeMap::new();
    for host in judge.hosts() {
        for instrument in judge.counted(host) {
            let mut of_host = InstrumentBase::new(instrument.id, &instrument.asset_no);
            if award.recipient == Recipient::Host && award.per != Level::Service {
                // Every instrument has its line, with nothing on it too.
                let subject = subject_of(judge, grades, award, host, instrument, None);
                let amount = empty(award, subject, host.organization_id, instrument.id);
                let key = (host.organization_id, amount.instrument_id);
                sums.entry(key).or_insert(amount);
            }
            for cell in &instrument.cells {
                let subject = subject_of(judge, grades, award, host, instrument, Some(cell));
                let share = share(judge, award, cell, &subject);
                let recipient = match award.recipient {
                    Recipient::Host => {
                        of_host.add(&share)?;
                        host.organization_id
                    }
                    Recipient::User => cell.key.using_unit_id,
                };
                if share.value.is_zero() {
                    continue;
                }
                if award.recipient == Recipient::User {
                    let bases = beginning.bases.entry(recipient).or_default();
                    let key = (instrument.asset_no.clone(), instrument.id);
                    let new = || InstrumentBase::new(instrument.id, &instrument.asset_no);
                    bases.entry(key).or_insert_with(new).add(&share)?;
                }
                if award.per == Level::Service {
                    let detail = cell.key.detail.as_deref();
                    beginning.amounts.push(Amount {
                        recipient,
                        instrument_id: Some(instrument.id),
                        record: detail.and_then(|detail| detail.record.as_ref()),
                        first: turn(cell),
                        subject,
                        value: share.value,
                    });
                    continue;
                }
                let amount = empty(award, subject, recipient, instrument.id);
                let key = (recipient, amount.instrument_id);
                let sum = sums.entry(key).or_insert(amount);
                sum.value += share.value;
                sum.first = earlier(sum.first, turn(cell));
            }
            if award.recipient == Recipient::Host {
                let bases = beginning.bases.entry(host.organization_id).or_default();
                bases.insert((of_host.asset_no.clone(), of_host.instrument_id), of_host);
            }
        }
    }
    beginning.amounts.extend(in_order(&beginning.bases, sums));
    Ok(())
}

/// The using units' projects whose services are in the base of what one recipient gets of an award that pays a project once.
pub fn projects_taken(
    judge: &Judge,
    grades: &GradesGiven,
    award: &Award,
    recipient: OrganizationId,
) -> BTreeSet<(OrganizationId, String)> {
    let mut taken = BTreeSet::new();
    if !award.once_per_project || !award.counts_records() {
        return taken;
    }
    for host in judge.hosts() {
        for instrument in judge.counted(host) {
            for cell in &instrument.cells {
                let user = cell.key.using_unit_id;
                let paid_to = match award.recipient {
                    Recipient::Host => host.organization_id,
                    Recipient::User => user,
                };
                let project = cell.key.detail.as_deref();
                let Some(project) = project.and_then(|detail| detail.project.clone()) else {
                    continue;
                };
                let subject = subject_of(judge, grades, award, host, instrument, Some(cell));
                if paid_to == recipient && !share(judge, award, cell, &subject).value.is_zero() {
                    taken.insert((user, project));
                }
            }
        }
    }
    taken
}

/// Amounts by recipient, those of instruments in the order of `asset_no`.
fn in_order<'a>(
    bases: &BTreeMap<OrganizationId, BTreeMap<(String, InstrumentId), InstrumentBase>>,
    mut sums: BTreeMap<(OrganizationId, Option<InstrumentId>), Amount<'a>>,
) -> Vec<Amount<'a>> {
    let mut amounts = Vec::with_capacity(sums.len());
    for (recipient, of_unit) in bases {
        amounts.extend(sums.remove(&(*recipient, None)));
        for (_, id) in of_unit.keys() {
            amounts.extend(sums.remove(&(*recipient, Some(*id))));
        }
    }
    amounts
}

/// An amount of 0, with as much of the subject as it stands for.
fn empty<'a>(
    award: &Award,
    subject: Subject<'a>,
    recipient: OrganizationId,
    instrument: InstrumentId,
) -> Amount<'a> {
    let is_of_instrument = award.per == Level::Instrument;
    Amount {
        recipient,
        instrument_id: is_of_instrument.then_some(instrument),
        record: None,
        first: None,
        subject: match is_of_instrument {
            true => Subject {
                cell: None,
                ..subject
            },
            false => of_recipient(award.recipient, subject),
        },
        value: BigRational::zero(),
    }
}

/// What is known of a recipient's sum.
pub(super) fn of_recipient(recipient: Recipient, subject: Subject) -> Subject {
    match recipient {
        Recipient::Host => Subject {
            host: subject.host,
            grade: subject.grade,
            award: subject.award,
            ..Subject::default()
        },
        Recipient::User => Subject {
            user: subject.user,
            award: subject.award,
            ..Subject::default()
        },
    }
}

/// What is paid for as a subject: a service where a cell is given, an instrument otherwise.
pub fn subject_of<'a>(
    judge: &Judge<'a>,
    grades: &GradesGiven,
    award: &'a Award,
    host: &'a Host,
    instrument: &'a Instrument,
    cell: Option<&'a UsageGroup>,
) -> Subject<'a> {
    let user = match (award.recipient, cell) {
        (Recipient::User, Some(cell)) => judge.inputs.using_unit(cell.key.using_unit_id),
        _ => None,
    };
    Subject {
        host: Some(host),
        instrument: Some(instrument),
        user,
        cell,
        grade: grades.of(host.organization_id, Some(instrument.id)),
        award: Some(&award.code),
    }
}
