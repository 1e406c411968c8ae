//! How far back a feed must look so that no late commit is ever omitted: which writes are open, and for how long.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant as Stopwatch;

/// The actions of this process that wait or run.
#[derive(Debug, Clone, Default)]
pub struct OpenWrites(Arc<Mutex<Started>>);

#[derive(Debug, Default)]
struct Started {
    next: u64,
    open: BTreeMap<u64, Stopwatch>,
}

/// One action, open until dropped.
#[derive(Debug)]
pub struct OpenWrite {
    all: OpenWrites,
    number: u64,
}

impl OpenWrites {
    pub fn begin(&self) -> OpenWrite {
        let number = self.with(|started| {
            started.next += 1;
            started.open.insert(started.next, Stopwatch::now());
            started.next
        });
        OpenWrite {
            all: self.clone(),
            number,
        }
    }

    /// Whole seconds, rounded up, since the oldest open action began; 0 when none is open.
    pub fn oldest_seconds(&self) -> i64 {
        // Numbers are given in order, so the first is the oldest.
        let oldest = self.with(|started| started.open.values().next().copied());
        let seconds = oldest.map_or(0, |began| began.elapsed().as_secs() + 1);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Started) -> T) -> T {
        look(
            &mut self
                .0
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner()),
        )
    }
}

impl Drop for OpenWrite {
    fn drop(&mut self) {
        self.all.with(|started| started.open.remove(&self.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_counts_from_its_beginning_until_it_is_dropped() {
        let writes = OpenWrites::default();
        assert_eq!(writes.oldest_seconds(), 0);
        let first = writes.begin();
        let second = writes.begin();
        drop(first);
        assert!(writes.oldest_seconds() >= 1);
        drop(second);
        assert_eq!(writes.oldest_seconds(), 0);
    }
}
