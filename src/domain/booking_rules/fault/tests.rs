//! Cases of rules that contradict themselves.

use super::super::WeeklyHours;
use super::super::tests::weekly;
use super::*;
use crate::domain::booking::BookingMode;

fn faults(change: impl FnOnce(&mut BookingRules)) -> Vec<String> {
    let mut rules = BookingRules::default();
    change(&mut rules);
    let faults = rules.validate().err().unwrap_or_default();
    let told = |fault: &Fault| format!("{}: {}", fault.name(), fault.code);
    faults.iter().map(told).collect()
}

fn special(from_on: &str, until_on: &str) -> SpecialDays {
    SpecialDays {
        from_on: from_on.parse().unwrap(),
        until_on: until_on.parse().unwrap(),
        spans: Vec::new(),
    }
}

#[test]
fn numbers_stay_in_their_bounds() {
    type Change = fn(&mut BookingRules, i64);
    let table: [(&str, i64, i64, Change); 10] = [
        ("approval_due_working_days", 1, 30, |r, n| {
            r.approval_due_working_days = n.try_into().unwrap()
        }),
        ("horizon_days", 1, 730, |r, n| {
            r.horizon_days = n.try_into().unwrap()
        }),
        ("lead_minutes", 0, 129_600, |r, n| {
            r.lead_minutes = Minutes::new(n)
        }),
        ("setup_minutes", 0, 1440, |r, n| {
            r.setup_minutes = Minutes::new(n)
        }),
        ("cleanup_minutes", 0, 1440, |r, n| {
            r.cleanup_minutes = Minutes::new(n)
        }),
        ("cancel_before_minutes", 0, 43_200, |r, n| {
            r.cancel_before_minutes = Minutes::new(n)
        }),
        ("no_show_after_minutes", 0, 1440, |r, n| {
            r.no_show_after_minutes = Minutes::new(n)
        }),
        ("hold_minutes", 0, 60, |r, n| {
            r.hold_minutes = Minutes::new(n)
        }),
        ("gap_minutes", 0, 43_200, |r, n| {
            r.gap_minutes = Minutes::new(n)
        }),
        ("change_before_minutes", 0, 43_200, |r, n| {
            r.change_before_minutes = Minutes::new(n)
        }),
    ];
    for (field, least, most, change) in table {
        let expected = format!("{field}: out_of_range");
        assert!(faults(|r| change(r, least)).is_empty(), "{field} {least}");
        assert!(
            !faults(|r| change(r, most)).contains(&expected),
            "{field} {most}"
        );
        assert!(
            faults(|r| change(r, most + 1)).contains(&expected),
            "{field}"
        );
        if least == 0 {
            assert_eq!(faults(|r| change(r, -1)), [expected]);
        }
    }
}

#[test]
fn the_limit_named_is_the_one_that_is_broken() {
    let rules = BookingRules {
        horizon_days: 731,
        ..BookingRules::default()
    };
    let fault = rules.validate().unwrap_err().remove(0);
    assert_eq!(
        (fault.limit, fault.actual),
        (Some(730.into()), Some(731.into()))
    );
}

#[test]
fn lengths_fit_each_other_and_the_grid() {
    let lengths = |slot, min, max| {
        faults(|rules| {
            rules.slot_minutes = Minutes::new(slot);
            rules.min_minutes = Minutes::new(min);
            rules.max_minutes = Minutes::new(max);
        })
    };
    assert!(lengths(15, 15, 15).is_empty());
    assert!(lengths(1440, 1440, 44_640).is_empty());
    assert_eq!(lengths(30, 90, 30), ["min_minutes: min_above_max"]);
    assert_eq!(
        lengths(30, 45, 100),
        [
            "min_minutes: not_multiple_of_slot",
            "max_minutes: not_multiple_of_slot"
        ]
    );
    assert_eq!(lengths(7, 7, 14), ["slot_minutes: not_divisor_of_day"]);
    assert_eq!(
        lengths(0, 0, 0),
        [
            "slot_minutes: out_of_range",
            "min_minutes: out_of_range",
            "max_minutes: out_of_range"
        ]
    );
    assert_eq!(lengths(30, 30, 44_670), ["max_minutes: out_of_range"]);
}

#[test]
fn hours_and_days_are_never_empty_reversed_or_double() {
    let hours = |hours: WeeklyHours| faults(|rules| rules.weekly_hours = vec![hours]);
    assert!(hours(weekly("1-7 22:00-06:00")).is_empty());
    assert!(hours(weekly("1-7 00:00-24:00")).is_empty());
    assert_eq!(
        hours(weekly("1 09:00-09:00")),
        ["weekly_hours[0].from: empty_span"]
    );
    assert_eq!(
        hours(weekly("1 24:00-09:00")),
        ["weekly_hours[0].from: empty_span"]
    );
    assert_eq!(
        hours(weekly("0-1 09:00-10:00")),
        ["weekly_hours[0].weekdays: out_of_range"]
    );
    assert_eq!(
        hours(weekly("7-8 09:00-10:00")),
        ["weekly_hours[0].weekdays: out_of_range"]
    );
    assert_eq!(
        hours(WeeklyHours {
            weekdays: vec![],
            ..weekly("1 09:00-10:00")
        }),
        ["weekly_hours[0].weekdays: missing"]
    );
    let days = |days: Vec<SpecialDays>| faults(|rules| rules.special_days = days);
    assert_eq!(
        days(vec![special("2026-03-02", "2026-03-01")]),
        ["special_days[0].until_on: reversed"]
    );
    assert_eq!(
        days(vec![special("2026-03-02", "2027-03-03")]),
        ["special_days[0].until_on: out_of_range"]
    );
    assert_eq!(
        days(vec![
            special("2026-03-02", "2026-03-05"),
            special("2026-03-05", "2026-03-06")
        ]),
        ["special_days[1]: overlapping"]
    );
    assert!(days(vec![special("2026-03-02", "2026-03-02")]).is_empty());
}

/// The faults of rules written as JSON.
fn faults_of(json: serde_json::Value) -> Vec<String> {
    let said: BookingRules = serde_json::from_value(json).unwrap();
    faults(|rules| *rules = said)
}

#[test]
fn quotas_limit_something_and_never_say_two_things() {
    let quota = |rest: serde_json::Value| {
        let mut quota = serde_json::json!({"per": "person", "period": "day"});
        for (name, value) in rest.as_object().unwrap() {
            quota[name] = value.clone();
        }
        quota
    };
    let one = |rest| faults_of(serde_json::json!({"quotas": [quota(rest)]}));
    use serde_json::json;
    assert!(one(json!({"max_bookings": 1, "max_minutes": 30})).is_empty());
    assert_eq!(one(json!({})), ["quotas[0].max_bookings: missing"]);
    assert_eq!(
        one(json!({"max_bookings": 0})),
        ["quotas[0].max_bookings: out_of_range"]
    );
    assert_eq!(
        one(json!({"max_minutes": 0})),
        ["quotas[0].max_minutes: out_of_range"]
    );
    // The default's shortest booking has 30 minutes: none would ever fit.
    assert_eq!(
        one(json!({"max_minutes": 29})),
        ["quotas[0].max_minutes: min_above_max"]
    );
    assert_eq!(
        one(json!({"max_bookings": 1, "modes": []})),
        ["quotas[0].modes: missing"]
    );
    let twice = json!({"max_bookings": 1, "modes": ["guided", "guided"]});
    assert_eq!(one(twice), ["quotas[0].modes: duplicate"]);
    let both = [
        quota(json!({"max_bookings": 1})),
        quota(json!({"max_bookings": 2})),
    ];
    assert_eq!(faults_of(json!({"quotas": both})), ["quotas[1]: duplicate"]);
    let other = [
        quota(json!({"max_bookings": 1})),
        quota(json!({"max_bookings": 2, "over": "host"})),
    ];
    assert!(faults_of(json!({"quotas": other})).is_empty());
    let many: Vec<_> = (0..21).map(|_| quota(json!({"max_bookings": 1}))).collect();
    assert_eq!(faults_of(json!({"quotas": many}))[0], "quotas: too_many");
}

#[test]
fn what_a_class_says_fits_the_rest() {
    use serde_json::json;
    let class = |said| faults_of(json!({"class_rules": {"sme": said}}));
    assert!(class(json!({})).is_empty());
    assert!(class(json!({"lead_minutes": 0, "horizon_days": 1, "max_minutes": 30})).is_empty());
    let path = "class_rules.sme";
    for (said, fault) in [
        (json!({"lead_minutes": -1}), "lead_minutes: out_of_range"),
        (
            json!({"lead_minutes": 90 * 1440 + 1}),
            "lead_minutes: out_of_range",
        ),
        (json!({"horizon_days": 731}), "horizon_days: out_of_range"),
        (
            json!({"max_minutes": 45}),
            "max_minutes: not_multiple_of_slot",
        ),
        (
            json!({"quotas": [{"per": "person", "period": "day"}]}),
            "quotas[0].max_bookings: missing",
        ),
    ] {
        assert_eq!(class(said)[0], format!("{path}.{fault}"));
    }
    let rules = json!({"min_minutes": 60, "lead_minutes": 5 * 1440,
        "class_rules": {"enterprise": {"max_minutes": 30}, "own": {"horizon_days": 4}}});
    let expected = [
        "class_rules.own.horizon_days: lead_beyond_horizon",
        "class_rules.enterprise.max_minutes: min_above_max",
    ];
    assert_eq!(faults_of(rules), expected);
}

#[test]
fn everything_wrong_is_told_at_once() {
    let told = faults(|rules| {
        rules.modes = vec![];
        rules.horizon_days = 0;
        rules.min_minutes = Minutes::new(600);
        rules.weekly_hours = vec![weekly("1 09:00-09:00")];
    });
    assert_eq!(
        told,
        [
            "weekly_hours[0].from: empty_span",
            "min_minutes: min_above_max",
            "horizon_days: out_of_range",
            "lead_minutes: lead_beyond_horizon",
            "modes: missing",
        ]
    );
    assert_eq!(
        faults(|r| r.modes = vec![BookingMode::Guided; 2]),
        ["modes: duplicate"]
    );
}
