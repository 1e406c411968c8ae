//! Each kind of duty at its edges: the last day, the day after, exemption, disposal, idleness.

use super::*;
use crate::domain::calendar::tests::china;
use crate::domain::instrument::PurposeType;
use crate::domain::policy::{Deadline, RatedHours, Registration};
use crate::domain::{Fen, Minutes};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn entry() -> Entry {
    Entry {
        instrument_id: 1.try_into().unwrap(),
        submitted_on: None,
        is_listed: false,
        shared_since: None,
        is_exempt: false,
        purpose_type: PurposeType::General,
        enabled_on: None,
        uses: Default::default(),
    }
}

fn asset(accepted_on: &str) -> Asset {
    Asset {
        asset_no: "A1".into(),
        name: "扫描电镜".to_owned(),
        original_value_fen: Fen::new(20_000_000),
        accepted_on: Some(day(accepted_on)),
        ended_on: None,
        entry: None,
    }
}

fn period() -> Period {
    Period {
        year: 2025,
        first_on: day("2025-01-01"),
        last_on: day("2025-12-31"),
        from_on: day("2025-01-01"),
        until_on: day("2025-12-31"),
    }
}

fn judged(asset: &Asset, today: &str) -> Vec<Due> {
    let calendar = china();
    asset.duties(&Rules {
        registration: Registration {
            threshold_fen: Fen::new(20_000_000),
            report_within: Deadline::WorkingDays(30),
        },
        rated: Some(RatedHours {
            general: 1_400,
            special: 800,
        }),
        calendar: &calendar,
        periods: &[period()],
        today: day(today),
    })
}

fn states(asset: &Asset, today: &str) -> Vec<(&'static str, &'static str)> {
    let said = |due: &Due| (due.kind.as_str(), due.state.as_str());
    judged(asset, today).iter().map(said).collect()
}

#[test]
fn an_asset_is_due_from_the_threshold_on_and_after_its_acceptance() {
    let mut one = asset("2025-03-03");
    // The thirtieth working day after it, past the holidays of April.
    assert_eq!(judged(&one, "2025-03-03")[0].due_on, day("2025-04-15"));
    assert_eq!(
        states(&one, "2025-04-15"),
        [("register", "open"), ("share", "open")]
    );
    assert_eq!(
        states(&one, "2025-04-16"),
        [("register", "missed"), ("share", "missed")]
    );
    assert_eq!(states(&one, "2025-03-02"), []);
    one.original_value_fen = Fen::new(19_999_999);
    assert_eq!(states(&one, "2025-04-16"), []);
    one = Asset {
        accepted_on: None,
        ..asset("2025-03-03")
    };
    assert_eq!(states(&one, "2025-04-16"), []);
}

#[test]
fn what_is_done_is_met_or_late_and_what_need_not_be_done_is_exempt() {
    let mut one = asset("2025-03-03");
    let with = |submitted: &str, shared: Option<&str>| Entry {
        submitted_on: Some(day(submitted)),
        shared_since: shared.map(day),
        ..entry()
    };
    one.entry = Some(with("2025-04-15", Some("2025-04-16")));
    assert_eq!(
        states(&one, "2025-05-01"),
        [("register", "met"), ("share", "late")]
    );
    one.entry = Some(with("2025-04-16", None));
    assert_eq!(
        states(&one, "2025-05-01"),
        [("register", "late"), ("share", "missed")]
    );
    one.entry = Some(Entry {
        is_exempt: true,
        ..with("2025-04-15", None)
    });
    assert_eq!(
        states(&one, "2025-05-01"),
        [("register", "met"), ("share", "exempt")]
    );
    // Disposed of before anything was due; a day later it had been due.
    one.entry = None;
    for (ended, state) in [("2025-04-15", "exempt"), ("2025-04-16", "missed")] {
        one.ended_on = Some(day(ended));
        assert_eq!(
            states(&one, "2025-05-01"),
            [("register", state), ("share", state)]
        );
    }
}

#[test]
fn use_is_due_with_the_year_and_idle_or_underused_is_seen() {
    let listed = |minutes: i64, first: Option<&str>, enabled: &str| {
        let known = Use {
            minutes: Minutes::new(minutes),
            first_on: first.map(day),
        };
        let entry = Entry {
            submitted_on: Some(day("2024-01-02")),
            is_listed: true,
            shared_since: Some(day("2024-01-02")),
            enabled_on: Some(day(enabled)),
            uses: [(2025, known)].into(),
            ..entry()
        };
        Asset {
            entry: Some(entry),
            ..asset("2024-01-02")
        }
    };
    let last = |asset: &Asset, today: &str| {
        let due = judged(asset, today).pop().unwrap();
        (due.state.as_str(), due.detail.map(DutyDetail::as_str))
    };
    let unused = listed(0, None, "2024-01-02");
    assert_eq!(last(&unused, "2025-12-31"), ("open", Some("idle")));
    assert_eq!(last(&unused, "2026-01-01"), ("missed", Some("idle")));
    // Half of 1,400 hours, to the minute.
    let used = |minutes| listed(minutes, Some("2025-02-01"), "2024-01-02");
    assert_eq!(last(&used(42_000), "2026-01-01"), ("met", None));
    assert_eq!(
        last(&used(41_999), "2026-01-01"),
        ("met", Some("underused"))
    );
    // In service since the second day: not idle yet, and half of the minutes of 364 days.
    let late = |minutes| listed(minutes, None, "2025-01-02");
    assert_eq!(last(&late(0), "2026-01-01"), ("missed", Some("underused")));
    assert_eq!(last(&late(41_885), "2026-01-01"), ("missed", None));
    let mut gone = listed(0, None, "2024-01-02");
    gone.ended_on = Some(day("2025-06-30"));
    assert_eq!(last(&gone, "2026-01-01"), ("exempt", None));
    gone.ended_on = Some(day("2024-12-31"));
    assert_eq!(
        judged(&gone, "2026-01-01").len(),
        2,
        "not due in a year after its end"
    );
    let next = listed(0, None, "2026-01-01");
    assert_eq!(judged(&next, "2026-01-01").len(), 2, "not yet in service");
}

#[test]
fn reminders_come_ten_and_three_working_days_before_and_the_day_after() {
    let calendar = china();
    // A Wednesday; the days before it are working days but for weekends.
    let due_on = day("2026-03-25");
    for (today, expected) in [
        ("2026-03-10", Reminder::None),
        ("2026-03-11", Reminder::Early),
        ("2026-03-19", Reminder::Early),
        ("2026-03-20", Reminder::Near),
        ("2026-03-25", Reminder::Near),
        ("2026-03-26", Reminder::Past),
    ] {
        assert_eq!(
            Reminder::due(due_on, &calendar, day(today)),
            expected,
            "{today}"
        );
    }
}
