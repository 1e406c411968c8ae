//! A CSV's rows are held to their width while the file is read: a row with more cells than a table has columns ends the
//! reading before anything of it is kept, so that a file of commas takes no memory.

use std::io::{self, Read};

use csv_core::{ReadFieldResult, Reader, ReaderBuilder, Terminator};

use super::MAX_COLUMNS;

/// A row with more cells than a table has columns.
#[derive(Debug, thiserror::Error)]
#[error("row {row} is too wide")]
pub(super) struct TooWide {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u64,
}

/// Counts the cells of what passes through, by the same rules of quotes as the reader behind it.
#[derive(Debug)]
pub(super) struct Narrow<R> {
    input: R,
    parser: Reader,
    /// Of the row that is being read.
    cells: usize,
    /// Line breaks inside cells so far.
    breaks_inside: u64,
}

impl<R: Read> Narrow<R> {
    pub(super) fn new(input: R) -> Self {
        let parser = ReaderBuilder::new()
            .terminator(Terminator::Any(b'\n'))
            .build();
        Self {
            input,
            parser,
            cells: 0,
            breaks_inside: 0,
        }
    }

    pub(super) fn input(&self) -> &R {
        &self.input
    }

    fn count(&mut self, mut bytes: &[u8]) -> Result<(), TooWide> {
        let mut text = [0; 1024];
        while !bytes.is_empty() {
            let (found, read, written) = self.parser.read_field(bytes, &mut text);
            bytes = bytes.get(read..).unwrap_or_default();
            let text = text.get(..written).unwrap_or_default();
            let inside = text.iter().filter(|byte| **byte == b'\n').count();
            self.breaks_inside += u64::try_from(inside).unwrap_or(0);
            if let ReadFieldResult::Field { record_end } = found {
                self.cells += 1;
                if self.cells > MAX_COLUMNS {
                    let ended = u64::from(record_end);
                    let row = self.parser.line() - ended - self.breaks_inside;
                    return Err(TooWide { row });
                }
                if record_end {
                    self.cells = 0;
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Narrow<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count(buffer.get(..count).unwrap_or_default())
            .map_err(io::Error::other)?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn too_wide(text: &str, piece: usize) -> Option<u64> {
        let mut narrow = Narrow::new(io::empty());
        let faults = text
            .as_bytes()
            .chunks(piece)
            .map(|bytes| narrow.count(bytes));
        faults.filter_map(Result::err).map(|fault| fault.row).next()
    }

    #[test]
    fn a_row_too_wide_is_told_by_the_number_on_the_screen() {
        let wide = ",".repeat(MAX_COLUMNS);
        let fitting = ",".repeat(MAX_COLUMNS - 1);
        for piece in [1, 7, 8192] {
            assert_eq!(too_wide(&format!("{fitting}\n{fitting}\n"), piece), None);
            assert_eq!(too_wide(&format!("{fitting}\n{wide}\n"), piece), Some(2));
            let text = format!("a\r\n\r\n\"b\n\nb\",c\r\n{wide}\r\n");
            assert_eq!(too_wide(&text, piece), Some(4));
            // Commas inside a cell are its text.
            assert_eq!(too_wide(&format!("\"{wide}\"\n"), piece), None);
        }
    }

    proptest! {
        /// The counting and the reader agree on what a row is.
        #[test]
        fn the_same_rows_are_too_wide_for_the_reader(rows in prop::collection::vec(prop::collection::vec(
            prop::sample::select(vec!["", "a", "a\"b", "\"a,b\"", "\"a\n,b\"", "\"\"\"\"", "\"a\"b"]), 1..90), 1..4)) {
            let rows: Vec<String> = rows.iter().map(|cells| cells.join(",") + "\n").collect();
            let text = rows.concat();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(text.as_bytes());
            let is_wide = reader.records().any(|row| row.unwrap().len() > MAX_COLUMNS);
            prop_assert_eq!(too_wide(&text, 64).is_some(), is_wide);
        }
    }
}
