//! The index of instruments in memory: which words stand where, and what else lists need to know of each. A document that
//! changes takes a new slot; slots that nobody has any more are given back together.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::facet::Facet;
use super::posting::Postings;
use super::query::Query;
use super::synonyms::Synonyms;
use super::text::{self, Pair};
use super::{Document, Field};
use crate::domain::booking::BookingMode;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::Point;
use crate::domain::{CategoryCode, InstrumentId, OrganizationId, RegionCode};

/// So many slots may stand empty, beside a quarter of those in use.
const EMPTY_MAX: usize = 1_000;

/// Words of a model that are shorter than this are never taken for misspelled.
pub(super) const MODEL_MIN: usize = 4;

/// What lists need to know of an instrument beside its words.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: InstrumentId,
    pub organization: OrganizationId,
    pub category: CategoryCode,
    pub region: RegionCode,
    pub share_mode: Option<ShareMode>,
    pub modes: Box<[BookingMode]>,
    pub methods: Box<[Arc<str>]>,
    pub point: Option<Point>,
    /// Characters of the name, without marks and blanks.
    pub name_length: u32,
}

/// An instrument that a query finds; the greater the rank, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    pub id: InstrumentId,
    pub rank: u32,
}

/// What a query finds, the best first, equals in the order of their ids; and the synonyms that were taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    pub hits: Vec<Hit>,
    pub expanded: Vec<String>,
}

/// Words, documents and labels.
#[derive(Debug, Default)]
pub struct Index {
    pub(super) pairs: HashMap<Pair, Postings>,
    pub(super) words: BTreeMap<Box<str>, Postings>,
    /// The words that models have, for those that are misspelled.
    pub(super) models: BTreeMap<Box<str>, Postings>,
    pub(super) entries: Vec<Option<Entry>>,
    slots: HashMap<InstrumentId, u32>,
    labels: HashMap<(Facet, String), String>,
    methods: HashMap<Box<str>, Arc<str>>,
}

impl Index {
    /// How many instruments it knows.
    pub fn count_instruments(&self) -> usize {
        self.slots.len()
    }

    /// Takes an instrument in, or what it has become.
    pub fn put(&mut self, document: &Document) {
        self.remove(document.id);
        let Ok(slot) = u32::try_from(self.entries.len()) else {
            return;
        };
        let mut name_length = 0;
        for (field, text) in &document.texts {
            let tokens = text::tokens(text);
            let bit = field.bit();
            if *field == Field::Name {
                let length = text::compact(&tokens).chars().count();
                name_length = u32::try_from(length).unwrap_or(u32::MAX);
            }
            text::pairs(&tokens, |pair| {
                self.pairs.entry(pair).or_default().add(slot, bit);
            });
            let is_model = *field == Field::Model;
            text::words(&tokens, |word| {
                add(&mut self.words, word, (slot, bit));
                if is_model && word.len() >= MODEL_MIN {
                    add(&mut self.models, word, (slot, bit));
                }
            });
        }
        self.keep_labels(document);
        let methods = document.methods.iter();
        let methods = methods.map(|method| interned(&mut self.methods, method));
        self.entries.push(Some(Entry {
            id: document.id,
            organization: document.organization.value,
            category: document.category.value,
            region: document.region.value,
            share_mode: document.share_mode,
            modes: document.modes.as_slice().into(),
            methods: methods.collect(),
            point: document.point,
            name_length,
        }));
        self.slots.insert(document.id, slot);
    }

    /// Forgets an instrument.
    pub fn remove(&mut self, id: InstrumentId) {
        let slot = self.slots.remove(&id);
        let slot = slot.and_then(|slot| usize::try_from(slot).ok());
        if let Some(entry) = slot.and_then(|slot| self.entries.get_mut(slot)) {
            *entry = None;
        }
        if self.entries.len() > self.slots.len() + self.slots.len() / 4 + EMPTY_MAX {
            self.renumber();
        }
    }

    /// Gives back the slots that nobody has.
    fn renumber(&mut self) {
        let mut next = 0;
        let slots: Vec<Option<u32>> = self
            .entries
            .iter()
            .map(|entry| {
                let slot = entry.as_ref().map(|_| next);
                next += u32::from(entry.is_some());
                slot
            })
            .collect();
        self.pairs.retain(|_, postings| postings.renumber(&slots));
        self.words.retain(|_, postings| postings.renumber(&slots));
        self.models.retain(|_, postings| postings.renumber(&slots));
        self.entries.retain(Option::is_some);
        let numbered = self.entries.iter().flatten().map(|entry| entry.id).zip(0..);
        self.slots = numbered.collect();
    }

    fn keep_labels(&mut self, document: &Document) {
        for (facet, value, name) in [
            (
                Facet::Category,
                document.category.value.to_string(),
                &document.category.name,
            ),
            (
                Facet::Region,
                document.region.value.to_string(),
                &document.region.name,
            ),
            (
                Facet::Organization,
                document.organization.value.to_string(),
                &document.organization.name,
            ),
        ] {
            let key = (facet, value);
            if self.labels.get(&key) != Some(name) {
                self.labels.insert(key, name.clone());
            }
        }
    }

    /// What people call a value; of standards they are their own names.
    pub(super) fn label_of(&self, facet: Facet, value: &str) -> Option<String> {
        match facet {
            Facet::Method => Some(value.to_owned()),
            Facet::ShareMode | Facet::Mode => None,
            Facet::Category | Facet::Region | Facet::Organization => {
                self.labels.get(&(facet, value.to_owned())).cloned()
            }
        }
    }

    pub(super) fn entry(&self, id: InstrumentId) -> Option<&Entry> {
        let slot = usize::try_from(*self.slots.get(&id)?).ok()?;
        self.entries.get(slot)?.as_ref()
    }

    /// Where an instrument stands, if that is known.
    pub fn point(&self, id: InstrumentId) -> Option<Point> {
        self.entry(id)?.point
    }

    /// Whether others than its unit may use it.
    pub fn is_external(&self, id: InstrumentId) -> bool {
        let mode = self.entry(id).and_then(|entry| entry.share_mode);
        mode == Some(ShareMode::External)
    }

    /// Every instrument of which the place is known.
    pub fn points(&self) -> impl Iterator<Item = (InstrumentId, Point)> {
        let entries = self.entries.iter().flatten();
        entries.filter_map(|entry| Some((entry.id, entry.point?)))
    }

    /// The instruments that meet every word of one of the texts. A text of blanks asks for nothing, so all meet it.
    pub fn find(&self, texts: &[String], synonyms: &Synonyms) -> Matches {
        let mut ranks = vec![0_u32; self.entries.len()];
        let mut expanded: Vec<String> = Vec::new();
        for text in texts {
            let query = Query::parse(text, synonyms);
            if text.trim().is_empty() {
                ranks.iter_mut().for_each(|rank| *rank = (*rank).max(1));
            } else {
                self.rank(&query, &mut ranks);
            }
            let new = query.expanded.into_iter();
            expanded.extend(
                new.filter(|word| !expanded.contains(word))
                    .collect::<Vec<_>>(),
            );
        }
        let found = self.entries.iter().zip(ranks);
        let hits = found.filter_map(|(entry, rank)| {
            let id = entry.as_ref().filter(|_| rank > 0)?.id;
            Some(Hit { id, rank })
        });
        let mut hits: Vec<Hit> = hits.collect();
        hits.sort_by_key(|hit| (std::cmp::Reverse(hit.rank), hit.id));
        Matches { hits, expanded }
    }
}

fn add(words: &mut BTreeMap<Box<str>, Postings>, word: &str, (slot, field): (u32, u16)) {
    if let Some(postings) = words.get_mut(word) {
        return postings.add(slot, field);
    }
    let mut postings = Postings::default();
    postings.add(slot, field);
    words.insert(word.into(), postings);
}

fn interned(known: &mut HashMap<Box<str>, Arc<str>>, text: &str) -> Arc<str> {
    match known.get(text) {
        Some(text) => Arc::clone(text),
        None => {
            let shared: Arc<str> = text.into();
            known.insert(text.into(), Arc::clone(&shared));
            shared
        }
    }
}
