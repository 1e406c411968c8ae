//! The arithmetic of intervals against looking at every minute, over random rules, holidays, closures and bookings.

use super::*;
use crate::domain::booking_rules::{DaySpan, Holidays, SpecialDays, WeeklyHours};
use crate::domain::calendar::weekday;
use chrono::{NaiveDate, Timelike};

const DAYS: i64 = 12;

/// So many minutes after the midnight of 28 September 2025, a worked Sunday before the holidays of October.
fn at(minute: i64) -> Instant {
    let first = Instant::at_midnight("2025-09-28".parse().unwrap());
    first.plus(Minutes::new(minute))
}

fn slot(from: i64, length: i64) -> Slot {
    Slot::new(at(from), at(from + length)).unwrap()
}

fn some_span() -> impl Strategy<Value = DaySpan> {
    (0u16..48, 1u16..48).prop_map(|(from, more)| {
        let time = |half_hours: u16| format!("{:02}:{:02}", half_hours / 2, half_hours % 2 * 30);
        let until = (from + more) % 48;
        DaySpan {
            from: time(from).parse().unwrap(),
            until: time(until).parse().unwrap(),
        }
    })
}

fn some_rules() -> impl Strategy<Value = BookingRules> {
    let weekly = proptest::collection::vec((1u8..128, some_span()), 0..4);
    let special = proptest::option::of((
        0i64..DAYS,
        0i64..3,
        proptest::collection::vec(some_span(), 0..3),
    ));
    let numbers = (0..3usize, 0..4usize, 1i64..5, 0i64..4, 0i64..4);
    (weekly, special, numbers).prop_map(
        |(weekly, special, (holidays, grid, min, setup, cleanup))| {
            let grid = [15, 30, 60, 480][grid];
            let day = |days: i64| at(days * 1440).local_date();
            BookingRules {
                weekly_hours: weekly
                    .into_iter()
                    .map(|(days, span)| WeeklyHours {
                        weekdays: (1..=7).filter(|day| days & (1 << (day - 1)) != 0).collect(),
                        from: span.from,
                        until: span.until,
                    })
                    .collect(),
                holidays: Holidays::ALL[holidays],
                special_days: special
                    .into_iter()
                    .map(|(from, length, spans)| SpecialDays {
                        from_on: day(from),
                        until_on: day(from + length),
                        spans,
                    })
                    .collect(),
                slot_minutes: Minutes::new(grid),
                min_minutes: Minutes::new(grid * min),
                max_minutes: Minutes::new(31 * 1440),
                lead_minutes: Minutes::ZERO,
                setup_minutes: Minutes::new(setup * 10),
                cleanup_minutes: Minutes::new(cleanup * 10),
                ..BookingRules::default()
            }
        },
    )
}

/// What rules the hours of a day: its special days by their first day, or a weekday's hours, or nothing.
#[derive(PartialEq)]
enum Day {
    Special(NaiveDate),
    Weekday(u8),
    Holiday,
}

fn day_of(rules: &BookingRules, calendar: &Calendar, date: NaiveDate) -> (Day, Vec<DaySpan>) {
    let special = rules
        .special_days
        .iter()
        .find(|days| days.from_on <= date && date <= days.until_on);
    if let Some(special) = special {
        return (Day::Special(special.from_on), special.spans.clone());
    }
    let own = weekday(date);
    let is_holiday = calendar.holiday_on(date).is_some();
    let hours_of = match (is_holiday, rules.holidays) {
        (false, _) => calendar.weekday_hours_of(date),
        (true, Holidays::Closed) => return (Day::Holiday, Vec::new()),
        (true, Holidays::AsWeekend) if own < 6 => 7,
        (true, _) => own,
    };
    let all = rules
        .weekly_hours
        .iter()
        .filter(|hours| hours.weekdays.contains(&hours_of));
    let spans = all
        .map(|hours| DaySpan {
            from: hours.from,
            until: hours.until,
        })
        .collect();
    (Day::Weekday(hours_of), spans)
}

fn is_open(rules: &BookingRules, calendar: &Calendar, minute: Instant) -> bool {
    let local = minute.local();
    let of_day = i64::from(local.time().num_seconds_from_midnight() / 60);
    let (today, spans) = day_of(rules, calendar, local.date());
    let begins_today = |span: &DaySpan| {
        let (from, until) = (span.from.minutes(), span.until.minutes());
        from <= of_day && (until <= from || of_day < until)
    };
    if spans.iter().any(begins_today) {
        return true;
    }
    let (evening, spans) = day_of(rules, calendar, local.date().pred_opt().unwrap());
    let goes_on = match (evening, today) {
        (Day::Special(before), Day::Special(own)) => before == own,
        (Day::Special(_), _) | (_, Day::Weekday(_)) => true,
        _ => false,
    };
    let reaches = |span: &DaySpan| {
        span.until.minutes() <= span.from.minutes() && of_day < span.until.minutes()
    };
    goes_on && spans.iter().any(reaches)
}

/// The minutes of the window that lie in some shortest booking of the grid that keeps every rule.
fn free_minutes(table: &Timetable<'_>) -> Vec<bool> {
    let rules = table.rules;
    let until = DAYS * 1440;
    let is_closed = |minute: &Slot| table.closures.iter().any(|closure| closure.hits(minute));
    let good: Vec<bool> = (0..until)
        .map(|minute| is_open(rules, table.calendar, at(minute)) && !is_closed(&slot(minute, 1)))
        .collect();
    let mut free = vec![false; good.len()];
    let (grid, length) = (rules.slot_minutes.number(), rules.min_minutes.number());
    for day in 0..DAYS {
        for from in (day * 1440..(day + 1) * 1440).step_by(usize::try_from(grid).unwrap()) {
            let minutes = usize::try_from(from).unwrap()..usize::try_from(from + length).unwrap();
            let fits = from + length <= until && good[minutes.clone()].iter().all(|good| *good);
            let blocked = slot(
                from - rules.setup_minutes.number(),
                length + rules.setup_minutes.number() + rules.cleanup_minutes.number(),
            );
            if fits && !table.blocked.iter().any(|taken| taken.overlaps(&blocked)) {
                free[minutes].iter_mut().for_each(|minute| *minute = true);
            }
        }
    }
    free
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_is_free_agrees_with_every_minute(
        rules in some_rules(),
        taken in proptest::collection::vec((0i64..DAYS * 1440, 1i64..900), 0..6),
        closed_at in proptest::collection::vec((0i64..DAYS * 1440, 1i64..2000), 0..2),
    ) {
        let calendar = china();
        let blocked: Vec<Slot> = taken.into_iter().map(|(from, length)| slot(from, length)).collect();
        let closures: Vec<Closure> = closed_at.into_iter().map(|(from, length)| closed(slot(from, length))).collect();
        let table = Timetable {
            now: at(-60),
            ..timetable(&rules, &calendar, &closures, &blocked)
        };
        let spans = table.free_spans(&slot(0, DAYS * 1440));
        for (minute, is_free) in free_minutes(&table).into_iter().enumerate() {
            let minute = i64::try_from(minute).unwrap();
            let told = spans.touching(&slot(minute, 1)).next().is_some();
            prop_assert_eq!(told, is_free, "{} by {:?}", at(minute), rules);
        }
    }
}
