//! What is wrong with a file: a code with the row and column in which a person finds the cell.

use std::fmt::Display;

use crate::domain::{Code, Fault};

/// So many faults are listed; the last entry says how many more there are.
const MAX_FAULTS: usize = 1_000;

/// The longest piece of a refused value that is repeated to the person.
const VALUE_CHARS: usize = 80;

/// A fault of the file as a whole.
pub(super) fn of_file(code: Code) -> Fault {
    Fault::cell(0, "", code)
}

/// The fault with what stands there, cut to a readable length; with nothing where nothing stands.
pub(super) fn showing(fault: Fault, value: impl Display) -> Fault {
    let value: String = value.to_string().chars().take(VALUE_CHARS).collect();
    match value.is_empty() {
        true => fault,
        false => fault.actual(value),
    }
}

/// Collects faults in bounded memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    listed: Vec<Fault>,
    beyond: usize,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        if self.listed.len() < MAX_FAULTS {
            self.listed.push(fault);
        } else {
            self.beyond += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    pub(super) fn count(&self) -> usize {
        self.listed.len() + self.beyond
    }

    /// The faults in the order of the rows, with a last entry for those not listed.
    pub(super) fn into_list(mut self) -> Vec<Fault> {
        self.listed.sort_by_key(Fault::row);
        if self.beyond > 0 {
            let note = of_file(Code::more_faults).limit(MAX_FAULTS);
            self.listed.push(note.actual(self.beyond));
        }
        self.listed
    }
}

/// The candidate nearest to `text`, when it is near enough to be meant.
pub(super) fn nearest(
    text: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<String> {
    let text: String = text.chars().take(VALUE_CHARS).collect();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&text, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| distance * 3 <= candidate.chars().count().max(3))
        .map(|(_, candidate)| candidate.to_owned())
}

/// The letters of a column counted from 0: A, B, … Z, AA, …
pub(super) fn letters(column: usize) -> String {
    let rank = u32::try_from(column % 26).unwrap_or(0);
    let last = char::from_u32(u32::from(b'A') + rank).unwrap_or('A');
    match column / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letters(more - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lettered_as_in_a_spreadsheet() {
        for (column, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (51, "AZ"),
            (52, "BA"),
            (702, "AAA"),
        ] {
            assert_eq!(letters(column), name);
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let words = ["asset_no", "model", "资产编号"];
        assert_eq!(nearest("aset_no", words), Some("asset_no".to_owned()));
        assert_eq!(nearest("资产编码", words), Some("资产编号".to_owned()));
        assert_eq!(nearest("evidence", words), None);
    }

    #[test]
    fn faults_beyond_a_thousand_are_counted() {
        let mut faults = Faults::default();
        for row in 0..1_234 {
            faults.push(Fault::cell(row, "A", Code::required));
        }
        let list = faults.into_list();
        assert_eq!(list.len(), 1_001);
        let last = list.last().unwrap();
        assert_eq!(
            (last.code, last.actual.clone()),
            (Code::more_faults, Some(234.into()))
        );
    }
}
