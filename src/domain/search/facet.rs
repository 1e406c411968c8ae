//! How many of some instruments are of which class, region, unit, openness, standard or mode.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::index::{Entry, Index};
use crate::domain::InstrumentId;
use crate::domain::booking::BookingMode;

crate::vocabulary! {
    /// By what instruments are counted.
    Facet {
        Category = "category",
        Region = "region",
        Organization = "organization",
        ShareMode = "share_mode",
        Method = "method",
        Mode = "mode",
    }
}

/// The values that are told of a facet.
const VALUES_MAX: usize = 20;

/// How many have a value. The label is what people call it; of a word that every program knows it is left to who tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub value: String,
    pub label: Option<String>,
    pub count: usize,
}

impl Index {
    /// The most frequent values of each facet among these instruments, equals in the order of their words.
    pub fn count(
        &self,
        facets: &[Facet],
        instruments: &[InstrumentId],
    ) -> BTreeMap<Facet, Vec<Count>> {
        let entries = instruments.iter().filter_map(|id| self.entry(*id));
        let entries: Vec<&Entry> = entries.collect();
        let counted = |facet: &Facet| (*facet, self.frequent(*facet, tallied(*facet, &entries)));
        facets.iter().map(counted).collect()
    }

    fn frequent(&self, facet: Facet, mut counts: Vec<(String, usize)>) -> Vec<Count> {
        counts.sort_by(|(one, many), (other, more)| more.cmp(many).then_with(|| one.cmp(other)));
        counts.truncate(VALUES_MAX);
        let labelled = counts.into_iter().map(|(value, count)| Count {
            label: self.label_of(facet, &value),
            value,
            count,
        });
        labelled.collect()
    }
}

fn tallied(facet: Facet, entries: &[&Entry]) -> Vec<(String, usize)> {
    let all = entries.iter();
    match facet {
        Facet::Category => tally(all.map(|entry| entry.category)),
        Facet::Region => tally(all.map(|entry| entry.region)),
        Facet::Organization => tally(all.map(|entry| entry.organization)),
        Facet::ShareMode => tally(all.filter_map(|entry| entry.share_mode)),
        Facet::Method => tally(all.flat_map(|entry| entry.methods.iter())),
        Facet::Mode => tally(all.flat_map(|entry| {
            let offered = |mode: &&BookingMode| entry.modes.contains(*mode);
            BookingMode::ALL.iter().filter(offered)
        })),
    }
}

fn tally<K: Hash + Eq + ToString>(values: impl Iterator<Item = K>) -> Vec<(String, usize)> {
    let mut counts: HashMap<K, usize> = HashMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let told = counts.into_iter();
    told.map(|(value, count)| (value.to_string(), count))
        .collect()
}
