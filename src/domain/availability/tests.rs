//! Every free slot keeps every rule, and no earlier one does.

mod by_minute;

use super::*;
use crate::domain::booking::{BookingMode, InstrumentFacts, Question, Stage};
use crate::domain::booking_rules::tests::{office_hours, weekly};
use crate::domain::calendar::tests::china;
use crate::domain::channel::Movable;
use crate::domain::channel::assign;
use crate::domain::closure::{ClosedTime, ClosureKind};
use crate::domain::spans::tests::minutes;
use proptest::prelude::*;

fn closed(slot: Slot) -> Closure {
    Closure {
        time: ClosedTime::new(slot.starts_at(), Some(slot.ends_at())).unwrap(),
        kind: ClosureKind::Maintenance,
        public_reason: None,
    }
}

fn timetable<'a>(
    rules: &'a BookingRules,
    calendar: &'a Calendar,
    closures: &'a [Closure],
    blocked: &'a [Slot],
) -> Timetable<'a> {
    static NOBODY: std::sync::LazyLock<Tally<'static>> = std::sync::LazyLock::new(Tally::default);
    Timetable {
        rules,
        tally: &NOBODY,
        calendar,
        closures,
        blocked,
        channels: 1,
        now: minutes(0, 1).starts_at(),
    }
}

#[test]
fn free_is_open_without_closures_and_bookings_with_their_margins() {
    let mut rules = office_hours();
    (rules.setup_minutes, rules.cleanup_minutes) = (Minutes::new(10), Minutes::new(20));
    let calendar = china();
    let (closures, blocked) = ([closed(minutes(900, 960))], [minutes(600, 660)]);
    let table = timetable(&rules, &calendar, &closures, &blocked);
    let free = table.free_spans(&minutes(0, 1440)).into_vec();
    assert_eq!(
        free,
        [minutes(540, 570), minutes(690, 900), minutes(960, 1080)]
    );
    assert_eq!(
        table.busy_spans(&minutes(630, 1440)).into_vec(),
        [minutes(630, 660)]
    );
    let two_channels = Timetable {
        channels: 2,
        ..table
    };
    assert_eq!(
        two_channels.free_spans(&minutes(0, 800)).into_vec(),
        [minutes(540, 780)]
    );
    let later = Timetable {
        now: minutes(0, 700).ends_at(),
        ..table
    };
    assert_eq!(
        later.free_spans(&minutes(0, 800)).into_vec(),
        [minutes(720, 780)]
    );
    assert!(later.free_spans(&minutes(0, 700)).is_empty());
}

#[test]
fn the_next_three_follow_the_grid_around_everything() {
    let mut rules = office_hours();
    let calendar = china();
    let (closures, blocked) = ([closed(minutes(901, 959))], [minutes(545, 840)]);
    let table = timetable(&rules, &calendar, &closures, &blocked);
    let next = table.next_free(Minutes::new(60), minutes(600, 601).starts_at(), 3);
    assert_eq!(
        next,
        [minutes(840, 900), minutes(960, 1020), minutes(990, 1050)]
    );
    assert_eq!(table.next_free(Minutes::new(45), table.now, 3), []);
    assert_eq!(table.next_free(Minutes::new(510), table.now, 3), []);
    rules.lead_minutes = Minutes::new(1000);
    let table = timetable(&rules, &calendar, &closures, &blocked);
    let next = table.next_free(Minutes::new(60), table.now, 2);
    assert_eq!(next, [minutes(1020, 1080), minutes(1980, 2040)]);
}

#[test]
fn the_horizon_ends_the_search_and_far_answers_are_found() {
    let mut rules = office_hours();
    (rules.weekly_hours, rules.horizon_days) = (vec![weekly("1-7 00:00-24:00")], 40);
    let calendar = Calendar::default();
    let mostly_closed = [closed(minutes(0, 40 * 1440 - 60))];
    let table = timetable(&rules, &calendar, &mostly_closed, &[]);
    let starts: Vec<Slot> = table.next_free(Minutes::new(480), table.now, 9);
    let day = 40 * 1440;
    assert_eq!(
        starts,
        [
            minutes(day - 60, day + 420),
            minutes(day - 30, day + 450),
            minutes(day, day + 480)
        ]
    );
    let everything = [Closure {
        time: ClosedTime::new(table.now, None).unwrap(),
        ..closed(minutes(0, 1))
    }];
    let table = timetable(&rules, &calendar, &everything, &[]);
    assert_eq!(table.next_free(Minutes::new(30), table.now, 3), []);
}

#[test]
fn slots_across_the_end_of_a_stretch_are_found_once() {
    let mut rules = office_hours();
    rules.weekly_hours = vec![weekly("1-7 00:00-24:00")];
    let calendar = Calendar::default();
    let edge = STRETCH.number();
    let closures = [
        closed(minutes(0, edge - 60)),
        closed(minutes(edge + 60, 90 * 1440 + 480)),
    ];
    let table = timetable(&rules, &calendar, &closures, &[]);
    let starts = |length| {
        let slots = table.next_free(Minutes::new(length), table.now, 9);
        let start = |slot: &Slot| slot.starts_at().minutes_since(table.now).number() - edge;
        slots.iter().map(start).collect::<Vec<_>>()
    };
    assert_eq!(starts(120), [-60]);
    assert_eq!(starts(60), [-60, -30, 0]);
}

fn some_rules() -> impl Strategy<Value = BookingRules> {
    let hours = prop_oneof![
        Just(vec![weekly("1-5 09:00-18:00")]),
        Just(vec![weekly("1-7 22:00-06:00")]),
        Just(vec![weekly("1-7 00:00-24:00")]),
        Just(vec![weekly("1-3 08:00-12:00"), weekly("2-6 13:00-17:30")]),
    ];
    let margins = (0i64..4, 0i64..4, 0i64..300);
    (hours, margins, prop_oneof![Just(15i64), Just(30), Just(60)]).prop_map(
        |(weekly_hours, margins, grid)| {
            let (setup, cleanup, lead) = margins;
            BookingRules {
                max_minutes: Minutes::new(8 * grid),
                weekly_hours,
                setup_minutes: Minutes::new(setup * 10),
                cleanup_minutes: Minutes::new(cleanup * 10),
                lead_minutes: Minutes::new(lead),
                slot_minutes: Minutes::new(grid),
                min_minutes: Minutes::new(grid),
                horizon_days: 5,
                ..office_hours()
            }
        },
    )
}

fn some_slots(most: usize) -> impl Strategy<Value = Vec<Slot>> {
    proptest::collection::vec((0i64..4_000, 1i64..600), 0..most).prop_map(|rows| {
        rows.iter()
            .map(|(from, length)| minutes(*from, from + length))
            .collect()
    })
}

/// Whether a booking request of this slot would be accepted.
fn is_bookable(table: &Timetable<'_>, slot: Slot) -> bool {
    let question = Question {
        slot,
        mode: BookingMode::Guided,
        now: table.now,
        stage: Stage::Request,
    };
    let open = InstrumentFacts {
        is_bookable: true,
        is_shared_with_caller: true,
    };
    let others = table.blocked.iter().zip(1i64..);
    // On channels of their own beyond n: only the peak decides, as when all may move.
    let movable: Vec<Movable> = others
        .map(|(blocked, id)| Movable {
            id: id.try_into().unwrap(),
            blocked: *blocked,
            channel: 0,
        })
        .collect();
    table
        .rules
        .check(
            &question,
            table.calendar,
            table.closures,
            (open, table.tally),
        )
        .is_empty()
        && assign(table.channels, &[], &movable, table.rules.blocked(&slot)).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn next_free_answers_are_the_first_bookable_ones(
        rules in some_rules(),
        closures in some_slots(3),
        blocked in some_slots(8),
        channels in 1i64..3,
        (steps, after) in (1i64..9, 0i64..2_000),
    ) {
        let calendar = china();
        let closures: Vec<Closure> = closures.into_iter().map(closed).collect();
        let table = Timetable { channels, ..timetable(&rules, &calendar, &closures, &blocked) };
        let after = minutes(after, after + 1).starts_at();
        let length = Minutes::new(steps * rules.slot_minutes.number());
        let answers = table.next_free(length, after, 3);
        let grid = rules.slot_minutes.number();
        let every_start = (0..=5 * 1440 / grid).map(|step| minutes(step * grid, step * grid + length.number()));
        let expected: Vec<Slot> = every_start
            .filter(|slot| slot.starts_at() >= after && is_bookable(&table, *slot))
            .take(3)
            .collect();
        prop_assert_eq!(answers, expected);
    }

    #[test]
    fn free_is_what_is_bookable_and_nothing_else(
        mut rules in some_rules(),
        closures in some_slots(3),
        blocked in some_slots(8),
        (channels, shortest) in (1i64..3, 1i64..4),
    ) {
        let calendar = china();
        let grid = rules.slot_minutes.number();
        rules.min_minutes = Minutes::new(shortest * grid);
        let closures: Vec<Closure> = closures.into_iter().map(closed).collect();
        let table = Timetable { channels, ..timetable(&rules, &calendar, &closures, &blocked) };
        let free = table.free_spans(&minutes(0, 10 * 1440));
        let set_up = if channels > 1 { rules.setup_minutes } else { Minutes::ZERO };
        let last = rules.aligned_until(rules.latest_start(table.now)).plus(rules.min_minutes);
        for step in 0..=5 * 1440 / grid {
            for length in shortest..=8 {
                let slot = minutes(step * grid, (step + length) * grid);
                let is_free = free.iter().any(|span| span.contains(&slot));
                let is_told = slot.ends_at() <= last && slot.starts_at() >= table.now.plus(set_up);
                let expected = is_told && is_bookable(&table, slot);
                prop_assert_eq!(is_free, expected, "{:?}", slot);
            }
        }
        let ends = free.iter().flat_map(|span| [span.starts_at(), span.ends_at()]);
        prop_assert!(ends.into_iter().all(|end| rules.is_aligned(end)));
    }
}
