//! What upheld findings do to a year: records that count nowhere or whose evidence is manual, and the best grade a unit may have. It is
//! frozen with the facts, so that a run comes out as it was whatever is decided later.

use std::collections::BTreeMap;

use crate::domain::policy::Grade;
use crate::domain::{OrganizationId, UsageRecordId};

crate::vocabulary! {
    /// What a finding does to a record, the stronger one first.
    RecordEffect {
        Excluded = "exclude_records",
        Manual = "evidence_manual",
    }
}

/// The effects of all findings on one year.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    pub records: BTreeMap<UsageRecordId, RecordEffect>,
    /// The best grade of a unit.
    pub grades: BTreeMap<OrganizationId, Grade>,
}

impl Effects {
    /// Adds what one finding does to a record: of two, the stronger stands.
    pub fn add_record(&mut self, id: UsageRecordId, effect: RecordEffect) {
        let present = self.records.entry(id).or_insert(effect);
        *present = effect.min(*present);
    }

    /// Adds the best grade that one finding leaves a unit: of two, the worse stands.
    pub fn add_grade(&mut self, unit: OrganizationId, grade: Grade) {
        let present = self.grades.entry(unit).or_insert(grade);
        *present = grade.max(*present);
    }
}

#[cfg(test)]
mod tests {
    use super::super::grade::{at_best, capped};
    use super::super::sample::{Rows, cell, instrument, organization, policy};
    use super::super::{Inputs, Judge, grade};
    use super::*;
    use crate::domain::policy::{Policy, Score, Shape, Value};
    use crate::domain::ratio;

    #[test]
    fn of_two_effects_the_stronger_stands_whatever_the_order() {
        use RecordEffect::{Excluded, Manual};
        for (first, second) in [(Excluded, Manual), (Manual, Excluded)] {
            let (mut effects, id) = (Effects::default(), UsageRecordId::try_from(7).unwrap());
            effects.add_record(id, first);
            effects.add_record(id, second);
            assert_eq!(effects.records[&id], Excluded);
        }
        for (first, second) in [(Grade::Good, Grade::Fail), (Grade::Fail, Grade::Good)] {
            let (mut effects, unit) = (Effects::default(), OrganizationId::try_from(1).unwrap());
            effects.add_grade(unit, first);
            effects.add_grade(unit, second);
            assert_eq!(effects.grades[&unit], Grade::Fail);
        }
    }

    /// They are lines of their own: a run without any has the digest it always had.
    #[test]
    fn effects_are_frozen_with_the_facts_and_read_back() {
        let mut rows = Rows::of(2);
        rows.add(1, instrument(11), &[cell(901, 60, 100)]);
        let plain = rows.assemble().unwrap();
        let mut effects = Effects::default();
        effects.add_record(7.try_into().unwrap(), RecordEffect::Excluded);
        effects.add_record(8.try_into().unwrap(), RecordEffect::Manual);
        effects.add_grade(organization(1), Grade::Pass);
        let frozen = plain.clone().with_effects(effects);
        assert_eq!(Inputs::from_lines(frozen.lines()), Ok(frozen.clone()));
        assert_eq!(frozen.lines().len(), plain.lines().len() + 3);
        assert_ne!(frozen.digest(), plain.digest());
        let twice = frozen.lines().into_iter().chain(frozen.lines().pop());
        assert!(Inputs::from_lines(twice).is_err());
        for bad in [
            "effect\tusage_record_id=7",
            "effect\torganization_id=1\tat_most=best",
            "effect",
        ] {
            let lines = plain.lines().into_iter().chain([bad.to_owned()]);
            assert!(Inputs::from_lines(lines).is_err(), "{bad}");
        }
    }

    /// A unit has at most the grade that a finding leaves it, and no better one for being graded elsewhere.
    #[test]
    fn a_finding_caps_the_grade_whoever_gave_it() {
        let mut rows = Rows::of(1);
        rows.add(1, instrument(11), &[]);
        rows.units[0].adopted = Some(Grade::Good);
        let inputs = rows.assemble().unwrap();
        let mut policy = policy();
        let of = |policy: &Policy, inputs: &Inputs| {
            let judge = Judge::new(inputs, policy);
            let host = inputs.units().next().unwrap();
            (at_best(&judge, host), capped(&judge, host))
        };
        assert_eq!(of(&policy, &inputs), (Grade::Excellent, Grade::Excellent));
        let mut effects = Effects::default();
        effects.add_grade(organization(1), Grade::Pass);
        let frozen = inputs.clone().with_effects(effects.clone());
        assert_eq!(of(&policy, &frozen), (Grade::Pass, Grade::Pass));
        policy.scores = vec![Score {
            value: Value::Expert,
            id: "A1".to_owned(),
            name: None,
            max: ratio::whole(100),
            shape: Shape::Linear {
                full_at: ratio::whole(1),
                max: ratio::whole(100),
            },
            points_when_empty: ratio::whole(0),
        }];
        policy.grades.as_mut().unwrap().adopt = true;
        let graded = |inputs: &Inputs| grade(inputs, &policy).units[0].grade;
        assert_eq!(
            (graded(&inputs), graded(&frozen)),
            (Some(Grade::Good), Some(Grade::Pass))
        );
        // Graded again, it is what is decided by then.
        let again = frozen.clone().with_best_grades(BTreeMap::new());
        assert_eq!(graded(&again), Some(Grade::Good));
    }
}
