//! The header row: which column of the file is which declared column.

use super::MAX_COLUMNS;
use super::column::{Column, folded_title, unit_of};
use super::fault::{Faults, letters, nearest, showing};
use crate::domain::{Code, Fault};

/// A matched header.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) columns: &'static [Column],
    /// For each declared column its place in the file.
    places: Vec<Option<usize>>,
    /// What the file's header says, place by place.
    titles: Vec<String>,
    /// So many digits some numbers of the file are shown with at least.
    pub(super) digits_shown: usize,
}

impl Header {
    /// Matches the titles of header row number `row`; faults are collected, the rest can still be read.
    pub(super) fn matching(
        columns: &'static [Column],
        titles: Vec<String>,
        row: u32,
        faults: &mut Faults,
    ) -> Self {
        let mut header = Self {
            columns,
            places: vec![None; columns.len()],
            titles,
            digits_shown: 0,
        };
        if header.titles.len() > MAX_COLUMNS {
            faults.push(Fault::cell(row, "", Code::too_many_columns).limit(MAX_COLUMNS));
            header.titles.truncate(MAX_COLUMNS);
        }
        for place in 0..header.titles.len() {
            header.take(place, row, faults);
        }
        header.check_present(row, faults, Column::is_required);
        header
    }

    /// Reports the columns that may be empty but must be there in a strict table.
    pub(super) fn check_complete(&self, row: u32, faults: &mut Faults) {
        self.check_present(row, faults, |column| {
            !column.is_required() && !column.may_be_absent
        });
    }

    fn check_present(&self, row: u32, faults: &mut Faults, which: impl Fn(&Column) -> bool) {
        for (column, place) in self.columns.iter().zip(&self.places) {
            // Of two columns that say the same one is enough; which of them is not there is told of the first.
            let by_twin = column.twin.is_some_and(|twin| {
                self.find(twin).is_some() || column.kind == super::column::Kind::Fen
            });
            if which(column) && place.is_none() && !by_twin {
                let fault = Fault::cell(row, column.name, Code::missing_column);
                faults.push(fault.limit(column.names().collect::<Vec<_>>().join(" | ")));
            }
        }
    }

    fn take(&mut self, place: usize, row: u32, faults: &mut Faults) {
        let title = self.title(place).to_owned();
        if title.is_empty() {
            return;
        }
        let folded = folded_title(&title);
        let fault = |code| showing(Fault::cell(row, letters(place), code), &title);
        let Some(at) = self.columns.iter().position(|c| c.is_called(&folded)) else {
            faults.push(fault(Code::unknown_column).did_you_mean(self.meant(&title)));
            return;
        };
        let twin = self.columns.get(at).and_then(|column| column.twin);
        let is_taken = twin.is_some_and(|twin| self.find(twin).is_some());
        match self.places.get_mut(at) {
            Some(slot @ None) if !is_taken => *slot = Some(place),
            _ => faults.push(fault(Code::duplicate_column)),
        }
    }

    /// The column that may be meant. Of money only one in the same unit: nobody shall enter fen for yuan.
    fn meant(&self, title: &str) -> Option<String> {
        let unit = unit_of(&folded_title(title));
        let fits = |column: &&Column| match unit_of(&folded_title(column.name)) {
            own if column.is_money() => own.is_some() && own == unit,
            _ => unit.is_none(),
        };
        let names = self.columns.iter().filter(fits).flat_map(Column::names);
        nearest(title, names)
    }

    /// Whether no title is that of a column.
    pub(super) fn is_unknown(&self) -> bool {
        self.places.iter().all(Option::is_none)
    }

    fn title(&self, place: usize) -> &str {
        self.titles.get(place).map_or("", |title| title.trim())
    }

    /// The declaration and the place of a column by its contract name.
    pub(super) fn find(&self, name: &str) -> Option<(&'static Column, usize)> {
        let at = self.columns.iter().position(|c| c.name == name)?;
        Some((self.columns.get(at)?, self.places.get(at).copied()??))
    }

    /// How a person finds the column: the file's title for it, else its letters.
    pub(super) fn caption(&self, place: usize) -> String {
        match self.title(place) {
            "" => letters(place),
            title => title.to_owned(),
        }
    }

    /// Whether the header names the column at this place.
    pub(super) fn names(&self, place: usize) -> bool {
        !self.title(place).is_empty()
    }

    pub(super) fn width(&self) -> usize {
        self.titles.len()
    }
}
