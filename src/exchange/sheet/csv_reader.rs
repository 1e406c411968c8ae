//! Records of a CSV with the row numbers that a spreadsheet program shows: blank lines count, line breaks inside a cell do not.

use super::MAX_COLUMNS;
use super::csv_width::{Narrow, TooWide};
use super::encoding::{self, Undecodable};
use super::fault::showing;
use crate::domain::{Code, Fault};
use std::io::{Chain, Read};

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Terminator};

/// Reads record after record; a UTF-8 byte order mark is skipped.
#[derive(Debug)]
pub(super) struct Records<R: Read> {
    reader: Reader<Narrow<Chain<R, &'static [u8]>>>,
    /// The row of the record last read.
    row: u64,
    /// Line breaks inside cells so far.
    breaks_inside: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R) -> Self {
        // Only \n ends a record, so that the count of lines is exact; the \r before it is white space of the last cell.
        // The \n at the end closes a last line that has none.
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Narrow::new(input.chain(&b"\n"[..])));
        Self {
            reader,
            row: 0,
            breaks_inside: 0,
        }
    }

    /// The next record and its row; `None` at the end.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<Option<u32>, Fault> {
        let found = self.reader.read_record(record);
        let next_row = u32::try_from(self.row + 1).unwrap_or(u32::MAX);
        if !found.map_err(|error| fault_of(error, next_row))? {
            return Ok(None);
        }
        let inside = record.as_slice().bytes().filter(|b| *b == b'\n').count();
        self.breaks_inside += u64::try_from(inside).unwrap_or(0);
        let lines = self.reader.position().line() - 1;
        let row = lines.saturating_sub(self.breaks_inside);
        if row <= self.row {
            // The quote has swallowed the closing line break.
            return Err(Fault::cell(next_row, "", Code::unclosed_quote));
        }
        self.row = row;
        Ok(Some(u32::try_from(row).unwrap_or(u32::MAX)))
    }

    /// The input, for what it counted on the way.
    pub(super) fn input(&self) -> &R {
        self.reader.get_ref().input().get_ref().0
    }
}

fn fault_of(error: csv::Error, row: u32) -> Fault {
    match error.kind() {
        ErrorKind::Utf8 { .. } => {
            Fault::cell(row, "", Code::unknown_encoding).limit(encoding::KNOWN)
        }
        ErrorKind::Io(error)
            if error
                .get_ref()
                .is_some_and(|cause| cause.is::<Undecodable>()) =>
        {
            Fault::cell(row, "", Code::unknown_encoding).limit(encoding::KNOWN)
        }
        ErrorKind::Io(error) if let Some(row) = too_wide(error) => {
            Fault::cell(row, "", Code::too_many_columns).limit(MAX_COLUMNS)
        }
        _ => showing(Fault::cell(row, "", Code::unreadable), error),
    }
}

fn too_wide(error: &std::io::Error) -> Option<u32> {
    let TooWide { row } = error.get_ref()?.downcast_ref()?;
    Some(u32::try_from(*row).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> (Vec<(u32, String)>, Option<Fault>) {
        let mut records = Records::new(text.as_bytes());
        let mut record = StringRecord::new();
        let mut seen = Vec::new();
        loop {
            match records.next(&mut record) {
                Ok(Some(row)) => seen.push((row, record[0].to_owned())),
                Ok(None) => return (seen, None),
                Err(fault) => return (seen, Some(fault)),
            }
        }
    }

    #[test]
    fn rows_are_numbered_as_on_the_screen() {
        for text in ["\u{feff}a\n\n\"b\n\nb\"\nc", "a\r\n\n\"b\n\nb\"\r\nc\r\n"] {
            let (seen, fault) = rows(text);
            let numbers: Vec<u32> = seen.iter().map(|(row, _)| *row).collect();
            assert_eq!((numbers, fault), (vec![1, 3, 4], None), "{text:?}");
            assert_eq!(seen[0].1.trim(), "a");
        }
    }

    #[test]
    fn a_quote_that_never_closes_is_reported_at_its_row() {
        let (seen, fault) = rows("a\nb\n\"c\nd\ne");
        assert_eq!(seen.len(), 2);
        assert_eq!(fault, Some(Fault::cell(3, "", Code::unclosed_quote)));
    }

    #[test]
    fn nothing_is_kept_of_a_row_beyond_the_columns() {
        let text = format!("a,b\n{}", ",".repeat(1 << 20));
        let (seen, fault) = rows(&text);
        assert!(seen.len() <= 1);
        let told = Fault::cell(2, "", Code::too_many_columns).limit(MAX_COLUMNS);
        assert_eq!(fault, Some(told));
    }
}
