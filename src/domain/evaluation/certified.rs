//! What using units were certified as, and on which days: frozen with the facts of packs that ask what a unit was on the day of a
//! service, so that a certification which is changed later changes nothing that was judged.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::domain::OrganizationId;
use crate::domain::certification::Certification;

/// A certification with its days, both included; an absent one is open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertifiedDays {
    pub certification: String,
    pub from_on: Option<NaiveDate>,
    pub until_on: Option<NaiveDate>,
}

/// By using unit; who was never certified stands not among them.
pub type Certified = BTreeMap<OrganizationId, BTreeSet<CertifiedDays>>;

impl CertifiedDays {
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.from_on.is_none_or(|from| from <= day)
            && self.until_on.is_none_or(|until| day <= until)
    }
}

impl From<Certification> for CertifiedDays {
    fn from(one: Certification) -> Self {
        Self {
            certification: one.certification,
            from_on: one.valid_from_on,
            until_on: one.valid_until_on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Inputs;
    use super::super::sample::{Rows, cell, instrument, organization};
    use super::*;

    fn days(from_on: Option<&str>, until_on: Option<&str>) -> CertifiedDays {
        let day = |text: &str| text.parse().unwrap();
        CertifiedDays {
            certification: "sme".to_owned(),
            from_on: from_on.map(day),
            until_on: until_on.map(day),
        }
    }

    #[test]
    fn both_days_are_included_and_an_absent_one_is_open() {
        let day = |text: &str| text.parse().unwrap();
        let spring = days(Some("2025-03-01"), Some("2025-05-31"));
        for (on, holds) in [
            ("2025-02-28", false),
            ("2025-03-01", true),
            ("2025-05-31", true),
            ("2025-06-01", false),
        ] {
            assert_eq!(spring.holds_on(day(on)), holds, "{on}");
        }
        assert!(days(None, None).holds_on(day("1990-01-01")));
    }

    /// A run that asks nothing of the day has the digest it always had; one that asks tells that it does, of nobody too.
    #[test]
    fn certified_days_are_frozen_with_the_facts_and_read_back() {
        let mut rows = Rows::of(1);
        rows.add(1, instrument(11), &[cell(901, 60, 100)]);
        let plain = rows.assemble().unwrap();
        let nobody = plain.clone().with_certified(Some(Certified::new()));
        let held = [days(None, None), days(Some("2025-03-01"), None)];
        let certified = Certified::from([(organization(901), held.into())]);
        let some = plain.clone().with_certified(Some(certified));
        for frozen in [&plain, &nobody, &some] {
            assert_eq!(Inputs::from_lines(frozen.lines()).as_ref(), Ok(frozen));
        }
        assert_eq!(some.lines().len(), plain.lines().len() + 2);
        let digests = [&plain, &nobody, &some].map(Inputs::digest);
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
        let twice = some.lines().into_iter().chain(some.lines().pop());
        assert!(Inputs::from_lines(twice).is_err());
        // Without the word in the head nothing was asked.
        let stray = plain.lines().into_iter().chain(some.lines().pop());
        assert!(Inputs::from_lines(stray).is_err());
    }
}
