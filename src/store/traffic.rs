//! How many statements a store has sent and how many it had to prepare, so that tests hold what a request costs; and how many
//! of its connections were lost.

use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent};

/// Counts since the store was opened.
#[derive(Debug, Default)]
pub struct Traffic {
    sent: AtomicU64,
    prepared: AtomicU64,
    lost: AtomicU64,
}

impl Traffic {
    pub(super) fn count(&self, event: &InstrumentationEvent<'_>) {
        let counter = match event {
            InstrumentationEvent::StartQuery { .. } => &self.sent,
            InstrumentationEvent::CacheQuery { .. } => &self.prepared,
            _ => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Statements sent, those that begin and end transactions among them; on PostgreSQL each is a round trip.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// A connection was given up: the others are to be asked whether they still answer.
    pub(super) fn count_lost(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Statements that a connection met for the first time.
    pub fn prepared(&self) -> u64 {
        self.prepared.load(Ordering::Relaxed)
    }
}

/// Counts for a connection that is in no pool.
#[derive(Debug)]
pub(super) struct Counting(pub std::sync::Arc<Traffic>);

impl Instrumentation for Counting {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        self.0.count(&event);
    }
}
