//! Public notices: what a publication shows to everybody, and how long it stands open to objections.

use chrono::NaiveDate;

crate::vocabulary! {
    /// How far a notice is. `ended` is a matter of time and never stored.
    NoticeState {
        Open = "open",
        Ended = "ended",
        Final = "final",
        Discarded = "discarded",
    }
}

impl NoticeState {
    /// The state on a day: an open notice has ended after its last day.
    pub fn on(self, today: NaiveDate, until_on: NaiveDate) -> Self {
        match self {
            Self::Open if today > until_on => Self::Ended,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_open_to_the_end_of_its_last_day() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let until = day("2026-03-09");
        for (state, today, expected) in [
            (NoticeState::Open, "2026-03-09", NoticeState::Open),
            (NoticeState::Open, "2026-03-10", NoticeState::Ended),
            (NoticeState::Final, "2026-03-10", NoticeState::Final),
            (NoticeState::Discarded, "2026-03-10", NoticeState::Discarded),
        ] {
            assert_eq!(state.on(day(today), until), expected, "{today}");
        }
    }
}
