//! The one door of the clock. Tests open it with a clock that stands still until it is moved.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

use crate::domain::{Instant, Minutes};

/// Tells the time, or what a test says the time is.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `moment` until [`Clock::advance`] moves it.
    pub fn fixed(moment: Instant) -> Self {
        Clock::Fixed(Arc::new(AtomicI64::new(moment.unix_seconds())))
    }

    /// Now, in whole seconds.
    pub fn now(&self) -> Instant {
        match self {
            Clock::System => Instant::from_utc(system_time()),
            Clock::Fixed(seconds) => Instant::from_utc(
                DateTime::from_timestamp(seconds.load(Ordering::SeqCst), 0).unwrap_or_default(),
            ),
        }
    }

    /// Moves a fixed clock; the system's clock moves by itself.
    pub fn advance(&self, minutes: Minutes) {
        if let Clock::Fixed(seconds) = self {
            seconds.fetch_add(minutes.number().saturating_mul(60), Ordering::SeqCst);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this is the door")]
fn system_time() -> DateTime<Utc> {
    Utc::now()
}
