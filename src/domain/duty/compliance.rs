//! Whether a unit did its duty in a year: what was due and done, counted from its duties, and the pack's word on it.
//!
//! What was due in the year, and what was still missing when it began, is due: so nothing is forgotten with the year in which
//! it was accepted. A duty is counted once its last day is over.

use chrono::NaiveDate;
use num_rational::BigRational;

use super::{DutyDetail, DutyKind, DutyState};
use crate::domain::policy::{Duty, Span};
use crate::domain::ratio;

/// A duty, as far as it is counted.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    pub kind: DutyKind,
    pub year: i64,
    pub due_on: NaiveDate,
    pub met_on: Option<NaiveDate>,
    pub ended_on: Option<NaiveDate>,
    pub state: DutyState,
    pub detail: Option<DutyDetail>,
}

/// The row of a unit. `due` = `on_time` + `late` + `missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compliance {
    pub due: i64,
    pub on_time: i64,
    pub late: i64,
    pub missing: i64,
    /// At the end of the year, without what need not be shared or is gone.
    pub should_be_open: i64,
    pub externally_shared: i64,
    /// Without an effective minute in the twelve months.
    pub idle: i64,
}

/// A year as duties are counted in it.
#[derive(Debug, Clone, Copy)]
pub struct DutyYear {
    pub year: i64,
    pub span: Span,
    /// Nothing that happened after this day is counted.
    pub until_on: NaiveDate,
    /// Nothing that is due after this day is over.
    pub over_on: NaiveDate,
}

impl DutyYear {
    /// A year that ended, or as far as it has come: what is due today is not over.
    pub fn new(year: i32, span: Span, today: NaiveDate) -> Self {
        let yesterday = today.pred_opt().unwrap_or(today);
        Self {
            year: year.into(),
            span,
            until_on: span.last_on.min(today),
            over_on: span.last_on.min(yesterday),
        }
    }
}

impl Compliance {
    /// Counts one more duty of the unit.
    pub fn add(&mut self, duty: &Counted, year: &DutyYear) {
        let met_on = duty.met_on.filter(|on| *on <= year.until_on);
        let is_gone = |day: NaiveDate| duty.ended_on.is_some_and(|on| on <= day);
        let is_over = duty.due_on <= year.over_on && duty.state != DutyState::Exempt;
        match duty.kind {
            DutyKind::Register if is_over => {
                let is_old = duty.due_on < year.span.first_on;
                let was_met = met_on.is_some_and(|on| on < year.span.first_on);
                if is_old && (was_met || is_gone(year.span.first_on)) {
                    return;
                }
                self.due += 1;
                match met_on {
                    Some(on) if on <= duty.due_on => self.on_time += 1,
                    Some(_) => self.late += 1,
                    None => self.missing += 1,
                }
            }
            DutyKind::Share if is_over && !is_gone(year.until_on) => {
                self.should_be_open += 1;
                self.externally_shared += i64::from(met_on.is_some());
            }
            DutyKind::Use if duty.year == year.year => {
                self.idle += i64::from(duty.detail == Some(DutyDetail::Idle));
            }
            _ => {}
        }
    }

    /// Externally shared ÷ should be open; `None` where nothing should be.
    pub fn shared_rate(&self) -> Option<BigRational> {
        (self.should_be_open > 0)
            .then(|| BigRational::new(self.externally_shared.into(), self.should_be_open.into()))
    }

    /// What the pack asks of a unit that does its duty.
    pub fn complies(&self, duty: &Duty) -> bool {
        let at_most = |count: i64, most: Option<i64>| most.is_none_or(|most| count <= most);
        let shared = self.shared_rate().unwrap_or_else(|| ratio::whole(1));
        let least = duty.externally_shared_at_least.as_ref();
        at_most(self.late, duty.late_at_most)
            && at_most(self.missing, duty.missing_at_most)
            && least.is_none_or(|least| shared >= *least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn counted(duties: &[(DutyKind, &str, Option<&str>, Option<&str>)], today: &str) -> Compliance {
        let span = Span::of_calendar_year(2025).unwrap();
        let year = DutyYear::new(2025, span, day(today));
        let mut row = Compliance::default();
        for (kind, due_on, met_on, ended_on) in duties {
            let duty = Counted {
                kind: *kind,
                year: 2025,
                due_on: day(due_on),
                met_on: met_on.map(day),
                ended_on: ended_on.map(day),
                state: DutyState::Missed,
                detail: None,
            };
            row.add(&duty, &year);
        }
        row
    }

    #[test]
    fn a_year_counts_what_was_due_in_it_and_what_was_still_missing() {
        use DutyKind::{Register, Share};
        let duties = [
            (Register, "2025-03-01", Some("2025-03-01"), None),
            (Register, "2025-03-01", Some("2025-03-02"), None),
            // Registered after the year: missing in it.
            (Register, "2025-12-31", Some("2026-01-01"), None),
            // Of the years before: one made up for in this year, one still missing, one long done, one long gone.
            (Register, "2023-03-01", Some("2025-01-01"), None),
            (Register, "2023-03-01", None, None),
            (Register, "2023-03-01", Some("2024-12-31"), None),
            (Register, "2023-03-01", None, Some("2024-12-31")),
            // Of the next year.
            (Register, "2026-01-01", None, None),
            (Share, "2023-03-01", Some("2023-01-01"), None),
            (Share, "2025-03-01", Some("2025-12-31"), None),
            (Share, "2025-03-01", Some("2026-01-01"), None),
            (Share, "2025-03-01", None, Some("2025-12-31")),
        ];
        let row = counted(&duties, "2026-03-02");
        assert_eq!((row.due, row.on_time, row.late, row.missing), (5, 1, 2, 2));
        assert_eq!((row.should_be_open, row.externally_shared), (3, 2));
        // On the last day itself nothing is late.
        let row = counted(&[(Register, "2025-03-01", None, None)], "2025-03-01");
        assert_eq!(row, Compliance::default());
        let row = counted(&[(Register, "2025-03-01", None, None)], "2025-03-02");
        assert_eq!((row.due, row.missing), (1, 1));
    }

    #[test]
    fn what_complies_is_said_by_the_pack() {
        let duty = |late, missing, shared: Option<&str>| Duty {
            late_at_most: late,
            missing_at_most: missing,
            externally_shared_at_least: shared.map(|text| ratio::parse(text).unwrap()),
        };
        let row = Compliance {
            due: 3,
            on_time: 1,
            late: 1,
            missing: 1,
            should_be_open: 10,
            externally_shared: 9,
            idle: 4,
        };
        for (rule, complies) in [
            (duty(None, None, None), true),
            (duty(Some(1), Some(1), Some("0.9")), true),
            (duty(Some(0), None, None), false),
            (duty(None, Some(0), None), false),
            (duty(None, None, Some("0.91")), false),
        ] {
            assert_eq!(row.complies(&rule), complies, "{rule:?}");
        }
        let nothing = Compliance::default();
        assert!(nothing.complies(&duty(Some(0), Some(0), Some("1"))));
    }
}
