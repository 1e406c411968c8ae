//! A broken rule of one field, as the contract reports it: all faults of a request together, each with its code, the limit
//! and the actual value. The texts for people belong to the room that answers.

use chrono::NaiveDate;

use super::{Fen, Instant, Minutes, RegionCode, Uscc, id::MAX_SAFE_INTEGER};

/// A limit or an actual value, as it was: numbers stay numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultValue {
    Number(i64),
    Text(String),
}

macro_rules! told {
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
told! {
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

/// One field that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The path of the field in the request: `public_contact.email`.
    pub field: String,
    /// The stable snake_case code of the rule.
    pub code: &'static str,
    pub limit: Option<FaultValue>,
    pub actual: Option<FaultValue>,
}

impl FieldFault {
    pub fn new(field: impl Into<String>, code: &'static str) -> Self {
        Self {
            field: field.into(),
            code,
            limit: None,
            actual: None,
        }
    }

    /// The field must be filled for this action.
    pub fn required(field: impl Into<String>) -> Self {
        Self::new(field, "required")
    }

    pub fn limit(mut self, limit: impl Into<FaultValue>) -> Self {
        self.limit = Some(limit.into());
        self
    }

    pub fn actual(mut self, actual: impl Into<FaultValue>) -> Self {
        self.actual = Some(actual.into());
        self
    }
}

/// Collects the faults of one request; every check adds at most one.
#[derive(Debug, Default)]
pub struct Faults(Vec<FieldFault>);

impl Faults {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, fault: FieldFault) {
        self.0.push(fault);
    }

    pub fn extend(&mut self, faults: impl IntoIterator<Item = FieldFault>) {
        self.0.extend(faults);
    }

    /// `Ok` when nothing was found.
    pub fn into_result(self) -> Result<(), Vec<FieldFault>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }

    pub fn into_vec(self) -> Vec<FieldFault> {
        self.0
    }

    /// A text that must say something: not blank, at most `most` characters, no control characters but line breaks and tabs.
    pub fn text(&mut self, field: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.push(FieldFault::required(field));
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
                FieldFault::new(field, "text_too_long")
                    .limit(most)
                    .actual(length),
            );
        } else if text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.push(FieldFault::new(field, "control_character"));
        }
    }

    /// A whole number from `least` to `most`, both included.
    pub fn range(&mut self, field: &str, number: i64, least: i64, most: i64) {
        if !(least..=most).contains(&number) {
            self.push(
                FieldFault::new(field, "out_of_range")
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
                FieldFault::new(later, "dates_out_of_order")
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
                FieldFault::new(field, "out_of_range")
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
        faults.into_vec().into_iter().map(|f| f.code).collect()
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
