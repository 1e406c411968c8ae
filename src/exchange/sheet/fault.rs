//! What is wrong with a file: a code with the row and column in which a person finds the cell.

use serde::Serialize;

use crate::error::{Code, Fault};

/// So many faults are listed; the last entry says how many more there are.
const MAX_FAULTS: usize = 1_000;

/// The longest piece of a refused value that is repeated to the person.
const VALUE_CHARS: usize = 80;

crate::vocabulary! {
    /// The codes of the spreadsheet room.
    FaultCode {
        NotASpreadsheet = "not_a_spreadsheet",
        UnknownEncoding = "unknown_encoding",
        Unreadable = "unreadable",
        FileTooLarge = "file_too_large",
        TooManyRows = "too_many_rows",
        TooManyColumns = "too_many_columns",
        NoHeader = "no_header",
        UnknownColumn = "unknown_column",
        MissingColumn = "missing_column",
        DuplicateColumn = "duplicate_column",
        CellWithoutHeader = "cell_without_header",
        UnevenRow = "uneven_row",
        UnclosedQuote = "unclosed_quote",
        FormulaNotAllowed = "formula_not_allowed",
        MergedCells = "merged_cells",
        ErrorValue = "error_value",
        Required = "required",
        TextTooLong = "text_too_long",
        ControlCharacter = "control_character",
        DigitsLost = "digits_lost",
        NotText = "not_text",
        NotAnInteger = "not_an_integer",
        NotAnAmount = "not_an_amount",
        NotADate = "not_a_date",
        NotAnInstant = "not_an_instant",
        NotABoolean = "not_a_boolean",
        NotADecimal = "not_a_decimal",
        OutOfRange = "out_of_range",
        UnknownWord = "unknown_word",
        NotAfterStart = "not_after_start",
        MoreFaults = "more_faults",
    }
}

/// One fault of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellFault {
    /// The row as the spreadsheet program numbers it, from 1; 0 when the whole file is meant.
    pub row: u32,
    /// The title in the file's header, else the letter of the column; empty when the whole row or file is meant.
    pub column: String,
    pub code: FaultCode,
    /// What the cell holds, cut to a readable length.
    pub value: String,
    /// What would have been accepted.
    pub limit: Option<String>,
    pub did_you_mean: Option<&'static str>,
}

impl CellFault {
    pub fn new(row: u32, column: impl Into<String>, code: FaultCode) -> Self {
        Self {
            row,
            column: column.into(),
            code,
            value: String::new(),
            limit: None,
            did_you_mean: None,
        }
    }

    /// A fault of the file as a whole.
    pub fn of_file(code: FaultCode) -> Self {
        Self::new(0, "", code)
    }

    pub fn value(self, value: impl std::fmt::Display) -> Self {
        let value = value.to_string().chars().take(VALUE_CHARS).collect();
        Self { value, ..self }
    }

    pub fn limit(self, limit: impl std::fmt::Display) -> Self {
        let limit = Some(limit.to_string());
        Self { limit, ..self }
    }

    pub(super) fn suggesting(self, did_you_mean: Option<&'static str>) -> Self {
        Self {
            did_you_mean,
            ..self
        }
    }
}

impl From<CellFault> for Fault {
    fn from(fault: CellFault) -> Self {
        let code = Code::find(fault.code.as_str()).unwrap_or(Code::invalid_value);
        let mut entry = Fault::cell(fault.row, fault.column, code);
        entry.limit = fault.limit.map(Into::into);
        entry.actual = (!fault.value.is_empty()).then(|| fault.value.into());
        entry.did_you_mean(fault.did_you_mean.map(str::to_owned))
    }
}

/// Collects faults in bounded memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    listed: Vec<CellFault>,
    beyond: usize,
}

impl Faults {
    pub(super) fn push(&mut self, fault: CellFault) {
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
    pub(super) fn into_list(mut self) -> Vec<CellFault> {
        self.listed.sort_by_key(|fault| fault.row);
        if self.beyond > 0 {
            let note = CellFault::of_file(FaultCode::MoreFaults)
                .value(self.beyond)
                .limit(MAX_FAULTS);
            self.listed.push(note);
        }
        self.listed
    }
}

/// The candidate nearest to `text`, when it is near enough to be meant.
pub(super) fn nearest(
    text: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let text: String = text.chars().take(VALUE_CHARS).collect();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&text, candidate), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, candidate)| distance * 3 <= candidate.chars().count().max(3))
        .map(|(_, candidate)| candidate)
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
        assert_eq!(nearest("aset_no", words), Some("asset_no"));
        assert_eq!(nearest("资产编码", words), Some("资产编号"));
        assert_eq!(nearest("evidence", words), None);
    }

    #[test]
    fn faults_beyond_a_thousand_are_counted() {
        let mut faults = Faults::default();
        for row in 0..1_234 {
            faults.push(CellFault::new(row, "A", FaultCode::Required));
        }
        let list = faults.into_list();
        assert_eq!(list.len(), 1_001);
        let last = list.last().unwrap();
        assert_eq!(
            (last.code, last.value.as_str()),
            (FaultCode::MoreFaults, "234")
        );
    }
}
