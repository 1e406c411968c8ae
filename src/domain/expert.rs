//! Experts' assignments: until when points are given, which of them count, and how those of several experts become one.

use chrono::NaiveDate;
use num_rational::BigRational;

use super::ratio;
use super::state::{self, InvalidState, Move};

/// The most units of one assignment.
pub const UNITS_MAX: usize = 500;

crate::vocabulary! {
    /// How far an assignment is. `closed` is a matter of time and never stored.
    AssignmentState {
        Open = "open",
        Submitted = "submitted",
        Closed = "closed",
        Withdrawn = "withdrawn",
    }
}

crate::vocabulary! {
    /// What ends an assignment.
    AssignmentAction {
        Submit = "submit",
        Withdraw = "withdraw",
    }
}

use AssignmentAction as A;
use AssignmentState as S;

const MOVES: &[Move<S, A>] = &[
    (S::Open, A::Submit, S::Submitted),
    (S::Open, A::Withdraw, S::Withdrawn),
    (S::Submitted, A::Withdraw, S::Withdrawn),
    (S::Closed, A::Withdraw, S::Withdrawn),
];

impl AssignmentState {
    /// The state on a day: an open assignment is closed after its last day.
    pub fn on(self, today: NaiveDate, due_on: NaiveDate) -> Self {
        match self {
            Self::Open if today > due_on => Self::Closed,
            other => other,
        }
    }

    /// The state after `action`.
    pub fn after(self, action: AssignmentAction) -> Result<Self, InvalidState> {
        state::after(MOVES, self, action)
    }

    /// Points of an assignment count once nobody changes them any more.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Submitted | Self::Closed)
    }
}

/// The mean of the points of several experts, exact; none of nobody's.
pub fn mean(points: &[BigRational]) -> Option<BigRational> {
    let sum: BigRational = points.iter().sum();
    (!points.is_empty()).then(|| sum / ratio::whole(points.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_open_to_the_end_of_its_last_day_and_can_be_withdrawn_later() {
        insta::assert_snapshot!(state::printed(MOVES).join("\n"), @r"
        open --submit--> submitted
        open --withdraw--> withdrawn
        submitted --withdraw--> withdrawn
        closed --withdraw--> withdrawn
        ");
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let due = day("2026-03-09");
        for (state, today, expected, counts) in [
            (S::Open, "2026-03-09", S::Open, false),
            (S::Open, "2026-03-10", S::Closed, true),
            (S::Submitted, "2026-03-10", S::Submitted, true),
            (S::Withdrawn, "2026-03-10", S::Withdrawn, false),
        ] {
            let found = state.on(day(today), due);
            assert_eq!((found, found.counts()), (expected, counts), "{today}");
        }
    }

    #[test]
    fn a_mean_is_exact() {
        let points = |texts: &[&str]| -> Vec<BigRational> {
            texts
                .iter()
                .map(|text| ratio::parse(text).unwrap())
                .collect()
        };
        for (given, expected) in [
            (&[][..], None),
            (&["3.5"], Some("7/2")),
            (&["1", "1", "2"], Some("4/3")),
            (&["0", "0.1"], Some("1/20")),
        ] {
            let found = mean(&points(given)).map(|mean| ratio::exact(&mean));
            assert_eq!(found.as_deref(), expected, "{given:?}");
        }
    }
}
