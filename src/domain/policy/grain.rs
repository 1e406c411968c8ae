//! How fine the facts must be that a policy is judged on: what it asks of services beyond using unit, relation, evidence and
//! statutory, of instruments, and of the days on which income counts.

use super::Policy;
use super::award::{Award, Base, Exclusion, Level};
use super::condition::{Condition, ConditionKey};
use super::measure::RecordFilter;
use super::step::{Act, Pooling};
use super::year::IncomeBy;

/// What the facts must tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grain {
    /// Purpose, mode, class, project, or what the using unit was certified as.
    pub detail: bool,
    /// Each record for itself.
    pub record: bool,
    /// Which instruments are sets.
    pub sets: bool,
    /// What decides in which year income counts.
    pub income_by: IncomeBy,
}

impl Grain {
    /// Whether sums over the records of one class are fine enough.
    pub const fn is_by_class(self) -> bool {
        !self.detail && !self.record
    }

    /// Whether facts as fine as these are fine enough for `asked`.
    pub fn suffices(self, asked: Self) -> bool {
        self.income_by == asked.income_by
            && (self.detail || !asked.detail)
            && (self.record || !asked.record)
            && (self.sets || !asked.sets)
    }
}

impl Policy {
    /// The award whose base is measured: where an award begins with what another pays, that other one.
    pub fn base_of<'a>(&'a self, award: &'a Award) -> &'a Award {
        let mut found = award;
        for _ in &self.awards {
            let Base::Award(code) = &found.base else {
                break;
            };
            let mut awards = self.awards.iter();
            found = awards.find(|one| one.code == *code).unwrap_or(found);
        }
        found
    }

    /// The coarsest facts that are fine enough.
    pub fn grain(&self) -> Grain {
        let by_record = |award: &Award| {
            let is_first_come = award.steps.iter().any(|step| {
                matches!(
                    &step.act,
                    Act::Pool {
                        how: Pooling::FirstCome,
                        ..
                    }
                )
            });
            award.per == Level::Service || is_first_come
        };
        let asks = |condition: &Condition| condition.tests().any(|test| is_of_service(test.key()));
        Grain {
            detail: self.conditions().into_iter().any(asks) || self.asks_class_or_project(),
            record: self.awards.iter().any(by_record),
            sets: self.asks_sets(),
            income_by: self.year.income_by,
        }
    }

    /// Whether it asks the class of a service, or a project.
    fn asks_class_or_project(&self) -> bool {
        let by_class = |exclusion: &Exclusion| matches!(exclusion, Exclusion::Class(_));
        let mut conditions = self.conditions().into_iter();
        self.exclusions().any(by_class)
            || self.awards.iter().any(|award| award.once_per_project)
            || conditions.any(|condition| {
                let mut keys = condition.tests().map(|test| test.key());
                keys.any(|key| {
                    matches!(key, ConditionKey::ServiceClass | ConditionKey::ProjectLevel)
                })
            })
    }

    /// Whether it asks which instruments or projects earlier runs paid for.
    pub fn asks_awarded_before(&self) -> bool {
        let mut conditions = self.conditions().into_iter();
        let is_once = self.awards.iter().any(|award| award.once_per_project);
        is_once
            || conditions.any(|condition| {
                let mut keys = condition.tests().map(|test| test.key());
                keys.any(|key| key == ConditionKey::AwardedBefore)
            })
    }

    /// Whether it asks which instruments are sets.
    pub fn asks_sets(&self) -> bool {
        let mut conditions = self.conditions().into_iter();
        conditions.any(|condition| {
            let mut keys = condition.tests().map(|test| test.key());
            keys.any(|key| key == ConditionKey::IsSet)
        })
    }

    /// Every condition on services, instruments and units, but who is evaluated.
    fn conditions(&self) -> Vec<&Condition> {
        let of_metrics = self.filters().filter_map(|filter| filter.only.as_ref());
        let of_exclusions = self.exclusions().filter_map(|exclusion| match exclusion {
            Exclusion::Condition(condition) => Some(condition),
            _ => None,
        });
        let of_awards = self.awards.iter().flat_map(|award| {
            let of_steps = award.steps.iter().flat_map(|step| {
                let rates = match &step.act {
                    Act::Rate { rates, .. } => rates.as_slice(),
                    _ => &[],
                };
                let of_rates = rates.iter().filter_map(|rate| rate.when.as_ref());
                of_rates.chain(&step.when)
            });
            of_steps.chain(&award.only)
        });
        of_metrics.chain(of_exclusions).chain(of_awards).collect()
    }

    fn filters(&self) -> impl Iterator<Item = &RecordFilter> {
        let measures = self.metrics.values().map(|metric| &metric.measure);
        let parts = measures.flat_map(|measure| measure.parts());
        parts.filter_map(|part| part.of_records().map(|(_, filter)| filter))
    }

    fn exclusions(&self) -> impl Iterator<Item = &Exclusion> {
        let of_metrics = self.filters().flat_map(|filter| &filter.exclude);
        of_metrics.chain(self.awards.iter().flat_map(|award| &award.exclude))
    }
}

const fn is_of_service(key: ConditionKey) -> bool {
    matches!(
        key,
        ConditionKey::Purpose
            | ConditionKey::Mode
            | ConditionKey::ServiceClass
            | ConditionKey::ProjectLevel
            | ConditionKey::UserIs
    )
}
