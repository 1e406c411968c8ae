//! This node's index of instruments, and how far in the trail it has followed. What it is filled from is left to operations.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use crate::domain::InstrumentId;
use crate::domain::search::{Document, Index, Synonyms};
use crate::store::search::NamesOfCodes;
use crate::store::trail::Place;

/// Everything up to a place of the trail.
#[derive(Debug)]
struct Followed {
    index: Index,
    place: Option<Place>,
}

/// Cheap to ask from any thread: whoever searches waits only while a change is taken in.
#[derive(Debug)]
pub struct Search {
    pub synonyms: Synonyms,
    followed: RwLock<Followed>,
    /// The names of codes; whoever follows the trail holds them.
    following: Mutex<NamesOfCodes>,
}

/// The index while it is read.
#[derive(Debug)]
pub struct Reading<'a>(RwLockReadGuard<'a, Followed>);

impl std::ops::Deref for Reading<'_> {
    type Target = Index;
    fn deref(&self) -> &Index {
        &self.0.index
    }
}

impl Search {
    pub fn new(synonyms: Synonyms) -> Self {
        Self {
            synonyms,
            followed: RwLock::new(Followed {
                index: Index::default(),
                place: None,
            }),
            following: Mutex::default(),
        }
    }

    /// One at a time follows the trail.
    pub fn follow(&self) -> MutexGuard<'_, NamesOfCodes> {
        self.following
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub fn read(&self) -> Reading<'_> {
        Reading(self.followed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Up to where the index is; nowhere before it was built.
    pub fn place(&self) -> Option<Place> {
        self.read().0.place
    }

    /// Another index in place of the present one.
    pub fn replace(&self, index: Index, place: Place) {
        let mut followed = self
            .followed
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *followed = Followed {
            index,
            place: Some(place),
        };
    }

    /// Takes in what became of these instruments; those without a document are gone.
    pub fn take_in(&self, changed: &[InstrumentId], documents: &[Document], place: Place) {
        let mut followed = self
            .followed
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for id in changed {
            followed.index.remove(*id);
        }
        for document in documents {
            followed.index.put(document);
        }
        followed.place = Some(place);
    }
}
