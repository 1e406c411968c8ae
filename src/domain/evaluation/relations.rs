//! Who was a related party of whom, and when: symmetric, not transitive, as it was when a record ended.

use super::inputs::Relation;
use crate::domain::spans::Spans;
use crate::domain::{Instant, OrganizationId, Slot};
use std::collections::BTreeMap;

type Pair = (OrganizationId, OrganizationId);

/// The verified relations of the platform.
#[derive(Debug, Clone, Default)]
pub struct Relations(BTreeMap<Pair, Spans>);

impl Relations {
    /// Each row says that two organizations were related for a time; rows of one pair add up.
    pub fn new(rows: impl IntoIterator<Item = (OrganizationId, OrganizationId, Slot)>) -> Self {
        let mut slots: BTreeMap<Pair, Vec<Slot>> = BTreeMap::new();
        for (one, other, slot) in rows {
            slots.entry(pair(one, other)).or_default().push(slot);
        }
        let spans = slots
            .into_iter()
            .map(|(pair, slots)| (pair, Spans::union(slots)));
        Self(spans.collect())
    }

    /// What `user` was to `host` at a moment.
    pub fn at(&self, host: OrganizationId, user: OrganizationId, moment: Instant) -> Relation {
        let related = |spans: &Spans| {
            spans
                .iter()
                .any(|span| span.starts_at() <= moment && moment < span.ends_at())
        };
        if host == user {
            Relation::Host
        } else if self.0.get(&pair(host, user)).is_some_and(related) {
            Relation::Related
        } else {
            Relation::External
        }
    }

    /// What `user` was to `host` throughout a period; `None` when it changed within it.
    pub fn throughout(
        &self,
        host: OrganizationId,
        user: OrganizationId,
        period: &Slot,
    ) -> Option<Relation> {
        if host == user {
            return Some(Relation::Host);
        }
        let Some(spans) = self.0.get(&pair(host, user)) else {
            return Some(Relation::External);
        };
        let inside = spans.within(period);
        if inside.is_empty() {
            Some(Relation::External)
        } else if inside.iter().any(|span| span == period) {
            Some(Relation::Related)
        } else {
            None
        }
    }

    /// Every host and using unit whose relation changed within a period.
    pub fn changing(&self, period: &Slot) -> Vec<(OrganizationId, OrganizationId)> {
        let changing = self
            .0
            .keys()
            .filter(|(one, other)| self.throughout(*one, *other, period).is_none());
        changing
            .flat_map(|(one, other)| [(*one, *other), (*other, *one)])
            .collect()
    }
}

fn pair(one: OrganizationId, other: OrganizationId) -> Pair {
    (one.min(other), one.max(other))
}

#[cfg(test)]
mod tests {
    use super::super::sample::organization;
    use super::*;

    fn slot(from: &str, until: &str) -> Slot {
        let at = |day: &str| Instant::at_midnight(day.parse().unwrap());
        Slot::new(at(from), at(until)).unwrap()
    }

    #[test]
    fn relations_are_symmetric_and_end_when_they_end() {
        let (host, user, other) = (organization(1), organization(2), organization(3));
        let relations = Relations::new([
            (user, host, slot("2020-01-01", "2025-03-01")),
            (host, user, slot("2025-03-01", "2025-07-01")),
            (user, other, slot("2020-01-01", "2030-01-01")),
        ]);
        let year = slot("2025-01-01", "2026-01-01");
        let at = |day: &str| Instant::at_midnight(day.parse().unwrap());
        for (day, relation) in [
            ("2019-12-31", Relation::External),
            ("2020-01-01", Relation::Related),
            ("2025-03-01", Relation::Related),
            ("2025-07-01", Relation::External),
        ] {
            assert_eq!(relations.at(host, user, at(day)), relation, "{day}");
            assert_eq!(relations.at(user, host, at(day)), relation, "{day}");
        }
        assert_eq!(
            relations.at(host, other, at("2025-01-01")),
            Relation::External
        );
        assert_eq!(relations.at(host, host, at("2025-01-01")), Relation::Host);
        assert_eq!(relations.throughout(host, user, &year), None);
        assert_eq!(relations.changing(&year), [(host, user), (user, host)]);
        let half = slot("2025-01-01", "2025-07-01");
        assert_eq!(
            relations.throughout(host, user, &half),
            Some(Relation::Related)
        );
        assert_eq!(
            relations.throughout(other, user, &year),
            Some(Relation::Related)
        );
        assert_eq!(
            relations.throughout(other, host, &year),
            Some(Relation::External)
        );
        assert_eq!(
            relations.throughout(host, host, &year),
            Some(Relation::Host)
        );
    }
}
