//! The steps of an award, in the order of the pack, over all amounts at once: amounts of services or instruments up to the sum,
//! of recipients after it. Each leaves a row that says what it did.

use super::amounts::{Amount, begin, earlier, of_recipient};
use super::income::InstrumentBase;
use super::{AllocationError, AwardResult, UnitAward};
use crate::domain::evaluation::{GradesGiven, Judge};
use crate::domain::policy::{
    Act, Award, BracketBy, Brackets, Choose, Grade, Level, Pooling, Rate, Recipient, Step,
};
use crate::domain::{Fen, InstrumentId, OrganizationId, ratio};
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// What a row tells: `base` is the start, the others are the pack's words.
    StepName {
        Base = "base",
        Rate = "rate",
        Brackets = "brackets",
        Cap = "cap",
        Sum = "sum",
        DropBelow = "drop_below",
        Pool = "pool",
        Round = "round",
    }
}

/// One step of one amount.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRow {
    /// 0 for the base, then the position in the pack's list.
    pub step: usize,
    pub name: StepName,
    pub organization_id: OrganizationId,
    /// `None` from the sum on.
    pub instrument_id: Option<InstrumentId>,
    /// What the step worked with, by name; numbers exact as `p/q`.
    pub operands: Vec<(&'static str, String)>,
    /// In fen, exact; print with `ratio::exact` and `ratio::decimal`.
    pub before: BigRational,
    pub after: BigRational,
}

/// A step for storage and output: exact values as `p/q`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepExplanation {
    pub step: usize,
    pub name: StepName,
    pub organization_id: OrganizationId,
    /// `null` from the sum on.
    pub instrument_id: Option<InstrumentId>,
    pub operands: BTreeMap<String, String>,
    pub before_fen: String,
    pub after_fen: String,
    /// With 4 decimals, rounded half up.
    pub after_printed: String,
}

impl StepRow {
    pub fn explain(&self) -> StepExplanation {
        let operands = self.operands.iter();
        StepExplanation {
            step: self.step,
            name: self.name,
            organization_id: self.organization_id,
            instrument_id: self.instrument_id,
            operands: operands
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            before_fen: ratio::exact(&self.before),
            after_fen: ratio::exact(&self.after),
            after_printed: ratio::decimal(&self.after, 4),
        }
    }
}

type Operands = Vec<(&'static str, String)>;

/// The amounts of an award on their way from base to money.
pub(super) struct Course<'a, 'j> {
    judge: &'j Judge<'a>,
    award: &'a Award,
    grades: BTreeMap<OrganizationId, Grade>,
    amounts: Vec<Amount<'a>>,
    bases: BTreeMap<OrganizationId, BTreeMap<(String, InstrumentId), InstrumentBase>>,
    rows: Vec<StepRow>,
    taken: usize,
    /// By unit, once the pool was reached.
    before_pool: BTreeMap<OrganizationId, BigRational>,
}

impl<'a, 'j> Course<'a, 'j> {
    /// Enters the amounts with their bases; the first rows say what was left out.
    pub fn begin(
        judge: &'j Judge<'a>,
        grades: &GradesGiven,
        award: &'a Award,
        paid: &BTreeMap<String, AwardResult>,
    ) -> Result<Self, AllocationError> {
        let beginning = begin(judge, grades, award, paid)?;
        let mut course = Self {
            judge,
            award,
            grades: grades.units.clone(),
            amounts: beginning.amounts,
            bases: beginning.bases,
            rows: Vec::new(),
            taken: 0,
            before_pool: BTreeMap::new(),
        };
        course.tell_bases();
        Ok(course)
    }

    fn tell_bases(&mut self) {
        for amount in &self.amounts {
            let mut operands: Operands = Vec::new();
            let mut before = amount.value.clone();
            if let Some(record) = amount.record {
                operands.push(("record_no", record.record_no.clone()));
            } else if let Some(id) = amount.instrument_id
                && let Some(bases) = self.bases.get(&amount.recipient)
                && let Some(base) = bases.values().find(|base| base.instrument_id == id)
            {
                for (reason, fen) in &base.left_out {
                    operands.push((reason.as_str(), fen.number().to_string()));
                    before += ratio::whole(fen.number());
                }
            }
            self.rows.push(StepRow {
                step: 0,
                name: StepName::Base,
                organization_id: amount.recipient,
                instrument_id: amount.instrument_id,
                operands,
                before,
                after: amount.value.clone(),
            });
        }
    }

    /// How the pool is shared.
    pub fn pooling(&self) -> Option<Pooling> {
        match self.next()?.act {
            Act::Pool { how, .. } => Some(how),
            _ => None,
        }
    }

    fn next(&self) -> Option<&'a Step> {
        self.award.steps.get(self.taken)
    }

    /// Takes the steps before the pool.
    pub fn take_until_pool(&mut self) {
        while let Some(step) = self.next() {
            if matches!(step.act, Act::Pool { .. }) {
                break;
            }
            self.take(step);
        }
        for amount in &self.amounts {
            let sum = self.before_pool.entry(amount.recipient);
            *sum.or_insert_with(BigRational::zero) += &amount.value;
        }
    }

    /// Takes the steps after the pool.
    pub fn take_rest(&mut self) {
        while let Some(step) = self.next() {
            self.take(step);
        }
    }

    pub fn sum(&self) -> BigRational {
        let values = self.amounts.iter().map(|amount| &amount.value);
        values.fold(BigRational::zero(), |sum, value| sum + value)
    }

    /// The pool: every amount times the factor of all.
    pub fn multiply(&mut self, budget: Fen, sum: &BigRational, factor: &BigRational) {
        self.taken += 1;
        let operands = vec![
            ("budget_fen", budget.number().to_string()),
            ("sum_before_pool_fen", ratio::exact(sum)),
            ("factor", ratio::exact(factor)),
        ];
        self.each(StepName::Pool, None, |_, amount| {
            (&amount.value * factor, operands.clone())
        });
    }

    /// Takes the next step with every amount.
    fn take(&mut self, step: &'a Step) {
        self.taken += 1;
        let when = Some(step);
        match &step.act {
            Act::Rate {
                choose,
                rates,
                times_grade,
            } => self.each(StepName::Rate, when, |judge, amount| {
                rate(judge, amount, *choose, rates, times_grade)
            }),
            Act::Brackets { by, brackets } => {
                self.each(StepName::Brackets, when, |_, amount| {
                    bracketed(amount, *by, brackets)
                });
            }
            Act::Cap { max_fen } => {
                let max = ratio::whole(max_fen.number());
                let operands = vec![("max_fen", max_fen.number().to_string())];
                self.each(StepName::Cap, when, |_, amount| {
                    (amount.value.clone().min(max.clone()), operands.clone())
                });
            }
            Act::Sum { by } => self.add_up(*by),
            Act::DropBelow { min_fen } => {
                let min = ratio::whole(min_fen.number());
                let operands = vec![("min_fen", min_fen.number().to_string())];
                self.each(StepName::DropBelow, when, |_, amount| {
                    let value = match amount.value >= min {
                        true => amount.value.clone(),
                        false => BigRational::zero(),
                    };
                    (value, operands.clone())
                });
            }
            Act::RoundDown { unit_fen } => {
                let unit = ratio::whole(unit_fen.number());
                let operands = vec![("unit_fen", unit_fen.number().to_string())];
                self.each(StepName::Round, when, |_, amount| {
                    (ratio::floor_to(&amount.value, &unit), operands.clone())
                });
            }
            // The pool is taken by all its awards at once.
            Act::Pool { .. } => {}
        }
    }

    fn add_up(&mut self, by: Level) {
        let mut sums: BTreeMap<(OrganizationId, Option<InstrumentId>), (i64, Amount<'a>)> =
            BTreeMap::new();
        let mut order = Vec::new();
        for amount in std::mem::take(&mut self.amounts) {
            let id = amount.instrument_id.filter(|_| by == Level::Instrument);
            let key = (amount.recipient, id);
            let (parts, sum) = sums.entry(key).or_insert_with(|| {
                order.push(key);
                let mut subject = amount.subject;
                subject.cell = None;
                let empty = Amount {
                    instrument_id: id,
                    record: None,
                    first: None,
                    subject: match by {
                        Level::Instrument => subject,
                        _ => of_recipient(self.award.recipient, subject),
                    },
                    value: BigRational::zero(),
                    recipient: amount.recipient,
                };
                (0, empty)
            });
            *parts += 1;
            sum.value += amount.value;
            sum.first = earlier(sum.first, amount.first);
        }
        let counted = match self.award.per {
            Level::Service => "services",
            _ => "instruments",
        };
        order.sort_by_key(|(recipient, _)| *recipient);
        for key in order {
            let Some((parts, amount)) = sums.remove(&key) else {
                continue;
            };
            self.rows.push(StepRow {
                step: self.taken,
                name: StepName::Sum,
                organization_id: amount.recipient,
                instrument_id: amount.instrument_id,
                operands: vec![(counted, parts.to_string())],
                before: amount.value.clone(),
                after: amount.value.clone(),
            });
            self.amounts.push(amount);
        }
    }

    /// Changes each amount for which the step's condition holds.
    fn each(
        &mut self,
        name: StepName,
        step: Option<&Step>,
        change: impl Fn(&Judge<'a>, &Amount<'a>) -> (BigRational, Operands),
    ) {
        let when = step.and_then(|step| step.when.as_ref());
        for amount in &mut self.amounts {
            if when.is_some_and(|when| !self.judge.holds(when, &amount.subject)) {
                continue;
            }
            let (after, mut operands) = change(self.judge, amount);
            if let Some(record) = amount.record {
                operands.push(("record_no", record.record_no.clone()));
            }
            let before = std::mem::replace(&mut amount.value, after.clone());
            self.rows.push(StepRow {
                step: self.taken,
                name,
                organization_id: amount.recipient,
                instrument_id: amount.instrument_id,
                operands,
                before,
                after,
            });
        }
    }

    /// What every unit gets. Nobody gets a part of a fen.
    pub fn finish(self) -> Result<AwardResult, AllocationError> {
        let mut ends: BTreeMap<OrganizationId, BigRational> = BTreeMap::new();
        for amount in self.amounts {
            *ends
                .entry(amount.recipient)
                .or_insert_with(BigRational::zero) += amount.value;
        }
        let mut before_pool = self.before_pool;
        let mut units = Vec::new();
        for (id, bases) in self.bases {
            let award = ends.remove(&id).unwrap_or_else(BigRational::zero);
            let award = ratio::to_i64(&award).map(Fen::new);
            units.push(UnitAward {
                organization_id: id,
                grade: match self.award.recipient {
                    Recipient::Host => self.grades.get(&id).copied(),
                    Recipient::User => None,
                },
                before_pool: before_pool.remove(&id).unwrap_or_else(BigRational::zero),
                award: award.ok_or(AllocationError::BrokenFen(id))?,
                instruments: bases.into_values().collect(),
            });
        }
        Ok(AwardResult {
            code: self.award.code.clone(),
            recipient: self.award.recipient,
            pool: self.award.pool().map(str::to_owned),
            units,
            steps: self.rows,
        })
    }
}

/// In order of payment, end and record number each amount gets what it asks, the first that does not fit what is left, later
/// ones nothing.
pub(super) fn serve_first_come(courses: &mut [Course], budget: BigRational) {
    let mut order: Vec<(usize, usize)> = Vec::new();
    for (at, course) in courses.iter().enumerate() {
        order.extend((0..course.amounts.len()).map(|number| (at, number)));
    }
    let turn = |(at, number): &(usize, usize)| {
        let course = courses.get(*at);
        let amount = course.and_then(|course| course.amounts.get(*number));
        let first = amount.and_then(|amount| amount.first);
        (
            first.is_none(),
            first,
            amount.map(|amount| amount.recipient),
        )
    };
    let mut placed: Vec<_> = order.iter().map(|place| (turn(place), *place)).collect();
    placed.sort();
    let order: Vec<(usize, usize)> = placed.into_iter().map(|(_, place)| place).collect();
    let mut left = budget;
    for (at, number) in order {
        let Some(course) = courses.get_mut(at) else {
            continue;
        };
        let step = course.taken + 1;
        let Some(amount) = course.amounts.get_mut(number) else {
            continue;
        };
        let after = amount.value.clone().min(left.clone());
        let mut operands = vec![("left_fen", ratio::exact(&left))];
        if let Some(record) = amount.record {
            operands.push(("record_no", record.record_no.clone()));
        }
        left -= &after;
        let before = std::mem::replace(&mut amount.value, after.clone());
        course.rows.push(StepRow {
            step,
            name: StepName::Pool,
            organization_id: amount.recipient,
            instrument_id: amount.instrument_id,
            operands,
            before,
            after,
        });
    }
    for course in courses {
        course.taken += 1;
    }
}

/// Times the rate that is chosen, and the coefficient of the grade; who has no grade has no coefficient.
fn rate(
    judge: &Judge,
    amount: &Amount,
    choose: Choose,
    rates: &[Rate],
    times_grade: &BTreeMap<Grade, BigRational>,
) -> (BigRational, Operands) {
    let holding = rates.iter().filter(|rate| {
        let when = rate.when.as_ref();
        when.is_none_or(|when| judge.holds(when, &amount.subject))
    });
    let mut holding = holding.map(|rate| rate.rate.clone());
    let chosen = match choose {
        Choose::First => holding.next(),
        Choose::Highest => holding.max(),
        Choose::Sum => Some(holding.fold(BigRational::zero(), |sum, rate| sum + rate)),
    };
    let chosen = chosen.unwrap_or_else(BigRational::zero);
    let mut operands = vec![("rate", ratio::exact(&chosen))];
    let mut value = &amount.value * &chosen;
    if !times_grade.is_empty() {
        let grade = amount.subject.grade;
        let coefficient = grade.and_then(|grade| times_grade.get(&grade)).cloned();
        let coefficient = coefficient.unwrap_or_else(BigRational::zero);
        let said = grade.map_or_else(|| "none".to_owned(), |grade| grade.to_string());
        operands.push(("grade", said));
        operands.push(("coefficient", ratio::exact(&coefficient)));
        value *= coefficient;
    }
    (value, operands)
}

/// What the bracket of the original value, or of the amount itself, brings.
fn bracketed(amount: &Amount, by: BracketBy, brackets: &Brackets) -> (BigRational, Operands) {
    let instrument = amount.subject.instrument;
    let value = match by {
        BracketBy::Amount => amount.value.clone(),
        BracketBy::OriginalValue | BracketBy::Value => {
            let worth = instrument.map_or(0, |one| one.original_value_fen.number());
            ratio::whole(worth)
        }
    };
    let after = brackets.amount(&value);
    (after, vec![(by.as_str(), ratio::exact(&value))])
}
