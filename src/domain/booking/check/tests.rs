//! Cases of the rules of booking, one table for each rule.

use super::*;
use crate::domain::booking_rules::tests::{office_hours, weekly};
use crate::domain::calendar::tests::china;
use crate::domain::closure::{ClosedTime, ClosureKind};

const OPEN: InstrumentFacts = InstrumentFacts {
    is_bookable: true,
    is_shared_with_caller: true,
};

/// A slot written `2026-03-02 09:00` plus minutes, local.
fn slot(start: &str, minutes: i64) -> Slot {
    let start: Instant = format!("{}:00+08:00", start.replace(' ', "T"))
        .parse()
        .unwrap();
    Slot::new(start, start.plus(Minutes::new(minutes))).unwrap()
}

/// Asked on Sunday 1 March 2026 at 08:00.
fn question(slot: Slot) -> Question {
    Question {
        slot,
        mode: BookingMode::Guided,
        now: self::slot("2026-03-01 08:00", 1).starts_at(),
        stage: Stage::Request,
    }
}

fn codes(rules: &BookingRules, question: &Question) -> Vec<&'static str> {
    let refusals = rules.check(question, &china(), &[], (OPEN, &Tally::default()));
    refusals
        .iter()
        .map(|refusal| refusal.code().as_str())
        .collect()
}

fn asked(rules: &BookingRules, start: &str, minutes: i64) -> String {
    codes(rules, &question(slot(start, minutes))).join(" ")
}

#[test]
fn the_whole_slot_lies_within_opening_hours() {
    let mut rules = office_hours();
    rules.max_minutes = Minutes::new(3 * 1440);
    for (start, minutes, expected) in [
        ("2026-03-02 09:00", 60, ""),
        ("2026-03-02 17:00", 60, ""), // the end of the hours is a good end
        ("2026-03-02 17:30", 60, "outside_opening_hours"),
        ("2026-03-02 18:00", 60, "outside_opening_hours"),
        ("2026-03-02 08:30", 60, "outside_opening_hours"),
        ("2026-03-02 10:00", 1440 + 60, "outside_opening_hours"), // both ends are open, the night is not
        ("2026-03-07 10:00", 60, "outside_opening_hours"),        // Saturday
        ("2026-02-28 10:00", 60, "in_the_past"),                  // a worked Saturday
    ] {
        assert_eq!(
            asked(&rules, start, minutes),
            expected,
            "{start} + {minutes}"
        );
    }
}

#[test]
fn nights_are_normal_where_hours_join() {
    let mut rules = office_hours();
    rules.weekly_hours = vec![weekly("1-5 09:00-17:00")];
    assert_eq!(
        asked(&rules, "2026-03-02 22:00", 240),
        "outside_opening_hours"
    );
    rules.weekly_hours.push(weekly("1-5 22:00-24:00"));
    assert_eq!(
        asked(&rules, "2026-03-02 22:00", 240),
        "outside_opening_hours"
    );
    rules.weekly_hours.push(weekly("1-5 00:00-06:00"));
    assert_eq!(asked(&rules, "2026-03-02 22:00", 240), "");
    assert_eq!(
        asked(&rules, "2026-03-06 22:00", 240),
        "outside_opening_hours"
    ); // into Saturday
    rules.weekly_hours = vec![weekly("5 22:00-06:00")];
    assert_eq!(asked(&rules, "2026-03-06 22:00", 480), "");
}

#[test]
fn every_touched_day_is_asked_whether_it_is_a_holiday() {
    let mut rules = office_hours();
    (rules.horizon_days, rules.max_minutes) = (400, Minutes::new(5 * 1440));
    rules.weekly_hours = vec![weekly("1-7 00:00-24:00")];
    for (start, minutes, expected) in [
        ("2026-05-01 10:00", 60, "public_holiday"),
        ("2026-04-30 22:00", 120, ""), // ends at the midnight that begins the holiday
        ("2026-04-30 22:00", 150, "public_holiday"),
        ("2026-04-30 22:00", 5 * 1440, "public_holiday"), // the middle
        ("2026-05-05 22:00", 240, "public_holiday"),      // begins on its last day
        ("2026-05-06 00:00", 60, ""),
        ("2026-05-09 10:00", 60, ""), // the Saturday worked for it
    ] {
        assert_eq!(
            asked(&rules, start, minutes),
            expected,
            "{start} + {minutes}"
        );
    }
    rules.weekly_hours = vec![weekly("1-5 09:00-18:00")];
    let both = asked(&rules, "2026-04-30 17:00", 24 * 60);
    assert_eq!(both, "public_holiday outside_opening_hours");
    assert_eq!(asked(&rules, "2026-05-09 10:00", 60), "");
}

#[test]
fn a_holiday_and_the_open_spans_are_named() {
    let mut rules = office_hours();
    rules.horizon_days = 400;
    let refusals = |start| {
        rules.check(
            &question(slot(start, 60)),
            &china(),
            &[],
            (OPEN, &Tally::default()),
        )
    };
    assert_eq!(
        refusals("2026-05-01 10:00"),
        [BookingRefusal::PublicHoliday {
            on: "2026-05-01".parse().unwrap(),
            festival: "Labour Day".to_owned(),
        }]
    );
    assert_eq!(
        refusals("2026-03-02 17:30"),
        [BookingRefusal::OutsideOpeningHours {
            missing: slot("2026-03-02 18:00", 30),
            open: vec![slot("2026-03-02 09:00", 540)],
        }]
    );
}

#[test]
fn lengths_have_a_minimum_and_a_maximum() {
    let mut rules = office_hours();
    rules.slot_minutes = Minutes::new(1);
    (rules.min_minutes, rules.max_minutes) = (Minutes::new(30), Minutes::new(120));
    for (minutes, expected) in [(29, "too_short"), (30, ""), (120, ""), (121, "too_long")] {
        assert_eq!(
            asked(&rules, "2026-03-02 10:00", minutes),
            expected,
            "{minutes}"
        );
    }
    (rules.min_minutes, rules.max_minutes) = (Minutes::new(90), Minutes::new(30));
    assert_eq!(asked(&rules, "2026-03-02 10:00", 60), "too_short too_long");
}

#[test]
fn seconds_count_in_lengths() {
    let start = slot("2026-03-02 09:30", 1).starts_at();
    let longer = Slot::new(start, start.plus(Minutes::new(480)).plus_seconds(1)).unwrap();
    assert_eq!(
        codes(&office_hours(), &question(longer)),
        ["not_aligned", "too_long"]
    );
}

#[test]
fn both_ends_lie_on_the_grid() {
    let mut rules = office_hours();
    rules.slot_minutes = Minutes::new(15);
    for (start, minutes, expected) in [
        ("2026-03-02 10:00", 60, ""),
        ("2026-03-02 10:15", 45, ""),
        ("2026-03-02 10:00", 65, "not_aligned"),
        ("2026-03-02 10:05", 60, "not_aligned"),
    ] {
        assert_eq!(
            asked(&rules, start, minutes),
            expected,
            "{start} + {minutes}"
        );
    }
}

#[test]
fn lead_and_horizon_are_measured_to_the_start() {
    let mut rules = office_hours();
    rules.weekly_hours = vec![weekly("1-7 00:00-24:00")];
    (rules.lead_minutes, rules.horizon_days) = (Minutes::new(120), 10);
    for (start, expected) in [
        ("2026-03-01 07:30", "in_the_past too_soon"),
        ("2026-03-01 08:00", "too_soon"),
        ("2026-03-01 09:30", "too_soon"),
        ("2026-03-01 10:00", ""),
        ("2026-03-01 11:00", ""),
        ("2026-03-11 08:00", ""), // exactly ten days ahead; the end lies beyond
        ("2026-03-11 08:30", "too_far_ahead"),
    ] {
        assert_eq!(asked(&rules, start, 60), expected, "{start}");
    }
    rules.lead_minutes = Minutes::ZERO;
    assert_eq!(asked(&rules, "2026-03-01 07:30", 60), "in_the_past");
    assert_eq!(asked(&rules, "2026-03-01 08:00", 60), "");
}

#[test]
fn approval_asks_all_but_the_lead_time() {
    let mut rules = office_hours();
    rules.lead_minutes = Minutes::new(7 * 1440);
    let mut approval = question(slot("2026-03-02 17:30", 60));
    assert_eq!(
        codes(&rules, &approval),
        ["too_soon", "outside_opening_hours"]
    );
    approval.stage = Stage::Approval;
    assert_eq!(codes(&rules, &approval), ["outside_opening_hours"]);
    approval.now = approval.slot.starts_at().plus_seconds(1);
    assert_eq!(
        codes(&rules, &approval),
        ["in_the_past", "outside_opening_hours"]
    );
}

#[test]
fn closures_refuse_what_they_overlap_and_say_how_long() {
    let closure = |start: &str, minutes| Closure {
        time: ClosedTime::new(
            slot(start, 1).starts_at(),
            Some(slot(start, minutes).ends_at()),
        )
        .unwrap(),
        kind: ClosureKind::Calibration,
        public_reason: Some("yearly".to_owned()),
    };
    let mut rules = office_hours();
    rules.setup_minutes = Minutes::new(60);
    let asked = |start: &str, minutes| {
        let closures = [
            closure("2026-03-02 12:00", 90),
            closure("2026-03-02 15:00", 30),
        ];
        rules.check(
            &question(slot(start, minutes)),
            &china(),
            &closures,
            (OPEN, &Tally::default()),
        )
    };
    assert_eq!(asked("2026-03-02 13:30", 90), []); // between them; set-up lies in the first
    assert_eq!(
        asked("2026-03-02 13:00", 60),
        [BookingRefusal::ClosedForMaintenance {
            starts_at: slot("2026-03-02 12:00", 1).starts_at(),
            ends_at: Some(slot("2026-03-02 12:00", 90).ends_at()),
            kind: ClosureKind::Calibration,
            public_reason: Some("yearly".to_owned()),
        }]
    );
    assert_eq!(asked("2026-03-02 11:30", 240).len(), 2);
}

#[test]
fn everything_broken_is_told_at_once() {
    let mut rules = office_hours();
    rules.modes = vec![BookingMode::Entrusted];
    let closed = InstrumentFacts {
        is_bookable: false,
        is_shared_with_caller: false,
    };
    let night = question(slot("2027-10-01 03:07", 20));
    let refusals = rules.check(&night, &china(), &[], (closed, &Tally::default()));
    let codes: Vec<_> = refusals
        .iter()
        .map(|refusal| refusal.code().as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "instrument_not_bookable",
            "not_externally_shared",
            "mode_not_offered",
            "too_far_ahead",
            "not_aligned",
            "too_short",
            "outside_opening_hours", // no data for 2027: no holiday
        ]
    );
    let limits: Vec<_> = refusals
        .iter()
        .map(|r| serde_json::Value::from(r.limit()))
        .collect();
    assert_eq!(limits[2], serde_json::json!(["entrusted"]));
    assert_eq!(limits[4], serde_json::json!(30));
    assert_eq!(refusals[5].actual(), Some(20.into()));
}

#[test]
fn a_slot_of_centuries_is_answered_quickly() {
    let endless = Slot::new(
        "1950-01-01T00:00:00+08:00".parse().unwrap(),
        "2199-12-31T00:00:00+08:00".parse().unwrap(),
    );
    let codes = codes(&office_hours(), &question(endless.unwrap()));
    assert_eq!(codes, ["in_the_past", "too_long", "outside_opening_hours"]);
}
