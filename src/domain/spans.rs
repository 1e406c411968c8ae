//! Sets of moments as sorted, disjoint slots: union, difference and clipping. Says nothing about what a span means.

use super::time::Slot;

/// Slots in order that neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spans(Vec<Slot>);

impl Spans {
    /// The moments that lie in at least one of `slots`; overlapping and touching slots join.
    pub fn union(slots: impl IntoIterator<Item = Slot>) -> Self {
        let mut sorted: Vec<Slot> = slots.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<Slot> = Vec::with_capacity(sorted.len());
        for slot in sorted {
            match joined.last_mut() {
                Some(last) if slot.starts_at() <= last.ends_at() => *last = hull(*last, slot),
                _ => joined.push(slot),
            }
        }
        Self(joined)
    }

    /// The moments of this set that do not lie in `cuts`.
    pub fn minus(&self, cuts: &Spans) -> Self {
        let mut rest = Vec::with_capacity(self.0.len());
        for span in &self.0 {
            let mut free_from = span.starts_at();
            for cut in cuts.touching(span) {
                rest.extend(Slot::new(free_from, cut.starts_at()));
                free_from = cut.ends_at();
            }
            rest.extend(Slot::new(free_from, span.ends_at()));
        }
        Self(rest)
    }

    /// The moments of this set that lie in `window`.
    pub fn within(&self, window: &Slot) -> Self {
        let clipped = self
            .touching(window)
            .filter_map(|span| overlap(span, window));
        Self(clipped.collect())
    }

    /// The spans that overlap `slot`, whole.
    pub fn touching(&self, slot: &Slot) -> impl Iterator<Item = &Slot> + use<'_> {
        let slot = *slot;
        let first = self
            .0
            .partition_point(|span| span.ends_at() <= slot.starts_at());
        self.0
            .iter()
            .skip(first)
            .take_while(move |span| span.starts_at() < slot.ends_at())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Slot> {
        self.0
    }
}

impl From<Slot> for Spans {
    fn from(slot: Slot) -> Self {
        Self(vec![slot])
    }
}

/// The common part of two slots.
pub fn overlap(one: &Slot, other: &Slot) -> Option<Slot> {
    let starts_at = one.starts_at().max(other.starts_at());
    Slot::new(starts_at, one.ends_at().min(other.ends_at())).ok()
}

/// From the earlier start to the later end.
fn hull(one: Slot, other: Slot) -> Slot {
    let starts_at = one.starts_at().min(other.starts_at());
    Slot::new(starts_at, one.ends_at().max(other.ends_at())).unwrap_or(one)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::Minutes;
    use crate::domain::time::Instant;
    use proptest::prelude::*;

    /// A slot of minutes after midnight of Monday 2 March 2026, local.
    pub(crate) fn minutes(from: i64, until: i64) -> Slot {
        let monday = Instant::at_midnight("2026-03-02".parse().unwrap());
        Slot::new(
            monday.plus(Minutes::new(from)),
            monday.plus(Minutes::new(until)),
        )
        .unwrap()
    }

    fn set(pairs: &[(i64, i64)]) -> Spans {
        Spans::union(pairs.iter().map(|(from, until)| minutes(*from, *until)))
    }

    #[test]
    fn nested_overlapping_and_touching_slots_join() {
        assert_eq!(set(&[(600, 840), (660, 720)]).0, [minutes(600, 840)]);
        assert_eq!(set(&[(20, 30), (0, 10), (10, 20)]).0, [minutes(0, 30)]);
        assert_eq!(set(&[(0, 10), (11, 20)]).0.len(), 2);
    }

    #[test]
    fn differences_cut_heads_tails_and_middles() {
        let day = set(&[(0, 100), (200, 300)]);
        let cuts = set(&[(-5, 10), (40, 50), (90, 210), (300, 400)]);
        assert_eq!(day.minus(&cuts), set(&[(10, 40), (50, 90), (210, 300)]));
        assert!(day.minus(&set(&[(-1, 301)])).is_empty());
        assert_eq!(day.within(&minutes(50, 250)), set(&[(50, 100), (200, 250)]));
    }

    fn some_slots() -> impl Strategy<Value = Vec<Slot>> {
        proptest::collection::vec((0i64..60, 1i64..20), 0..10).prop_map(|pairs| {
            pairs
                .iter()
                .map(|(at, len)| minutes(*at, at + len))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn sets_agree_with_membership_of_every_minute(a in some_slots(), b in some_slots()) {
            let (left, right) = (Spans::union(a.clone()), Spans::union(b.clone()));
            let rest = left.minus(&right);
            for minute in 0..80 {
                let moment = minutes(minute, minute + 1);
                let lies_in = |slots: &[Slot]| slots.iter().any(|slot| slot.contains(&moment));
                prop_assert_eq!(lies_in(&left.0), lies_in(&a));
                prop_assert_eq!(lies_in(&rest.0), lies_in(&a) && !lies_in(&b));
            }
            prop_assert!(rest.0.windows(2).all(|pair| pair[0].ends_at() < pair[1].starts_at()));
        }
    }
}
