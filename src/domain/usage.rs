//! Usage records: one service, when, for whom, how long. States, minutes and their limits; overlaps are judged by the database.

mod context;
mod facts;

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use super::state::{self, InvalidState, Move};
use super::{Instant, Minutes, Slot};
use crate::domain::{Code, Fault};

pub use context::{ContextChange, ServiceContext};
pub use facts::{Capacity, Correction, UsageFacts};

crate::vocabulary! {
    /// What a record stands on: signed device events, a booking started and finished on the platform, or typing. Answered, never
    /// accepted; once somebody corrected interval or minutes, they are typed.
    Evidence {
        Automatic = "automatic",
        Confirmed = "confirmed",
        Manual = "manual",
    }
}

crate::vocabulary! {
    /// What the two sides say about a record.
    UsageState {
        Recorded = "recorded",
        Confirmed = "confirmed",
        Disputed = "disputed",
        Voided = "voided",
    }
}

crate::vocabulary! {
    /// What changes the state of a record: the using unit confirms and disputes, the host voids and corrects.
    UsageAction {
        Confirm = "confirm",
        Dispute = "dispute",
        Void = "void",
        /// Makes a new version, to be confirmed again.
        Correct = "correct",
    }
}

impl Evidence {
    /// What a record stands on after a correction.
    pub const fn corrected(self, is_retimed: bool) -> Self {
        if is_retimed { Self::Manual } else { self }
    }
}

use UsageAction as A;
use UsageState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Recorded, A::Confirm, S::Confirmed),
    (S::Recorded, A::Dispute, S::Disputed),
    (S::Recorded, A::Void, S::Voided),
    (S::Recorded, A::Correct, S::Recorded),
    (S::Confirmed, A::Void, S::Voided),
    (S::Confirmed, A::Correct, S::Recorded),
    (S::Disputed, A::Confirm, S::Confirmed),
    (S::Disputed, A::Void, S::Voided),
    (S::Disputed, A::Correct, S::Recorded),
];

impl UsageState {
    /// The state of a new record: own use needs nobody's confirmation.
    pub const fn initial(is_own_use: bool) -> Self {
        if is_own_use {
            Self::Confirmed
        } else {
            Self::Recorded
        }
    }

    /// What the two sides may say about a record in this state.
    pub fn allowed(self) -> Vec<&'static str> {
        let actions = state::allowed(MOVES, self).into_iter();
        actions.map(UsageAction::as_str).collect()
    }

    /// The state after `action`; a correction of own use is confirmed at once, like a new record.
    pub fn after(self, action: UsageAction, is_own_use: bool) -> Result<Self, InvalidState> {
        match (state::after(MOVES, self, action)?, action) {
            (Self::Recorded, UsageAction::Correct) => Ok(Self::initial(is_own_use)),
            (next, _) => Ok(next),
        }
    }
}

/// The longest interval of one record: 31 days.
pub const INTERVAL_MINUTES_MAX: i64 = 31 * 24 * 60;

/// The necessary minutes of one service; their sum is the effective time. Idle running is in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageMinutes {
    prepare_minutes: Minutes,
    run_minutes: Minutes,
    post_minutes: Minutes,
}

/// Minutes as somebody gave them; what is absent is for [`UsageMinutes::within`] to fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GivenMinutes {
    pub prepare: Option<Minutes>,
    pub run: Option<Minutes>,
    pub post: Option<Minutes>,
}

impl GivenMinutes {
    /// The minutes that no service can have, whatever its interval.
    pub fn out_of_range(&self) -> Vec<Fault> {
        out_of_range(&[
            ("prepare_minutes", self.prepare.unwrap_or(Minutes::ZERO)),
            ("run_minutes", self.run.unwrap_or(Minutes::ZERO)),
            ("post_minutes", self.post.unwrap_or(Minutes::ZERO)),
        ])
    }
}

fn out_of_range(parts: &[(&str, Minutes)]) -> Vec<Fault> {
    let mut faults = Faults::new();
    for (field, minutes) in parts {
        faults.range(field, minutes.number(), 0, INTERVAL_MINUTES_MAX);
    }
    faults.into_vec()
}

impl UsageMinutes {
    /// The minutes of a service in `interval`: as given, absent ones 0; when none is given all of it is run time.
    ///
    /// Each is at least 0, their sum at least 1 and at most the interval's whole minutes; an interval
    /// shorter than a minute has none.
    pub fn within(interval: &Slot, given: GivenMinutes) -> Result<Self, Vec<Fault>> {
        let most = interval.minutes().number();
        if given == GivenMinutes::default() {
            return Self::checked(Minutes::ZERO, interval.minutes(), Minutes::ZERO, most);
        }
        let or_none = |minutes: Option<Minutes>| minutes.unwrap_or(Minutes::ZERO);
        Self::checked(
            or_none(given.prepare),
            or_none(given.run),
            or_none(given.post),
            most,
        )
    }

    /// The minutes of a corrected record: as given, absent ones as they were. Minutes that were the whole interval, all
    /// of it run time, follow the interval.
    pub fn corrected(
        before: (&Slot, Self),
        interval: &Slot,
        given: GivenMinutes,
    ) -> Result<Self, Vec<Fault>> {
        let (slot, present) = before;
        if given == GivenMinutes::default() && present.run_minutes == slot.minutes() {
            return Self::within(interval, given);
        }
        Self::checked(
            given.prepare.unwrap_or(present.prepare_minutes),
            given.run.unwrap_or(present.run_minutes),
            given.post.unwrap_or(present.post_minutes),
            interval.minutes().number(),
        )
    }

    fn checked(
        prepare_minutes: Minutes,
        run_minutes: Minutes,
        post_minutes: Minutes,
        most: i64,
    ) -> Result<Self, Vec<Fault>> {
        let parts = [
            ("prepare_minutes", prepare_minutes),
            ("run_minutes", run_minutes),
            ("post_minutes", post_minutes),
        ];
        let absurd = out_of_range(&parts);
        if !absurd.is_empty() {
            return Err(absurd);
        }
        let sum: i128 = parts.iter().map(|(_, m)| i128::from(m.number())).sum();
        if sum > i128::from(most) {
            return Err(vec![
                Fault::field("run_minutes", Code::minutes_exceed_interval)
                    .limit(most)
                    .actual(sum),
            ]);
        }
        if sum == 0 && most > 0 {
            return Err(vec![
                Fault::field("run_minutes", Code::no_effective_minutes).limit(1),
            ]);
        }
        Ok(Self {
            prepare_minutes,
            run_minutes,
            post_minutes,
        })
    }

    /// The minutes of a stored record, checked when it was written: preparation, run and post-processing.
    pub const fn stored([prepare_minutes, run_minutes, post_minutes]: [Minutes; 3]) -> Self {
        Self {
            prepare_minutes,
            run_minutes,
            post_minutes,
        }
    }

    pub const fn prepare(&self) -> Minutes {
        self.prepare_minutes
    }

    pub const fn run(&self) -> Minutes {
        self.run_minutes
    }

    pub const fn post(&self) -> Minutes {
        self.post_minutes
    }

    /// The sum, which counts as effective time.
    pub const fn effective(&self) -> Minutes {
        Minutes::new(
            self.prepare_minutes.number() + self.run_minutes.number() + self.post_minutes.number(),
        )
    }
}

/// When a service can have taken place: since 1990, over when it is recorded, at most 31 days long.
pub fn check_interval(interval: &Slot, now: Instant) -> Vec<Fault> {
    let mut faults = Vec::new();
    let first = earliest();
    if interval.starts_at() < first {
        faults.push(
            Fault::field("started_at", Code::out_of_range)
                .limit(first)
                .actual(interval.starts_at()),
        );
    }
    if interval.ends_at() > now {
        faults.push(
            Fault::field("ended_at", Code::in_the_future)
                .limit(now)
                .actual(interval.ends_at()),
        );
    }
    let minutes = interval.minutes().number();
    if minutes > INTERVAL_MINUTES_MAX {
        faults.push(
            Fault::field("ended_at", Code::interval_too_long)
                .limit(INTERVAL_MINUTES_MAX)
                .actual(minutes),
        );
    }
    faults
}

/// 1990-01-01 in UTC: before it no record can be meant.
fn earliest() -> Instant {
    Instant::from_utc(chrono::DateTime::UNIX_EPOCH).plus(Minutes::new(7_305 * 24 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_sides_move_a_record_as_the_contract_says() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        recorded --confirm--> confirmed
        recorded --dispute--> disputed
        recorded --void--> voided
        recorded --correct--> recorded
        confirmed --void--> voided
        confirmed --correct--> recorded
        disputed --confirm--> confirmed
        disputed --void--> voided
        disputed --correct--> recorded
        ");
        let refused = S::Voided.after(A::Correct, false).unwrap_err();
        assert_eq!((refused.state, refused.allowed), ("voided", vec![]));
    }

    #[test]
    fn own_use_is_confirmed_at_once_and_after_a_correction() {
        assert_eq!(S::initial(true), S::Confirmed);
        assert_eq!(S::initial(false), S::Recorded);
        assert_eq!(S::Confirmed.after(A::Correct, true), Ok(S::Confirmed));
        assert_eq!(S::Confirmed.after(A::Correct, false), Ok(S::Recorded));
        assert_eq!(S::Confirmed.after(A::Void, true), Ok(S::Voided));
    }

    #[test]
    fn typed_time_is_manual_whatever_it_was() {
        for evidence in Evidence::ALL {
            assert_eq!(evidence.corrected(true), Evidence::Manual);
            assert_eq!(evidence.corrected(false), *evidence);
        }
    }

    fn slot(from: &str, until: &str) -> Slot {
        Slot::new(from.parse().unwrap(), until.parse().unwrap()).unwrap()
    }

    fn hour() -> Slot {
        slot("2026-03-01T09:00:00+08:00", "2026-03-01T10:00:00+08:00")
    }

    fn given(prepare: Option<i64>, run: Option<i64>, post: Option<i64>) -> GivenMinutes {
        GivenMinutes {
            prepare: prepare.map(Minutes::new),
            run: run.map(Minutes::new),
            post: post.map(Minutes::new),
        }
    }

    #[test]
    fn minutes_are_as_given_else_all_run_time() {
        for (minutes, outcome) in [
            (given(None, None, None), Ok((0, 60, 0))),
            (given(Some(10), Some(40), Some(10)), Ok((10, 40, 10))),
            (given(Some(10), None, None), Ok((10, 0, 0))),
            (given(None, Some(60), None), Ok((0, 60, 0))),
            (
                given(Some(1), Some(60), None),
                Err(vec!["minutes_exceed_interval"]),
            ),
            (
                given(Some(i64::MAX), Some(INTERVAL_MINUTES_MAX + 1), Some(59)),
                Err(vec!["out_of_range", "out_of_range"]),
            ),
            (
                given(Some(1), Some(INTERVAL_MINUTES_MAX), None),
                Err(vec!["minutes_exceed_interval"]),
            ),
            (
                given(Some(0), Some(0), None),
                Err(vec!["no_effective_minutes"]),
            ),
            (
                given(Some(-1), Some(-1), Some(5)),
                Err(vec!["out_of_range", "out_of_range"]),
            ),
        ] {
            let found = UsageMinutes::within(&hour(), minutes)
                .map(|m| (m.prepare().number(), m.run().number(), m.post().number()))
                .map_err(|faults| {
                    faults
                        .into_iter()
                        .map(|fault| fault.code.as_str())
                        .collect::<Vec<_>>()
                });
            assert_eq!(found, outcome, "{minutes:?}");
        }
    }

    #[test]
    fn corrected_minutes_stay_unless_they_were_the_whole_interval() {
        let longer = slot("2026-03-01T09:00:00+08:00", "2026-03-01T11:00:00+08:00");
        for (before, minutes, outcome) in [
            (
                given(None, None, None),
                given(None, None, None),
                (0, 120, 0),
            ),
            (
                given(Some(10), Some(40), None),
                given(None, None, None),
                (10, 40, 0),
            ),
            (
                given(Some(10), Some(40), None),
                given(None, None, Some(5)),
                (10, 40, 5),
            ),
            (
                given(None, None, None),
                given(Some(20), None, None),
                (20, 60, 0),
            ),
        ] {
            let present = UsageMinutes::within(&hour(), before).unwrap();
            let found = UsageMinutes::corrected((&hour(), present), &longer, minutes).unwrap();
            let found = (
                found.prepare().number(),
                found.run().number(),
                found.post().number(),
            );
            assert_eq!(found, outcome, "{before:?} {minutes:?}");
        }
    }

    #[test]
    fn a_service_of_seconds_has_no_minutes() {
        let moment = slot("2026-03-01T09:00:00+08:00", "2026-03-01T09:00:59+08:00");
        let minutes = UsageMinutes::within(&moment, GivenMinutes::default());
        assert_eq!(minutes.map(|m| m.effective()), Ok(Minutes::ZERO));
    }

    #[test]
    fn an_interval_is_over_recent_and_short() {
        let now: Instant = "2026-03-01T10:00:00+08:00".parse().unwrap();
        for (from, until, codes) in [
            (
                "2026-03-01T09:00:00+08:00",
                "2026-03-01T10:00:00+08:00",
                vec![],
            ),
            (
                "2026-03-01T09:00:00+08:00",
                "2026-03-01T10:00:01+08:00",
                vec!["in_the_future"],
            ),
            ("1990-01-01T00:00:00Z", "1990-01-01T01:00:00Z", vec![]),
            (
                "1989-12-31T23:59:59Z",
                "1990-01-01T01:00:00Z",
                vec!["out_of_range"],
            ),
            ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", vec![]),
            (
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:01:00Z",
                vec!["interval_too_long"],
            ),
        ] {
            let found: Vec<_> = check_interval(&slot(from, until), now)
                .into_iter()
                .map(|fault| fault.code.as_str())
                .collect();
            assert_eq!(found, codes, "{from}");
        }
    }

    proptest! {
        #[test]
        fn effective_minutes_never_exceed_the_interval(prepare in -5i64..90, run in -5i64..90, post in -5i64..90) {
            if let Ok(minutes) = UsageMinutes::within(&hour(), given(Some(prepare), Some(run), Some(post))) {
                prop_assert_eq!(minutes.effective().number(), prepare + run + post);
                prop_assert!((1..=60).contains(&minutes.effective().number()));
            }
        }
    }
}
