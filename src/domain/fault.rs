//! What is wrong with a request, a cell of a table or a booking: every fault with its code, its place, the limit and the
//! actual value, so that all of a request are reported together. The texts for people belong to the room that answers.

use super::sentence::Sentence;
use chrono::NaiveDate;

use super::access::Role;
use super::code::Code;
use super::{Fen, Instant, Minutes, RegionCode, Slot, Uscc, id::MAX_SAFE_INTEGER};

/// A limit or an actual value, as it was: numbers stay numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultValue {
    Number(i64),
    Text(String),
    List(Box<[FaultValue]>),
    /// Members by name, in their order.
    Record(Box<[(&'static str, FaultValue)]>),
    /// What the rules say in both languages.
    Said(Box<Sentence>),
}

impl From<Sentence> for FaultValue {
    fn from(sentence: Sentence) -> FaultValue {
        FaultValue::Said(Box::new(sentence))
    }
}

macro_rules! values {
    ($($number:ty),+ => Number; $($text:ty),+ => Text;) => {
        $(impl From<$number> for FaultValue {
            fn from(number: $number) -> FaultValue {
                // What does not fit is no number that JSON could carry either.
                i64::try_from(number).map_or_else(|_| FaultValue::Text(number.to_string()), FaultValue::Number)
            }
        })+
        $(impl From<$text> for FaultValue {
            fn from(text: $text) -> FaultValue {
                FaultValue::Text(text.to_string())
            }
        })+
    };
}
values! {
    i64, i128, i32, u32, u64, usize => Number;
    &str, String, &String, NaiveDate, Instant, RegionCode, &Uscc => Text;
}

impl From<&usize> for FaultValue {
    fn from(number: &usize) -> FaultValue {
        (*number).into()
    }
}

impl From<&Minutes> for FaultValue {
    fn from(minutes: &Minutes) -> FaultValue {
        minutes.number().into()
    }
}

impl From<Slot> for FaultValue {
    fn from(slot: Slot) -> FaultValue {
        let members = [("starts_at", slot.starts_at()), ("ends_at", slot.ends_at())];
        FaultValue::Record(Box::new(members.map(|(name, at)| (name, at.into()))))
    }
}

impl<T: Into<FaultValue>> From<Vec<T>> for FaultValue {
    fn from(values: Vec<T>) -> FaultValue {
        FaultValue::List(values.into_iter().map(Into::into).collect())
    }
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A field of the body or a parameter of the query, with its path: `weekly_hours[0].from`.
    Field(String),
    /// A rule of the instrument, called by the fault's code.
    Rule,
    /// A cell of a table: its row from 1 (0: the whole file) and the title or letters of its column (empty: the whole row).
    Cell { row: u32, column: String },
    /// The request as a whole.
    Request,
}

/// One thing that is wrong, with what a person needs to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Location,
    pub code: Code,
    pub limit: Option<FaultValue>,
    pub actual: Option<FaultValue>,
    pub overridable_by: Option<Role>,
    pub did_you_mean: Option<String>,
    /// The time that a limit speaks of.
    pub period: Option<Box<Period>>,
}

/// A time with or without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: Instant,
    pub until: Option<Instant>,
}

impl Fault {
    pub fn field(field: impl Into<String>, code: Code) -> Self {
        Self::at(Location::Field(field.into()), code)
    }

    /// The field must be filled for this action.
    pub fn required(field: impl Into<String>) -> Self {
        Self::field(field, Code::required)
    }

    pub fn rule(code: Code) -> Self {
        Self::at(Location::Rule, code)
    }

    pub fn cell(row: u32, column: impl Into<String>, code: Code) -> Self {
        let column = column.into();
        Self::at(Location::Cell { row, column }, code)
    }

    pub fn request(code: Code) -> Self {
        Self::at(Location::Request, code)
    }

    fn at(place: Location, code: Code) -> Self {
        Self {
            place,
            code,
            limit: None,
            actual: None,
            overridable_by: None,
            did_you_mean: None,
            period: None,
        }
    }

    pub fn limit(mut self, limit: impl Into<FaultValue>) -> Self {
        self.limit = Some(limit.into());
        self
    }

    pub fn actual(mut self, actual: impl Into<FaultValue>) -> Self {
        self.actual = Some(actual.into());
        self
    }

    pub fn did_you_mean(mut self, word: Option<String>) -> Self {
        self.did_you_mean = word;
        self
    }

    /// The row of a cell; 0 for everything else.
    pub fn row(&self) -> u32 {
        match self.place {
            Location::Cell { row, .. } => row,
            _ => 0,
        }
    }

    /// The name of the field, rule or column; empty for a request as a whole.
    pub fn name(&self) -> &str {
        match &self.place {
            Location::Field(name) | Location::Cell { column: name, .. } => name,
            Location::Rule => self.code.as_str(),
            Location::Request => "",
        }
    }
}

/// Collects the faults of one request; every check adds at most one.
#[derive(Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn extend(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.0.extend(faults);
    }

    /// `Ok` when nothing was found.
    pub fn into_result(self) -> Result<(), Vec<Fault>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }

    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }

    /// A text that must say something: not blank, at most `most` characters, no control characters but line breaks and tabs.
    pub fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.push(Fault::required(field));
        } else {
            self.optional_text(field, Some(text), most);
        }
    }

    /// A text that may be absent or empty.
    pub fn optional_text(&mut self, field: &str, text: Option<&str>, most: usize) {
        let text = text.unwrap_or_default();
        let length = text.chars().count();
        if length > most {
            self.push(
                Fault::field(field, Code::text_too_long)
                    .limit(most)
                    .actual(length),
            );
        } else if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.push(Fault::field(field, Code::control_character));
        }
    }

    /// A whole number from `least` to `most`, both included.
    pub fn range(&mut self, field: &str, number: i64, least: i64, most: i64) {
        if !(least..=most).contains(&number) {
            self.push(
                Fault::field(field, Code::out_of_range)
                    .limit(format!("{least}..{most}"))
                    .actual(number),
            );
        }
    }

    /// An amount of at least `least`, exact in every JSON client.
    pub fn amount(&mut self, field: &str, amount: Fen, least: i64) {
        self.range(field, amount.number(), least, MAX_SAFE_INTEGER);
    }

    /// Two dates in order; an absent one is in order with everything.
    pub fn order(
        &mut self,
        (earlier, first): (&str, Option<NaiveDate>),
        (later, second): (&str, Option<NaiveDate>),
    ) {
        if let (Some(first), Some(second)) = (first, second)
            && second < first
        {
            self.push(
                Fault::field(later, Code::dates_out_of_order)
                    .limit(format!("{earlier} {first}"))
                    .actual(second),
            );
        }
    }

    /// A date from `first` to `last`, both included; an absent one passes.
    pub fn date(
        &mut self,
        field: &str,
        date: Option<NaiveDate>,
        first: NaiveDate,
        last: NaiveDate,
    ) {
        if let Some(date) = date
            && !(first..=last).contains(&date)
        {
            self.push(
                Fault::field(field, Code::out_of_range)
                    .limit(format!("{first}..{last}"))
                    .actual(date),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(check: impl FnOnce(&mut Faults)) -> Vec<&'static str> {
        let mut faults = Faults::new();
        check(&mut faults);
        faults
            .into_vec()
            .into_iter()
            .map(|f| f.code.as_str())
            .collect()
    }

    #[test]
    fn texts_count_characters_not_bytes() {
        assert!(codes(|f| f.text("name", "电子显微镜", 5)).is_empty());
        assert_eq!(
            codes(|f| f.text("name", "电子显微镜", 4)),
            ["text_too_long"]
        );
        assert_eq!(codes(|f| f.text("name", " \t", 4)), ["required"]);
        assert_eq!(
            codes(|f| f.text("name", "a\u{0}b", 4)),
            ["control_character"]
        );
        assert!(codes(|f| f.optional_text("technical", None, 0)).is_empty());
        assert!(codes(|f| f.optional_text("technical", Some("a\nb"), 3)).is_empty());
    }

    #[test]
    fn both_ends_of_a_range_belong_to_it() {
        for (number, fits) in [(0, false), (1, true), (64, true), (65, false)] {
            assert_eq!(
                codes(|f| f.range("channels", number, 1, 64)).is_empty(),
                fits
            );
        }
        assert_eq!(
            codes(|f| f.amount("amount_fen", Fen::new(MAX_SAFE_INTEGER + 1), 0)),
            ["out_of_range"]
        );
    }

    #[test]
    fn equal_and_absent_dates_are_in_order() {
        let on = |day| NaiveDate::from_ymd_opt(2025, 1, day);
        for (first, second, fits) in [
            (on(1), on(1), true),
            (on(2), on(1), false),
            (None, on(1), true),
            (on(1), None, true),
        ] {
            let found = codes(|f| f.order(("accepted_on", first), ("enabled_on", second)));
            assert_eq!(found.is_empty(), fits, "{first:?} {second:?}");
        }
    }
}
