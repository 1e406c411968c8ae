//! A CSV of any length, row by row, in constant memory and strict: every declared column must be there, every row as wide as
//! the header. Its SHA-256 is known at the end.

use std::io::Read;

use csv::StringRecord;
use sha2::{Digest, Sha256};

use super::column::Column;
use super::csv_reader::Records;
use super::encoding::{Decoding, Encoding};
use super::fault::{Faults, of_file};
use super::header::Header;
use super::row::{Numbered, Row, Source};
use crate::domain::{Code, Fault};

/// Yields each row's value or its faults; after a fault of the file itself it ends.
#[derive(Debug)]
pub struct Stream<R: Read, T> {
    records: Records<Decoding<Digesting<R>>>,
    record: StringRecord,
    header: Header,
    each: fn(&mut Row<'_>) -> Option<T>,
    ended: bool,
}

impl<R: Read, T> Stream<R, T> {
    /// Reads the header of UTF-8 text; a row for which `each` answers `None` must have reported why.
    pub fn open(
        input: R,
        columns: &'static [Column],
        each: fn(&mut Row<'_>) -> Option<T>,
    ) -> Result<Self, Vec<Fault>> {
        Self::open_in(input, Encoding::Utf8, columns, each)
    }

    /// As [`Stream::open`], of text in this encoding.
    pub fn open_in(
        input: R,
        encoding: Encoding,
        columns: &'static [Column],
        each: fn(&mut Row<'_>) -> Option<T>,
    ) -> Result<Self, Vec<Fault>> {
        let digesting = Digesting {
            input,
            state: Sha256::new(),
        };
        let mut records = Records::new(Decoding::new(digesting, encoding));
        let mut record = StringRecord::new();
        let number = records
            .next(&mut record)
            .and_then(|row| row.ok_or_else(|| of_file(Code::no_header)))
            .map_err(|fault| vec![fault])?;
        let mut faults = Faults::default();
        let titles = record.iter().map(str::to_owned).collect();
        let header = Header::matching(columns, titles, number, &mut faults);
        header.check_complete(number, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into_list());
        }
        Ok(Self {
            records,
            record,
            header,
            each,
            ended: false,
        })
    }

    /// Reads to the end: all rows with the file's SHA-256 in hexadecimal, or all faults.
    pub fn collect_all(mut self) -> Result<(Vec<Numbered<T>>, String), Vec<Fault>> {
        let mut faults = Faults::default();
        let mut rows = Vec::new();
        for row in self.by_ref() {
            match row {
                Ok(row) => rows.push(row),
                Err(found) => found.into_iter().for_each(|fault| faults.push(fault)),
            }
        }
        if faults.is_empty() {
            Ok((rows, self.sha256()))
        } else {
            Err(faults.into_list())
        }
    }

    /// The SHA-256, in hexadecimal, of what has been read: of the file once the rows have ended.
    pub fn sha256(&self) -> String {
        let digest = self.records.input().input().state.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read, T> Iterator for Stream<R, T> {
    type Item = Result<Numbered<T>, Vec<Fault>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.records.next(&mut self.record) {
                Ok(Some(_)) if Source::Csv(&self.record).is_blank() => {}
                Ok(Some(number)) => return Some(self.value(number)),
                Ok(None) => self.ended = true,
                Err(fault) => {
                    self.ended = true;
                    return Some(Err(vec![fault]));
                }
            }
        }
        None
    }
}

impl<R: Read, T> Stream<R, T> {
    fn value(&self, number: u32) -> Result<Numbered<T>, Vec<Fault>> {
        let mut faults = Faults::default();
        let source = Source::Csv(&self.record);
        let mut row = Row::new(number, &self.header, source, &mut faults);
        let value = if row.check_width() {
            (self.each)(&mut row)
        } else {
            None
        };
        match value {
            Some(value) if faults.is_empty() => Ok(Numbered { row: number, value }),
            _ => Err(faults.into_list()),
        }
    }
}

/// Hashes what passes through.
#[derive(Debug)]
struct Digesting<R> {
    input: R,
    state: Sha256,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.state.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    struct Torn(bool);

    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("the disk is gone"));
            }
            (&b"code\n1\n"[..]).read(buffer)
        }
    }

    #[test]
    fn a_torn_file_ends_with_its_reason() {
        const COLUMNS: &[Column] = &[Column::plain("code", Kind::Integer).required()];
        let mut stream = Stream::open(Torn(false), COLUMNS, |row| row.integer("code")).unwrap();
        assert_eq!(stream.next(), Some(Ok(Numbered { row: 2, value: 1 })));
        let faults = stream.next().unwrap().unwrap_err();
        assert_eq!((faults[0].row(), faults[0].code), (3, Code::unreadable));
        assert!(stream.next().is_none());
    }
}
