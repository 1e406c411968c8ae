//! How well an instrument meets a query. Every word is met, in the way that tells most: as typed rather than by a synonym, in
//! a name rather than in a description, whole rather than in parts. Whoever meets a word only by a misspelled model comes
//! after all who meet every word as it is.

use super::Field;
use super::index::{Index, MODEL_MIN};
use super::posting::Postings;
use super::query::{Origin, Query, Way, Word};
use super::synonyms::Part;
use super::text;

/// A word that is met as it is, not by a misspelled model, counts this much before anything else.
const AS_IT_IS: u32 = 1 << 20;

/// What a name adds that is the word and nothing else; in longer ones by its share.
const WHOLE_NAME: u32 = 600;

/// How well a word is met, in eighths.
const TYPED: u32 = 8;
const SYNONYM: u32 = 7;
const IN_PIECES: u32 = 4;
const MISSPELLED: u32 = 1;

/// A document against a part: the fields where it stands, and how well.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    fields: u16,
    eighths: u32,
}

impl Met {
    fn better(&mut self, other: Met) {
        if other.fields != 0 && other.eighths > self.eighths {
            *self = other;
        } else if other.eighths == self.eighths {
            self.fields |= other.fields;
        }
    }
}

/// The weight of the most telling field.
fn weight(fields: u16) -> u32 {
    let met = Field::ALL.iter().find(|field| fields & field.bit() != 0);
    met.map_or(0, |field| field.weight())
}

impl Index {
    /// Raises the rank of whatever meets all words of the query.
    pub(super) fn rank(&self, query: &Query, ranks: &mut [u32]) {
        let mut sum: Option<Vec<u32>> = None;
        for word in &query.words {
            let met = self.meet(word);
            sum = Some(match sum {
                None => met,
                Some(sum) => {
                    let both = sum.into_iter().zip(met);
                    let both = both.map(|(one, other)| match (one, other) {
                        (0, _) | (_, 0) => 0,
                        _ => one.saturating_add(other),
                    });
                    both.collect()
                }
            });
        }
        for (rank, sum) in ranks.iter_mut().zip(sum.unwrap_or_default()) {
            *rank = (*rank).max(sum);
        }
    }

    /// How much each document tells of a word; 0 of those that do not meet it.
    fn meet(&self, word: &Word) -> Vec<u32> {
        let mut best = vec![0; self.entries.len()];
        for way in &word.ways {
            self.meet_way(way, word.is_open, &mut best);
        }
        best
    }

    fn meet_way(&self, way: &Way, is_open: bool, best: &mut [u32]) {
        let mut parts = way.parts.iter();
        let Some(first) = parts.next() else { return };
        let is_open = is_open && way.origin == Origin::Typed;
        // All parts: the fields that have all of them, and the least of their weights and eighths.
        let first = self.meet_part(first, way, is_open);
        let mut all: Vec<(Met, u32)> = first
            .into_iter()
            .map(|met| (met, weight(met.fields)))
            .collect();
        for part in parts {
            for ((met, least), other) in all.iter_mut().zip(self.meet_part(part, way, is_open)) {
                *least = (*least).min(weight(other.fields));
                met.fields &= other.fields;
                met.eighths = met.eighths.min(other.eighths);
            }
        }
        let length = u32::try_from(way.length).unwrap_or(u32::MAX);
        for ((best, (met, least)), entry) in best.iter_mut().zip(all).zip(&self.entries) {
            let is_scattered = met.fields == 0 && way.origin == Origin::Synonym;
            if met.eighths == 0 || least == 0 || is_scattered {
                continue;
            }
            let name = entry
                .as_ref()
                .map_or(0, |entry| entry.name_length.max(length));
            let is_name = met.fields & Field::Name.bit() != 0 && name > 0;
            let share = match is_name {
                true => WHOLE_NAME * length / name,
                false => 0,
            };
            let mut told = 1 + (least * TYPED + share) * met.eighths / TYPED;
            if met.eighths > MISSPELLED {
                told += AS_IT_IS;
            }
            *best = (*best).max(told);
        }
    }

    fn meet_part(&self, part: &Part, way: &Way, is_open: bool) -> Vec<Met> {
        let mut met = vec![Met::default(); self.entries.len()];
        let eighths = match way.origin {
            Origin::Typed => TYPED,
            Origin::Pieces => IN_PIECES,
            Origin::Synonym => SYNONYM,
        };
        let hidden = match way.is_short {
            true => Field::Model.bit() | Field::AssetNo.bit(),
            false => 0,
        };
        match part {
            Part::Chinese(run) => self.meet_run(run, way.origin, eighths, &mut met),
            Part::Word(word) => {
                if let Some(postings) = self.words.get(word.as_str()) {
                    note(&mut met, postings, eighths, hidden);
                }
                if is_open {
                    self.meet_nearly(word, &mut met);
                }
            }
        }
        met
    }

    /// Words that begin so, and models that are misspelled by one sign.
    fn meet_nearly(&self, word: &str, met: &mut [Met]) {
        if word.len() > 1 {
            let from: (std::ops::Bound<&str>, _) =
                (std::ops::Bound::Excluded(word), std::ops::Bound::Unbounded);
            let begun = self.words.range::<str, _>(from);
            for (_, postings) in begun.take_while(|(other, _)| other.starts_with(word)) {
                note(met, postings, IN_PIECES, 0);
            }
        }
        let is_model = word.bytes().any(|sign| sign.is_ascii_digit());
        let is_unknown = || !self.words.contains_key(word);
        if word.len() >= MODEL_MIN && (is_model || (word.len() > MODEL_MIN && is_unknown())) {
            let near = self.models.iter();
            for (_, postings) in near.filter(|(model, _)| text::is_near(word, model)) {
                note(met, postings, MISSPELLED, 0);
            }
        }
    }

    /// A run of Chinese characters: all of its pairs in one field, or, as typed, each character in one of its pairs, which
    /// tells as much as the least of them.
    fn meet_run(&self, run: &[char], origin: Origin, eighths: u32, met: &mut [Met]) {
        let pairs = text::pairs_of(run);
        let whole: u128 = (0..pairs.len()).fold(0, |bits, place| bits | bit(place));
        let mut there = vec![0_u128; met.len()];
        let mut somewhere = vec![0_u16; met.len()];
        for (place, pair) in pairs.iter().enumerate() {
            let Some(postings) = self.pairs.get(pair) else {
                continue;
            };
            for (slot, fields) in postings.iter() {
                let known = (
                    met.get_mut(slot),
                    there.get_mut(slot),
                    somewhere.get_mut(slot),
                );
                let (Some(met), Some(there), Some(somewhere)) = known else {
                    continue;
                };
                let is_going_on = *there & (bit(place) - 1) == bit(place) - 1;
                met.fields = match (place, is_going_on) {
                    (0, _) => fields,
                    (_, true) => met.fields & fields,
                    (_, false) => 0,
                };
                *there |= bit(place);
                if *somewhere == 0 || weight(fields) < weight(*somewhere) {
                    *somewhere = fields;
                }
            }
        }
        for ((met, there), somewhere) in met.iter_mut().zip(there).zip(somewhere) {
            if there == whole && met.fields != 0 {
                met.eighths = eighths;
                continue;
            }
            let missing = whole & !there;
            let ends = bit(0) | bit(pairs.len().saturating_sub(1));
            let is_covered = missing & ends == 0 && missing & (missing >> 1) == 0;
            *met = match origin == Origin::Typed && is_covered {
                true => Met {
                    fields: somewhere,
                    eighths: IN_PIECES,
                },
                false => Met::default(),
            };
        }
    }
}

/// A query has at most a hundred characters.
fn bit(place: usize) -> u128 {
    u32::try_from(place)
        .ok()
        .and_then(|place| 1_u128.checked_shl(place))
        .unwrap_or(0)
}

fn note(met: &mut [Met], postings: &Postings, eighths: u32, hidden: u16) {
    for (slot, fields) in postings.iter() {
        if let Some(met) = met.get_mut(slot)
            && fields & !hidden != 0
        {
            met.better(Met {
                fields: fields & !hidden,
                eighths,
            });
        }
    }
}
