//! One row with typed getters. A getter answers `None` for an absent or empty cell and for a wrong one, which it reports;
//! so a caller first asks for everything and then builds its value from what is there.

use chrono::NaiveDate;

use super::apostrophe;
use super::cell::Cell;
use super::column::{Column, Kind, Word};
use super::fault::{Faults, nearest, showing};
use super::header::Header;
use super::value;
use crate::domain::vocabulary::UnknownWord;
use crate::domain::{Code, Fault};
use crate::domain::{Fen, Instant, Minutes, Slot, TypedKey};

/// A value with the number of the row it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    /// As the spreadsheet program numbers it, from 1.
    pub row: u32,
    pub value: T,
}

/// Where the cells of a row lie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    Csv(&'a ::csv::StringRecord),
    Xlsx(&'a [Cell<'static>]),
}

impl<'a> Source<'a> {
    pub(super) fn width(self) -> usize {
        match self {
            Source::Csv(record) => record.len(),
            Source::Xlsx(cells) => cells.len(),
        }
    }

    pub(super) fn cell(self, place: usize) -> Cell<'a> {
        match self {
            Source::Csv(record) => Cell::from(apostrophe::unguard(record.get(place).unwrap_or(""))),
            Source::Xlsx(cells) => cells.get(place).map_or(Cell::Empty, Cell::by_ref),
        }
    }

    /// Whether a text stands there as it was meant: a workbook tells texts from numbers, a CSV by its apostrophe.
    fn is_exact(self, place: usize) -> bool {
        match self {
            Source::Csv(record) => apostrophe::is_guarded(record.get(place).unwrap_or("")),
            Source::Xlsx(_) => matches!(self.cell(place), Cell::Text(_)),
        }
    }

    pub(super) fn is_blank(self) -> bool {
        (0..self.width()).all(|place| self.cell(place).is_empty())
    }
}

/// One row of a table.
#[derive(Debug)]
pub struct Row<'a> {
    number: u32,
    header: &'a Header,
    source: Source<'a>,
    faults: &'a mut Faults,
}

impl<'a> Row<'a> {
    /// The columns of the table.
    pub fn columns(&self) -> &'static [Column] {
        self.header.columns
    }

    pub(super) fn new(
        number: u32,
        header: &'a Header,
        source: Source<'a>,
        faults: &'a mut Faults,
    ) -> Self {
        Self {
            number,
            header,
            source,
            faults,
        }
    }

    /// Whether the table has the column at all.
    pub fn has(&self, name: &str) -> bool {
        self.header.find(name).is_some()
    }

    /// The number the spreadsheet program shows.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Text without the white space around it.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let (is_exact, digits) = (self.is_exact(name), self.header.digits_shown);
        self.get(name, |cell, _| {
            let text = value::text(cell, is_exact)?;
            match cell {
                // People may see zeros that the file has not.
                Cell::Integer(_) if text.len() < digits => Err(Fault::request(Code::digits_lost)),
                _ => Ok(text),
            }
        })
    }

    /// Whether no spreadsheet program can have taken the text in this column for a number, and written it in its own way.
    pub fn is_exact(&self, name: &str) -> bool {
        let place = self.header.find(name).map(|(_, place)| place);
        place.is_some_and(|place| self.source.is_exact(place))
    }

    /// A key. Whether it may be a new one is for the caller to say.
    pub fn key(&mut self, name: &str) -> Option<TypedKey> {
        self.text(name).map(TypedKey::from)
    }

    pub fn integer(&mut self, name: &str) -> Option<i64> {
        self.get(name, |cell, _| value::integer(cell))
    }

    /// A whole number from 0 to 4,294,967,295: a count of things.
    pub fn count(&mut self, name: &str) -> Option<u32> {
        self.get(name, |cell, _| value::count(cell))
    }

    /// Whole minutes, not negative.
    pub fn minutes(&mut self, name: &str) -> Option<Minutes> {
        let minutes = self.get(name, |cell, _| value::count(cell))?;
        Some(Minutes::new(i64::from(minutes)))
    }

    /// Money, not negative: whole fen, or yuan with at most two decimals where the column is declared so.
    pub fn fen(&mut self, name: &str) -> Option<Fen> {
        self.get(name, |cell, column| match column.kind {
            Kind::Yuan => value::fen_of_yuan(cell),
            _ => value::fen(cell),
        })
    }

    pub fn date(&mut self, name: &str) -> Option<NaiveDate> {
        self.get(name, |cell, _| value::date(cell))
    }

    /// A moment; without an offset the wall clock of [`crate::domain::ZONE`] is meant.
    pub fn instant(&mut self, name: &str) -> Option<Instant> {
        self.get(name, |cell, _| value::instant(cell))
    }

    /// The slot between two columns; reports `not_after_start` at the second.
    pub fn slot(&mut self, from: &str, until: &str) -> Option<Slot> {
        let (starts_at, ends_at) = (self.instant(from), self.instant(until));
        let (starts_at, ends_at) = (starts_at?, ends_at?);
        let slot = Slot::new(starts_at, ends_at).ok();
        if slot.is_none() {
            self.refuse(until, Code::not_after_start);
        }
        slot
    }

    /// `true`, `false`, 是 or 否.
    pub fn truth(&mut self, name: &str) -> Option<bool> {
        self.get(name, |cell, _| value::truth(cell))
    }

    /// A word of a closed list.
    pub fn word<T: std::str::FromStr<Err = UnknownWord>>(&mut self, name: &str) -> Option<T> {
        self.get(name, |cell, column| {
            let text = value::text(cell, true)?;
            let parsed = column.kind.word_of(&text).parse::<T>();
            parsed.map_err(|unknown| unknown_word(&text, unknown.known, column.kind))
        })
    }

    /// A word of those that the column lists.
    pub fn listed(&mut self, name: &str) -> Option<String> {
        self.get(name, |cell, column| {
            let text = value::text(cell, true)?;
            let word = column.kind.word_of(&text);
            match column.kind {
                Kind::Word(words) if words.iter().all(|known| known.word != word) => {
                    Err(unknown_word(&text, &[], column.kind))
                }
                _ => Ok(word.to_owned()),
            }
        })
    }

    /// A text, of which a word of the column's list is told as the contract has it.
    pub fn worded(&mut self, name: &str) -> Option<String> {
        self.get(name, |cell, column| {
            Ok(column.kind.word_of(&value::text(cell, true)?).to_owned())
        })
    }

    /// A decimal number in its plain digits, as exact arithmetic wants it.
    pub fn decimal(&mut self, name: &str) -> Option<String> {
        self.get(name, |cell, _| value::decimal(cell))
    }

    /// Whether the table has the column and nothing stands in it here.
    pub fn is_blank(&self, name: &str) -> bool {
        let place = self.header.find(name).map(|(_, place)| place);
        place.is_some_and(|place| self.source.cell(place).is_empty())
    }

    /// Whether a cell was refused when the file was read: what else is wrong with the row nobody knows.
    pub(super) fn is_refused(&self) -> bool {
        let mut places = 0..self.source.width();
        places.any(|place| matches!(self.source.cell(place), Cell::Refused))
    }

    /// Reports that the value of a column breaks a rule of the caller.
    pub fn refuse(&mut self, name: &str, code: Code) {
        if let Some((_, place)) = self.header.find(name) {
            let cell = self.source.cell(place);
            let fault = Fault::cell(self.number, self.header.caption(place), code);
            self.faults.push(showing(fault, cell));
        }
    }

    /// Reports a row that is not as wide as its header, and answers whether it is.
    pub(super) fn check_width(&mut self) -> bool {
        let (width, expected) = (self.source.width(), self.header.width());
        if width != expected {
            let fault = Fault::cell(self.number, "", Code::uneven_row);
            self.faults.push(fault.limit(expected).actual(width));
        }
        width == expected
    }

    /// Reports cells under no title.
    pub(super) fn check_titles(&mut self) {
        for place in 0..self.source.width() {
            let cell = self.source.cell(place);
            let is_told = matches!(cell, Cell::Refused);
            if !self.header.names(place) && !cell.is_empty() && !is_told {
                let column = self.header.caption(place);
                let fault = Fault::cell(self.number, column, Code::cell_without_header);
                self.faults.push(showing(fault, cell));
            }
        }
    }

    fn get<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Cell<'_>, &Column) -> Result<T, Fault>,
    ) -> Option<T> {
        let (column, place) = self.header.find(name)?;
        let cell = self.source.cell(place);
        let wrong = match cell {
            Cell::Refused => return None,
            _ if cell.is_empty() && !column.is_required() => return None,
            _ if cell.is_empty() => Fault::request(Code::required),
            _ => match parse(&cell, column) {
                Ok(value) => return Some(value),
                Err(wrong) => wrong,
            },
        };
        let there = Fault {
            limit: wrong.limit,
            did_you_mean: wrong.did_you_mean,
            ..Fault::cell(self.number, self.header.caption(place), wrong.code)
        };
        self.faults.push(showing(there, cell));
        None
    }
}

/// The words of the column's list, in both languages, else the ones that are known.
fn unknown_word(text: &str, known: &[&'static str], kind: Kind) -> Fault {
    let (limit, meant) = match kind {
        Kind::Word(words) => {
            let shown = words.iter().map(|word| match word.zh {
                [zh, ..] => format!("{} {zh}", word.word),
                [] => word.word.to_owned(),
            });
            let spellings = words.iter().flat_map(Word::spellings);
            (
                shown.collect::<Vec<_>>().join(" | "),
                nearest(text, spellings),
            )
        }
        _ => (known.join(" | "), nearest(text, known.iter().copied())),
    };
    Fault::request(Code::unknown_word)
        .limit(limit)
        .did_you_mean(meant)
}
