//! Quotas and gaps, case by case, and against counting minute by minute.

use std::collections::{BTreeMap, BTreeSet};

use super::super::tests::office_hours;
use super::*;
use crate::domain::spans::tests::minutes;
use chrono::Datelike;
use proptest::prelude::*;

/// A confirmed booking of who asks, here, in minutes after Monday's midnight.
fn made(from: i64, until: i64) -> Made {
    Made {
        slot: minutes(from, until),
        ended_at: None,
        mode: BookingMode::Guided,
        state: BookingState::Confirmed,
        is_here: true,
        is_of_person: true,
        is_of_unit: true,
    }
}

fn rules(quota: serde_json::Value) -> BookingRules {
    BookingRules {
        quotas: vec![serde_json::from_value(quota).unwrap()],
        ..office_hours()
    }
}

/// Monday's midnight.
fn now() -> Instant {
    minutes(0, 1).starts_at()
}

fn refuses(rules: &BookingRules, made: &[Made], slot: &Slot) -> bool {
    let tally = rules.tally(Some(BookingMode::Guided), made, now());
    !tally.refusals(slot).is_empty()
}

#[test]
fn minutes_are_split_at_midnight_and_bookings_count_on_each_day() {
    let day = rules(serde_json::json!({"per": "person", "period": "day", "max_minutes": 90}));
    let half_an_hour = [made(0, 31)];
    assert!(refuses(&day, &half_an_hour, &minutes(30, 90)));
    assert!(!refuses(&day, &half_an_hour, &minutes(31, 90)));
    // Tuesday has only what lies after midnight.
    assert!(!refuses(&day, &[made(1380, 1500)], &minutes(1500, 1530)));
    assert!(refuses(&day, &[made(1380, 1500)], &minutes(1500, 1531)));
    let one = rules(serde_json::json!({"per": "person", "period": "day", "max_bookings": 1}));
    assert!(refuses(&one, &[made(1380, 1500)], &minutes(1600, 1630)));
    // What ends at midnight has no minute of the next day.
    assert!(!refuses(&one, &[made(1380, 1440)], &minutes(1600, 1630)));
    let whole_days =
        rules(serde_json::json!({"per": "person", "period": "day", "max_minutes": 1440}));
    assert!(!refuses(
        &whole_days,
        &[made(0, 2880)],
        &minutes(2880, 5760)
    ));
}

#[test]
fn what_ended_well_or_badly_counts_and_what_came_to_nothing_does_not() {
    use BookingState as S;
    let day = rules(serde_json::json!({"per": "person", "period": "day", "max_bookings": 1}));
    let ahead = rules(serde_json::json!({"per": "person", "period": "ahead", "max_bookings": 1}));
    for state in S::ALL {
        let counts = !matches!(
            state,
            S::Rejected | S::Cancelled | S::Expired | S::Unresolved
        );
        let is_ahead = matches!(state, S::Held | S::Requested | S::Confirmed);
        let one = [Made {
            state: *state,
            ..made(60, 120)
        }];
        assert_eq!(refuses(&day, &one, &minutes(600, 660)), counts, "{state}");
        assert_eq!(
            refuses(&ahead, &one, &minutes(9_000, 9_060)),
            is_ahead,
            "{state}"
        );
    }
    let begun = [made(-60, 60)];
    assert!(!refuses(&ahead, &begun, &minutes(600, 660)));
}

#[test]
fn a_gap_is_kept_to_the_persons_own_bookings_here() {
    let rules = BookingRules {
        gap_minutes: Minutes::new(60),
        ..office_hours()
    };
    let own = made(600, 660);
    for (from, until, is_refused) in [
        (720, 780, false),
        (719, 780, true),
        (660, 720, true),
        (480, 540, false),
        (480, 541, true),
        (630, 640, true),
    ] {
        assert_eq!(
            refuses(&rules, &[own], &minutes(from, until)),
            is_refused,
            "{from}"
        );
    }
    let near = minutes(670, 700);
    for other in [
        Made {
            is_of_person: false,
            ..own
        },
        Made {
            is_here: false,
            ..own
        },
        Made {
            state: BookingState::NoShow,
            ..own
        },
    ] {
        assert!(!refuses(&rules, &[other], &near), "{other:?}");
    }
    let ended = Made {
        state: BookingState::Completed,
        ended_at: Some(minutes(0, 610).ends_at()),
        ..own
    };
    assert!(!refuses(&rules, &[ended], &near), "it ended an hour before");
}

#[test]
fn the_limit_is_told_with_its_period() {
    let week = rules(
        serde_json::json!({"per": "person", "period": "week", "max_bookings": 2, "max_minutes": 60}),
    );
    let two = [made(0, 30), made(2000, 2030)];
    let tally = week.tally(Some(BookingMode::Guided), &two, now());
    let monday = Slot::new(now(), now().plus(Minutes::new(7 * 1440))).unwrap();
    let expected = BookingRefusal::QuotaExceeded {
        limit: 2,
        actual: 3,
        period_from: monday.starts_at(),
        period_until: Some(monday.ends_at()),
    };
    assert_eq!(
        tally.refusals(&minutes(600, 630)),
        std::slice::from_ref(&expected)
    );
    assert_eq!(tally.exhausted(&monday, Minutes::new(30)), [expected]);
    let beyond = Slot::new(now(), now().plus(Minutes::new(8 * 1440))).unwrap();
    assert_eq!(tally.exhausted(&beyond, Minutes::new(30)), []);
}

fn some_quota() -> impl Strategy<Value = Quota> {
    let words = (0..2usize, 0..5usize, 0..2usize, 0..2usize);
    (words, 1..4u32, 1..20i64, any::<bool>()).prop_map(
        |((per, period, over, modes), most, tens, both)| Quota {
            per: QuotaPer::ALL[per],
            period: QuotaPeriod::ALL[period],
            over: QuotaOver::ALL[over],
            max_bookings: both.then_some(most),
            max_minutes: (!both || most > 2).then_some(Minutes::new(tens * 60)),
            modes: (modes == 0).then(|| vec![BookingMode::Guided]),
        },
    )
}

fn some_made() -> impl Strategy<Value = Made> {
    let ways = (
        0..3usize,
        0..10usize,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    (-40i64..400, 1i64..70, ways).prop_map(
        |(from, length, (mode, state, is_here, is_of_person, is_of_unit))| Made {
            mode: BookingMode::ALL[mode],
            state: BookingState::ALL[state],
            is_here,
            is_of_person,
            is_of_unit,
            ..made(from * 60, (from + length) * 60)
        },
    )
}

/// The name of the period in which a moment lies, by the calendar's own numbers.
fn name(period: QuotaPeriod, at: Instant) -> String {
    let day = at.local_date();
    match period {
        QuotaPeriod::Day => day.to_string(),
        QuotaPeriod::Week => format!("{:?}", day.iso_week()),
        QuotaPeriod::Month => format!("{}-{}", day.year(), day.month()),
        QuotaPeriod::Year => day.year().to_string(),
        QuotaPeriod::Ahead => String::new(),
    }
}

/// Whether a booking of `slot` exceeds the quota, by looking at each quarter of an hour of each booking.
fn exceeds(quota: &Quota, bookings: &[Made], slot: &Slot) -> bool {
    let (mut minutes, mut many): (BTreeMap<String, i64>, BTreeMap<String, BTreeSet<usize>>) =
        Default::default();
    let asked = Made {
        slot: *slot,
        ..made(0, 1)
    };
    let all = bookings.iter().chain([&asked]).enumerate();
    use BookingState as S;
    for (number, booking) in all {
        let is_theirs = match quota.per {
            QuotaPer::Person => booking.is_of_person,
            QuotaPer::Organization => booking.is_of_unit,
        };
        let is_there = booking.is_here || quota.over == QuotaOver::Host;
        let is_meant = quota
            .modes
            .as_ref()
            .is_none_or(|modes| modes.contains(&booking.mode));
        let counts = match quota.period {
            QuotaPeriod::Ahead => {
                matches!(booking.state, S::Held | S::Requested | S::Confirmed)
                    && booking.slot.starts_at() > now()
            }
            _ => matches!(
                booking.state,
                S::Held | S::Requested | S::Confirmed | S::InProgress | S::Completed | S::NoShow
            ),
        };
        if !(is_theirs && is_there && is_meant && counts) {
            continue;
        }
        let mut at = booking.slot.starts_at();
        while at < booking.slot.ends_at() {
            let name = name(quota.period, at);
            *minutes.entry(name.clone()).or_default() += 15;
            many.entry(name).or_default().insert(number);
            at = at.plus(Minutes::new(15));
        }
    }
    let mut at = slot.starts_at();
    while at < slot.ends_at() {
        let name = name(quota.period, at);
        let bookings = many.get(&name).map_or(0, BTreeSet::len);
        let minutes = minutes.get(&name).copied().unwrap_or_default();
        if quota
            .max_bookings
            .is_some_and(|most| bookings > usize::try_from(most).unwrap())
            || quota
                .max_minutes
                .is_some_and(|most| minutes > most.number())
        {
            return quota.period != QuotaPeriod::Ahead || slot.starts_at() > now();
        }
        at = at.plus(Minutes::new(15));
    }
    false
}

proptest! {
    #[test]
    fn quotas_agree_with_counting_minute_by_minute(
        quota in some_quota(), bookings in proptest::collection::vec(some_made(), 0..8), from in -10i64..300, length in 1i64..50,
    ) {
        let slot = minutes(from * 60, (from + length) * 60);
        let rules = BookingRules { quotas: vec![quota.clone()], ..office_hours() };
        prop_assert_eq!(refuses(&rules, &bookings, &slot), exceeds(&quota, &bookings, &slot), "{:?}", quota);
    }

    #[test]
    fn no_booking_touches_what_is_closed_and_the_shortest_fits_elsewhere(
        quotas in proptest::collection::vec(some_quota(), 0..3), gap in 0i64..300,
        bookings in proptest::collection::vec(some_made(), 0..8), from in 1i64..300, length in 1i64..50,
    ) {
        let (slot, window) = (minutes(from * 60, (from + length) * 60), minutes(0, 400 * 60));
        let rules = BookingRules { quotas, gap_minutes: Minutes::new(gap), ..office_hours() };
        let tally = rules.tally(Some(BookingMode::Guided), &bookings, now());
        let is_refused = !tally.refusals(&slot).is_empty();
        let touches = |spans: Spans| spans.touching(&slot).next().is_some();
        prop_assert!(is_refused || !touches(tally.closed(&window, Minutes::new(1))));
        prop_assert!(!is_refused || touches(tally.closed(&window, slot.minutes())));
    }
}
