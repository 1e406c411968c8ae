//! Cases from the field, and the exact claim about the peak.

use super::*;
use crate::domain::spans::tests::minutes;
use proptest::prelude::*;

fn id(number: usize) -> BookingId {
    i64::try_from(number + 1).unwrap().try_into().unwrap()
}

/// Bookings, each with its channel, numbered from 1.
fn booked(rows: &[(i64, i64, i64)]) -> Vec<Movable> {
    let row = |(at, (from, until, channel)): (usize, &(i64, i64, i64))| Movable {
        id: id(at),
        blocked: minutes(*from, *until),
        channel: *channel,
    };
    rows.iter().enumerate().map(row).collect()
}

/// The number of intervals that run at some moment within `window`, counted at the window's start and at every start in it.
fn peak(slots: &[Slot], window: Slot) -> usize {
    let starts = slots
        .iter()
        .map(Slot::starts_at)
        .chain([window.starts_at()]);
    let within = starts.filter(|at| window.starts_at() <= *at && *at < window.ends_at());
    let running = |at| {
        slots
            .iter()
            .filter(|s| s.starts_at() <= at && at < s.ends_at())
            .count()
    };
    within.map(running).max().unwrap_or(0)
}

#[test]
fn one_channel_is_free_only_where_nothing_overlaps() {
    for (existing, new, free) in [
        ((600, 660), (660, 720), true),
        ((600, 660), (540, 600), true),
        ((600, 660), (659, 720), false),
        ((600, 660), (610, 620), false),
        ((4, 8), (4, 6), false),
        ((5, 8), (4, 6), false),
        ((6, 8), (4, 6), true),
        ((2, 4), (4, 6), true),
    ] {
        let taken = booked(&[(existing.0, existing.1, 1)]);
        let answer = assign(1, &[], &taken, minutes(new.0, new.1));
        let expected = Full {
            clash: minutes(existing.0, existing.1),
        };
        let none = Assignment {
            channel: 1,
            moves: vec![],
        };
        assert_eq!(
            answer,
            if free { Ok(none) } else { Err(expected) },
            "{existing:?} {new:?}"
        );
    }
}

#[test]
fn the_peak_counts_and_not_the_number_of_overlapping_rows() {
    let crowd = booked(&[(540, 630, 1), (540, 570, 2), (540, 570, 3)]);
    let clash = minutes(540, 570);
    assert_eq!(
        assign(3, &[], &crowd, minutes(540, 570)),
        Err(Full { clash })
    );
    let spread = booked(&[(810, 870, 1), (810, 900, 2), (840, 960, 3), (900, 930, 1)]);
    assert!(assign(3, &[], &spread, minutes(870, 960)).is_ok());
}

#[test]
fn what_follows_one_another_takes_one_channel_only() {
    let week = booked(&[(0, 100, 1), (100, 200, 2), (200, 300, 1), (300, 400, 2)]);
    assert!(assign(2, &[], &week, minutes(0, 400)).is_ok());
    assert!(assign(1, &[], &week, minutes(50, 60)).is_err());
}

#[test]
fn nobody_moves_when_a_channel_is_free() {
    let taken = booked(&[(600, 660, 2), (660, 720, 1)]);
    let answer = assign(3, &[], &taken, minutes(630, 690)).unwrap();
    assert_eq!(
        answer,
        Assignment {
            channel: 3,
            moves: vec![]
        }
    );
}

#[test]
fn bookings_move_together_to_make_room() {
    // Two channels, each busy for one half; the new one needs a whole channel.
    let taken = booked(&[(600, 660, 1), (660, 720, 2), (900, 960, 2)]);
    let answer = assign(2, &[], &taken, minutes(600, 720)).unwrap();
    assert_eq!(
        answer,
        Assignment {
            channel: 2,
            moves: vec![(id(1), 1)]
        }
    );
}

#[test]
fn what_has_begun_stays_where_it_is() {
    let running = [Fixed {
        blocked: minutes(590, 660),
        channel: 2,
    }];
    let waiting = booked(&[(660, 720, 1)]);
    let answer = assign(2, &running, &waiting, minutes(600, 720)).unwrap();
    assert_eq!(
        answer,
        Assignment {
            channel: 1,
            moves: vec![(id(0), 2)]
        }
    );
    // Nothing can be moved here, although only one of two runs at any time: the set-up would lie in the past.
    let past = [
        Fixed {
            blocked: minutes(540, 600),
            channel: 1,
        },
        Fixed {
            blocked: minutes(600, 660),
            channel: 2,
        },
    ];
    let clash = minutes(570, 600);
    assert_eq!(
        assign(2, &past, &[], minutes(570, 700)),
        Err(Full { clash })
    );
}

#[test]
fn fewer_channels_than_before_still_count_everybody() {
    let taken = booked(&[(600, 660, 3)]);
    assert!(assign(1, &[], &taken, minutes(600, 660)).is_err());
    assert_eq!(
        assign(2, &[], &taken, minutes(600, 660)).unwrap().channel,
        1
    );
}

/// Fixed intervals that cover "now" (minute 0) or ended before, and movable ones after it, all placed without overlap.
fn world() -> impl Strategy<Value = (i64, Vec<Fixed>, Vec<Movable>, Slot)> {
    let fixed = proptest::collection::vec((-60i64..=0, 1i64..90), 0..4);
    let later = proptest::collection::vec((1i64..120, 1i64..60), 0..16);
    (1i64..5, fixed, later, (1i64..120, 1i64..80)).prop_map(|(channels, fixed, later, new)| {
        let mut taken: Vec<Fixed> = Vec::new();
        let mut place = |(from, length): (i64, i64)| {
            let blocked = minutes(from, from + length);
            // The highest free channel, so that the arrangement is not already the tidy one.
            let clashes = |channel: i64| {
                taken
                    .iter()
                    .any(|t| t.channel == channel && t.blocked.overlaps(&blocked))
            };
            let channel = (1..=channels).rev().find(|channel| !clashes(*channel))?;
            taken.push(Fixed { blocked, channel });
            Some(Fixed { blocked, channel })
        };
        let fixed: Vec<Fixed> = fixed.into_iter().filter_map(&mut place).collect();
        let later: Vec<Fixed> = later.into_iter().filter_map(&mut place).collect();
        let movable = later.iter().enumerate();
        let movable = movable.map(|(at, f)| Movable {
            id: id(at),
            blocked: f.blocked,
            channel: f.channel,
        });
        (
            channels,
            fixed,
            movable.collect(),
            minutes(new.0, new.0 + new.1),
        )
    })
}

proptest! {
    #[test]
    fn it_succeeds_exactly_when_the_peak_is_within_the_channels((channels, fixed, movable, new) in world()) {
        let mut slots: Vec<Slot> = fixed.iter().map(|f| f.blocked).collect();
        slots.extend(movable.iter().map(|m| m.blocked));
        let others = i64::try_from(peak(&slots, new)).unwrap();
        match assign(channels, &fixed, &movable, new) {
            Ok(Assignment { channel, moves }) => {
                prop_assert!(others < channels);
                let mut placed = fixed.clone();
                placed.push(Fixed { blocked: new, channel });
                for booking in &movable {
                    let moved = moves.iter().find(|(id, _)| *id == booking.id).map(|(_, to)| *to);
                    prop_assert_ne!(moved, Some(booking.channel));
                    placed.push(Fixed { blocked: booking.blocked, channel: moved.unwrap_or(booking.channel) });
                }
                for (at, one) in placed.iter().enumerate() {
                    prop_assert!((1..=channels).contains(&one.channel));
                    let clash = placed[..at].iter().any(|o| o.channel == one.channel && o.blocked.overlaps(&one.blocked));
                    prop_assert!(!clash);
                }
            }
            Err(Full { clash }) => {
                prop_assert!(others >= channels);
                prop_assert!(clash.overlaps(&new));
                prop_assert!(i64::try_from(peak(&slots, clash)).unwrap() >= channels);
            }
        }
    }

    #[test]
    fn full_spans_are_the_moments_at_the_peak(rows in proptest::collection::vec((0i64..50, 1i64..30), 0..12), channels in 1i64..4) {
        let slots: Vec<Slot> = rows.iter().map(|(from, length)| minutes(*from, from + length)).collect();
        let full = full_spans(channels, &slots);
        for minute in 0..90 {
            let moment = minutes(minute, minute + 1);
            let at_peak = i64::try_from(peak(&slots, moment)).unwrap() >= channels;
            prop_assert_eq!(full.iter().any(|span| span.contains(&moment)), at_peak);
        }
    }
}
