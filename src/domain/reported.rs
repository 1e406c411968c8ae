//! Numbers that a unit reports for a year, of itself or of one of its instruments: what packs call them, and how the year keeps them
//! beside its other figures.

use super::{Code, Fault, InstrumentId, MAX_SAFE_INTEGER};

/// Packs ask for `reported.NAME`: small letters, digits and `_`.
const NAME_CHARACTERS_MAX: usize = 64;

/// Before the names of reported numbers among the figures of a unit's year.
const PREFIX: &str = "reported:";

/// One number. What nobody reported is 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReportedNumber {
    /// `None`: of the unit itself.
    pub instrument_id: Option<InstrumentId>,
    pub name: String,
    pub value: i64,
}

impl ReportedNumber {
    /// What the number is called among the figures of the unit's year.
    pub fn metric(&self) -> String {
        match self.instrument_id {
            Some(id) => format!("{PREFIX}{id}:{}", self.name),
            None => format!("{PREFIX}{}", self.name),
        }
    }

    /// The number of a figure; `None`: it is none that a unit reports by name.
    pub fn of_metric(metric: &str, value: i64) -> Option<Self> {
        let rest = metric.strip_prefix(PREFIX)?;
        let (instrument_id, name) = match rest.split_once(':') {
            Some((id, name)) => (Some(id.parse().ok()?), name),
            None => (None, rest),
        };
        Some(Self {
            instrument_id,
            name: name.to_owned(),
            value,
        })
    }
}

/// What is wrong with a number, by the member that is wrong.
pub fn check(number: &ReportedNumber) -> Vec<(&'static str, Fault)> {
    let mut faults = Vec::new();
    let name = number.name.as_str();
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if name.len() > NAME_CHARACTERS_MAX {
        let fault = Fault::field("name", Code::text_too_long).limit(NAME_CHARACTERS_MAX);
        faults.push(("name", fault.actual(name.chars().count())));
    } else if !is_name {
        faults.push(("name", Fault::field("name", Code::malformed).actual(name)));
    }
    if !(0..=MAX_SAFE_INTEGER).contains(&number.value) {
        let fault = Fault::field("value", Code::out_of_range);
        let limit = format!("0..{MAX_SAFE_INTEGER}");
        faults.push(("value", fault.limit(limit).actual(number.value)));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_again_by_what_the_year_calls_it() {
        let of = |instrument: Option<i64>, name: &str| ReportedNumber {
            instrument_id: instrument.map(|id| id.try_into().unwrap()),
            name: name.to_owned(),
            value: 7,
        };
        for number in [of(None, "core_papers"), of(Some(12), "trained_guided")] {
            let metric = number.metric();
            assert_eq!(ReportedNumber::of_metric(&metric, 7), Some(number));
        }
        for other in ["requests_received", "expert:A4", "reported:x:name"] {
            assert_eq!(ReportedNumber::of_metric(other, 7), None, "{other}");
        }
    }

    #[test]
    fn a_name_is_one_that_packs_can_ask() {
        let codes = |name: &str, value: i64| -> Vec<&'static str> {
            let number = ReportedNumber {
                instrument_id: None,
                name: name.to_owned(),
                value,
            };
            let faults = check(&number).into_iter();
            faults.map(|(_, fault)| fault.code.as_str()).collect()
        };
        assert_eq!(codes("core_papers_2", 0), [""; 0]);
        for wrong in ["", "Core", "核心", "a-b", "a:b", "a b"] {
            assert_eq!(codes(wrong, 1), ["malformed"], "{wrong}");
        }
        assert_eq!(
            codes(&"a".repeat(65), -1),
            ["text_too_long", "out_of_range"]
        );
        assert_eq!(codes("a", MAX_SAFE_INTEGER + 1), ["out_of_range"]);
    }
}
