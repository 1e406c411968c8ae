//! The one door of the clock. What it tells never goes back, so that no stamp is earlier than one before it; tests open it
//! with a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use crate::domain::{Instant, Minutes};

/// How far a machine's clock may be from the database's, in seconds, before it is corrected and its node not ready: well
/// within the margin by which `updated_since` looks back.
pub const DIFFERENCE_MAX_SECONDS: i64 = 30;

/// How far a clock may go back, in seconds, while what it tells stands still: a day. What was told from further ahead was
/// wrong itself, and nobody waits for it.
const STANDS_STILL_MAX_SECONDS: i64 = 24 * 60 * 60;

/// Tells the time, or what a test says the time is. Clones tell the same.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    state: Arc<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// The machine's clock, and the seconds by which a test has it off.
    System {
        off: i64,
    },
    Fixed,
}

#[derive(Debug, Default)]
struct State {
    /// Where a fixed clock stands.
    stands_at: AtomicI64,
    /// Seconds added to the machine's clock, because the database's is another.
    correction: AtomicI64,
    /// The latest moment told so far.
    latest: AtomicI64,
}

impl Clock {
    pub fn system() -> Self {
        Self::system_off_by(0)
    }

    /// As a machine's clock that is wrong by so many seconds.
    pub fn system_off_by(off: i64) -> Self {
        Self {
            source: Source::System { off },
            state: Arc::default(),
        }
    }

    /// A clock that stands at `moment` until [`Clock::advance`] moves it.
    pub fn fixed(moment: Instant) -> Self {
        let state = State::default();
        state
            .stands_at
            .store(moment.unix_seconds(), Ordering::SeqCst);
        Self {
            source: Source::Fixed,
            state: Arc::new(state),
        }
    }

    /// Now, in whole seconds, and never earlier than told before.
    pub fn now(&self) -> Instant {
        let seconds = match self.source {
            Source::Fixed => self.state.stands_at.load(Ordering::SeqCst),
            Source::System { off } => {
                system_seconds() + off + self.state.correction.load(Ordering::SeqCst)
            }
        };
        instant(self.not_before_latest(seconds))
    }

    /// Nothing is told from now on that is earlier than this moment, which was told before this process began.
    pub fn go_on_from(&self, moment: Instant) {
        self.state
            .latest
            .fetch_max(moment.unix_seconds(), Ordering::SeqCst);
    }

    /// How many seconds the machine's clock, uncorrected, is ahead of the database's, which said `theirs` after it stood at
    /// `before`. Nothing for a fixed clock.
    pub fn ahead_of(&self, theirs: Instant, before: Instant) -> Option<i64> {
        let ours = self.machine_time()?.unix_seconds();
        let (theirs, before) = (theirs.unix_seconds(), before.unix_seconds());
        // Somewhere between our two looks they looked at theirs.
        Some((ours - theirs).min(0) + (before - theirs).max(0))
    }

    /// What the machine says, whatever was told; nothing for a fixed clock.
    pub fn machine_time(&self) -> Option<Instant> {
        match self.source {
            Source::Fixed => None,
            Source::System { off } => Some(instant(system_seconds() + off)),
        }
    }

    /// Goes by the database's clock where the machine's is too far from it.
    pub fn correct(&self, ahead_seconds: i64) {
        let is_off = ahead_seconds.abs() > DIFFERENCE_MAX_SECONDS;
        let correction = if is_off { -ahead_seconds } else { 0 };
        self.state.correction.store(correction, Ordering::SeqCst);
    }

    /// Moves a fixed clock; the system's clock moves by itself.
    pub fn advance(&self, minutes: Minutes) {
        self.advance_seconds(minutes.number().saturating_mul(60));
    }

    /// As [`Clock::advance`].
    pub fn advance_seconds(&self, seconds: i64) {
        self.state.stands_at.fetch_add(seconds, Ordering::SeqCst);
    }

    fn not_before_latest(&self, seconds: i64) -> i64 {
        let latest = self.state.latest.fetch_max(seconds, Ordering::SeqCst);
        if latest <= seconds {
            return seconds;
        }
        if latest - seconds <= STANDS_STILL_MAX_SECONDS {
            return latest;
        }
        self.state.latest.store(seconds, Ordering::SeqCst);
        seconds
    }
}

fn instant(seconds: i64) -> Instant {
    Instant::from_utc(DateTime::from_timestamp(seconds, 0).unwrap_or_default())
}

#[allow(clippy::disallowed_methods, reason = "this is the door")]
fn system_seconds() -> i64 {
    Utc::now().timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        instant(1_770_000_000 + seconds)
    }

    #[test]
    fn time_stands_still_until_a_clock_that_went_back_has_caught_up() {
        let clock = Clock::fixed(at(0));
        assert_eq!(clock.now(), at(0));
        clock.advance_seconds(-150);
        assert_eq!(clock.now(), at(0));
        clock.advance_seconds(149);
        assert_eq!(clock.clone().now(), at(0));
        clock.advance_seconds(2);
        assert_eq!(clock.now(), at(1));
    }

    #[test]
    fn time_goes_on_from_what_was_stamped_before_unless_that_is_absurd() {
        let clock = Clock::fixed(at(0));
        clock.go_on_from(at(150));
        assert_eq!(clock.now(), at(150));
        clock.go_on_from(at(STANDS_STILL_MAX_SECONDS + 1));
        assert_eq!(clock.now(), at(0));
        assert_eq!(clock.now(), at(0));
    }

    #[test]
    fn a_machine_far_from_the_database_goes_by_the_database() {
        let clock = Clock::system_off_by(-150);
        let before = clock.machine_time().unwrap();
        let theirs = before.plus_seconds(150);
        let ahead = clock.ahead_of(theirs, before).unwrap();
        assert!((-150..=-148).contains(&ahead), "{ahead}");
        clock.correct(ahead);
        assert!(clock.now() >= theirs.plus_seconds(-2));
        clock.correct(DIFFERENCE_MAX_SECONDS);
        assert_eq!(clock.state.correction.load(Ordering::SeqCst), 0);
        assert_eq!(Clock::fixed(at(0)).ahead_of(at(1), at(0)), None);
    }
}
