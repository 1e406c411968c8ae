//! One cell, as read and as written: text, number, time, truth.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};

use crate::domain::{Fen, Instant, Minutes};

/// A cell. Reading gives dates as `Wall` at midnight, because spreadsheets do not tell the two apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    /// A number without fraction, exactly as the file has it (spreadsheets keep 15 digits).
    Integer(i64),
    /// Any other number, in plain decimal digits.
    Decimal(Cow<'a, str>),
    Date(NaiveDate),
    /// A time on the wall in [`crate::domain::ZONE`].
    Wall(NaiveDateTime),
    Truth(bool),
    /// Refused already when the file was read (a formula, an error value): no getter complains a second time.
    Refused,
}

impl Cell<'_> {
    /// Whether nothing was entered: white space alone is nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Cell::Empty => true,
            Cell::Text(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// The same cell without a copy of its text.
    pub(super) fn by_ref(&self) -> Cell<'_> {
        match self {
            Cell::Empty => Cell::Empty,
            Cell::Text(text) => Cell::Text(Cow::Borrowed(text)),
            Cell::Integer(number) => Cell::Integer(*number),
            Cell::Decimal(digits) => Cell::Decimal(Cow::Borrowed(digits)),
            Cell::Date(date) => Cell::Date(*date),
            Cell::Wall(wall) => Cell::Wall(*wall),
            Cell::Truth(truth) => Cell::Truth(*truth),
            Cell::Refused => Cell::Refused,
        }
    }
}

impl std::fmt::Display for Cell<'_> {
    /// As CSV has it: ISO dates, instants with offset, `true` and `false`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cell::Empty | Cell::Refused => Ok(()),
            Cell::Text(text) | Cell::Decimal(text) => f.write_str(text),
            Cell::Integer(number) => number.fmt(f),
            Cell::Date(date) => date.fmt(f),
            Cell::Wall(wall) => Instant::at_local(*wall).fmt(f),
            Cell::Truth(truth) => truth.fmt(f),
        }
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        if text.is_empty() {
            Cell::Empty
        } else {
            Cell::Text(Cow::Borrowed(text))
        }
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        if text.is_empty() {
            Cell::Empty
        } else {
            Cell::Text(Cow::Owned(text))
        }
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Cell::Integer(number)
    }
}

impl From<Fen> for Cell<'_> {
    fn from(amount: Fen) -> Self {
        Cell::Integer(amount.number())
    }
}

impl From<Minutes> for Cell<'_> {
    fn from(minutes: Minutes) -> Self {
        Cell::Integer(minutes.number())
    }
}

impl From<NaiveDate> for Cell<'_> {
    fn from(date: NaiveDate) -> Self {
        Cell::Date(date)
    }
}

impl From<Instant> for Cell<'_> {
    fn from(instant: Instant) -> Self {
        Cell::Wall(instant.local())
    }
}

impl From<bool> for Cell<'_> {
    fn from(truth: bool) -> Self {
        Cell::Truth(truth)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Empty, Into::into)
    }
}
