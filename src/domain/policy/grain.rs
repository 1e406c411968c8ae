//! How fine the facts must be that a policy is judged on: what it asks of services beyond using unit, relation, evidence and
//! statutory.

use super::Policy;
use super::award::{Award, Exclusion, Level};
use super::condition::{Condition, ConditionKey};
use super::measure::Measure;
use super::step::{Act, Pooling};

/// What the facts of services must tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grain {
    /// Purpose, mode, class, project, or what the using unit was certified as.
    pub detail: bool,
    /// Each record for itself.
    pub record: bool,
}

impl Policy {
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
        let measures = self.metrics.values();
        let metrics_ask = measures.map(|metric| &metric.measure).any(asks_of_measure);
        Grain {
            detail: metrics_ask || self.awards.iter().any(asks_of_award),
            record: self.awards.iter().any(by_record),
        }
    }
}

fn asks_of_measure(measure: &Measure) -> bool {
    measure.parts().into_iter().any(|part| {
        let filter = part.of_records().map(|(_, filter)| filter);
        filter.is_some_and(|filter| {
            filter.only.as_ref().is_some_and(asks) || filter.exclude.iter().any(excludes)
        })
    })
}

fn asks_of_award(award: &Award) -> bool {
    let in_steps = award.steps.iter().any(|step| {
        let of_rates = match &step.act {
            Act::Rate { rates, .. } => rates
                .iter()
                .any(|rate| rate.when.as_ref().is_some_and(asks)),
            _ => false,
        };
        of_rates || step.when.as_ref().is_some_and(asks)
    });
    award.once_per_project
        || in_steps
        || award.only.as_ref().is_some_and(asks)
        || award.exclude.iter().any(excludes)
}

fn excludes(exclusion: &Exclusion) -> bool {
    match exclusion {
        Exclusion::Class(_) => true,
        Exclusion::Condition(condition) => asks(condition),
        Exclusion::Statutory | Exclusion::WeakEvidence | Exclusion::RelatedParty => false,
    }
}

fn asks(condition: &Condition) -> bool {
    condition.tests().any(|test| {
        matches!(
            test.key(),
            ConditionKey::Purpose
                | ConditionKey::Mode
                | ConditionKey::ServiceClass
                | ConditionKey::ProjectLevel
                | ConditionKey::UserIs
        )
    })
}
