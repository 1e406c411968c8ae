//! What a program remembers of documents that it has read: terms and the calendar, by their versions. A version is the digest
//! of its content, so a remembered pair is true for ever and nobody has to take it back.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::terms::Terms;
use crate::domain::InstrumentId;
use crate::domain::calendar::Calendar;

/// Instruments whose terms are remembered at most, a few kilobytes each.
const TERMS_MAX: usize = 4_096;

/// No document has this version.
pub(super) const UNKNOWN: i64 = -1;

/// One for the process, whatever databases it has open.
pub(super) static MEMO: LazyLock<Memo> = LazyLock::new(Memo::default);

/// The newest documents that this program has read; cheap to ask from any thread.
#[derive(Debug, Default)]
pub(super) struct Memo {
    terms: Mutex<HashMap<InstrumentId, (i64, Arc<Terms>)>>,
    calendar: Mutex<Option<(i64, Arc<Calendar>)>>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memo {
    /// The terms last read of an instrument, with their version.
    pub(super) fn terms(&self, id: InstrumentId) -> Option<(i64, Arc<Terms>)> {
        held(&self.terms).get(&id).cloned()
    }

    pub(super) fn keep_terms(&self, version: i64, terms: &Arc<Terms>) {
        let mut known = held(&self.terms);
        if known.len() >= TERMS_MAX
            && !known.contains_key(&terms.instrument_id)
            && let Some(any) = known.keys().next().copied()
        {
            known.remove(&any);
        }
        known.insert(terms.instrument_id, (version, Arc::clone(terms)));
    }

    /// The version of the calendar last read.
    pub(super) fn calendar_version(&self) -> i64 {
        held(&self.calendar)
            .as_ref()
            .map_or(UNKNOWN, |(version, _)| *version)
    }

    pub(super) fn calendar(&self, version: i64) -> Option<Arc<Calendar>> {
        let known = held(&self.calendar);
        let (_, calendar) = known.as_ref().filter(|(known, _)| *known == version)?;
        Some(Arc::clone(calendar))
    }

    pub(super) fn keep_calendar(&self, version: i64, calendar: &Arc<Calendar>) {
        *held(&self.calendar) = Some((version, Arc::clone(calendar)));
    }
}

/// The version of a document: 63 bits of its digest, so that two contents never share one, whatever backup was restored.
pub(super) fn version_of(content: &str) -> i64 {
    let digest = Sha256::digest(content.as_bytes());
    let number = digest
        .iter()
        .take(8)
        .fold(0_i64, |number, byte| (number << 8) | i64::from(*byte));
    number & i64::MAX
}
