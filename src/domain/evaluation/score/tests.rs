//! Indicators against figures worked out by hand, and the yearly mean against another way of summing.

use super::super::sample::{Rows, YEAR, cell, instrument, policy, unit};
use super::*;
use crate::domain::Fen;
use crate::domain::evaluation::Inputs;
use crate::domain::evaluation::{Relation, UsageGroup};
use crate::domain::instrument::PurposeType;
use crate::domain::policy::{
    Customers, HostCount, RatedHours, RecordFilter, Stock, Tally, WeakEvidence,
};
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use num_bigint::BigInt;

fn filter(customers: Customers) -> RecordFilter {
    RecordFilter::of(customers)
}

fn external() -> RecordFilter {
    RecordFilter {
        drop_weak_evidence: Some(WeakEvidence {
            classes: vec![Evidence::Manual],
            value_fen_from: Fen::new(50_000_000),
        }),
        ..RecordFilter::of(Customers::External)
    }
}

fn score(max: &str, full_at: &str, value: Value, when_empty: &str) -> Score {
    let max = ratio::parse(max).unwrap();
    Score {
        id: "X1".to_owned(),
        name: None,
        shape: Shape::Linear {
            full_at: ratio::parse(full_at).unwrap(),
            max: max.clone(),
        },
        max,
        value,
        points_when_empty: ratio::parse(when_empty).unwrap(),
    }
}

fn rated_mean() -> Score {
    let value = Value::MeanOfRatios {
        of: Measure::Records(Tally::EffectiveMinutes, filter(Customers::All)),
        to: Measure::RatedMinutes(RatedHours {
            general: 1_400,
            special: 800,
        }),
        each_at_most: Some(ratio::whole(1)),
    };
    score("20", "1", value, "0")
}

/// The exact points of every unit.
fn points(score: &Score, rows: Rows) -> Vec<String> {
    let (inputs, policy) = (rows.assemble().unwrap(), policy());
    let judge = Judge::new(&inputs, &policy);
    let units: Vec<&Host> = judge.evaluated().collect();
    let results = score_units(score, &judge, &units);
    results.iter().map(|r| ratio::exact(&r.points)).collect()
}

fn points_of_one(score: &Score, cells: &[UsageGroup]) -> String {
    let mut rows = Rows::of(1);
    rows.add(1, instrument(11), cells);
    points(score, rows).remove(0)
}

fn of_class(cell: UsageGroup, relation: Relation, evidence: Evidence) -> UsageGroup {
    let mut cell = cell;
    cell.key.relation = relation;
    cell.key.evidence = evidence;
    cell
}

#[test]
fn share_rate_over_ten_percent_is_worth_at_most_ten() {
    let value = Value::RatioOfSums {
        of: Measure::Records(Tally::EffectiveMinutes, external()),
        to: Measure::Records(Tally::EffectiveMinutes, filter(Customers::All)),
    };
    let score = score("10", "0.10", value, "0");
    for (minutes_external, expected) in [(100, "10"), (50, "5"), (200, "10"), (0, "0")] {
        let own = cell(902, 1_000 - minutes_external, 0);
        let own = of_class(own, Relation::Host, Evidence::Automatic);
        let cells = [cell(901, minutes_external, 0), own];
        assert_eq!(
            points_of_one(&score, &cells),
            expected,
            "{minutes_external}"
        );
    }
    assert_eq!(points_of_one(&score, &[]), "0");
}

#[test]
fn related_and_weakly_proved_minutes_are_effective_but_not_external() {
    let value = Value::RatioOfSums {
        of: Measure::Records(Tally::EffectiveMinutes, external()),
        to: Measure::Records(Tally::EffectiveMinutes, filter(Customers::All)),
    };
    let score = score("1", "1", value, "0");
    let related = of_class(cell(902, 50, 0), Relation::Related, Evidence::Automatic);
    let manual = of_class(cell(903, 50, 0), Relation::External, Evidence::Manual);
    for (value_fen, expected) in [(49_999_999, "2/3"), (50_000_000, "1/3")] {
        let mut rows = Rows::of(1);
        let mut valued = instrument(11);
        valued.original_value_fen = Fen::new(value_fen);
        rows.add(
            1,
            valued,
            &[cell(901, 50, 0), related.clone(), manual.clone()],
        );
        assert_eq!(points(&score, rows), [expected], "{value_fen}");
    }
}

#[test]
fn the_yearly_mean_caps_each_instrument_and_leaves_out_those_without_rated_minutes() {
    let mut rows = Rows::of(1);
    rows.add(1, instrument(11), &[cell(901, 200_000, 0)]);
    let mut special = instrument(12);
    special.purpose_type = PurposeType::Special;
    rows.add(1, special, &[cell(901, 24_000, 0)]);
    let mut retired = instrument(13);
    retired.days_in_service = 0;
    rows.add(1, retired, &[cell(901, 5_000, 0)]);
    let mut uncounted = instrument(14);
    uncounted.flags.listed = false;
    rows.add(1, uncounted, &[cell(901, 5_000, 0)]);
    // (1 + 24,000 ÷ 48,000) ÷ 2 × 20
    assert_eq!(points(&rated_mean(), rows), ["15"]);

    let mut rows = Rows::of(1);
    let mut last_day = instrument(11);
    last_day.days_in_service = 1;
    rows.add(1, last_day, &[cell(901, 115, 0)]);
    // 1,400 h × 60 ÷ 365 = 230.1… minutes, rounded down
    assert_eq!(points(&rated_mean(), rows), ["10"]);
}

#[test]
fn four_hundred_instruments_enabled_on_365_days_have_an_exact_mean() {
    let mut rows = Rows::of(1);
    let mut parts: Vec<(BigInt, BigInt)> = Vec::new();
    for number in 0..400_i64 {
        let mut enabled = instrument(1_000 + number);
        enabled.days_in_service = number % 365 + 1;
        let rated = 84_000 * enabled.days_in_service / 365;
        let minutes = (number * 7_919 + 13) % 90_000;
        rows.add(1, enabled, &[cell(901, minutes, 0)]);
        parts.push((BigInt::from(minutes.min(rated)), BigInt::from(rated)));
    }
    let (inputs, policy) = (rows.assemble().unwrap(), policy());
    let judge = Judge::new(&inputs, &policy);
    let units: Vec<&Host> = judge.evaluated().collect();
    let started = std::time::Instant::now();
    let result = score_units(&rated_mean(), &judge, &units).remove(0);
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    assert_eq!(result.denominator, ratio::whole(400));

    // Another way: one common multiple of all rated minutes, integers only.
    let common = parts.iter().fold(BigInt::from(1), |common, (_, rated)| {
        let (mut a, mut b) = (common.clone(), rated.clone());
        while !b.is_zero() {
            (a, b) = (b.clone(), a % b);
        }
        common * rated / a
    });
    let shares = parts
        .iter()
        .map(|(minutes, rated)| minutes * (&common / rated));
    let sum: BigInt = shares.sum();
    assert_eq!(
        result.points.numer() * &common * 400,
        sum * 20 * result.points.denom()
    );
    assert!(result.points.denom().bits() > 1_000);
}

#[test]
fn a_rank_is_the_share_of_peers_strictly_below() {
    let score = score(
        "8",
        "1",
        Value::Rank {
            of: Measure::Records(Tally::UsingUnits, external()),
            within: Peers::Kind,
        },
        "8",
    );
    let mut rows = Rows::of(5);
    rows.units[4].kind = OrganizationKind::Hospital;
    let served: [&[i64]; 5] = [&[901, 902], &[901], &[902], &[], &[]];
    for (at, users) in served.iter().enumerate() {
        let number = i64::try_from(at).unwrap() + 1;
        let mut cells: Vec<UsageGroup> = users.iter().map(|user| cell(*user, 0, 0)).collect();
        // Income without a record of the year, and the unit's own use: nobody was served.
        cells.push(cell(908, 0, 100));
        cells.last_mut().unwrap().service.records = 0;
        cells.push(of_class(
            cell(909, 5, 0),
            Relation::Host,
            Evidence::Automatic,
        ));
        rows.add(number, instrument(10 + number), &cells);
    }
    // A unit without counted instruments is nobody's peer.
    rows.units.push(unit(6));
    assert_eq!(points(&score, rows), ["8", "8/3", "8/3", "0", "8"]);
}

#[test]
fn one_customer_of_two_instruments_is_one_customer() {
    let score = score(
        "8",
        "1",
        Value::Rank {
            of: Measure::Records(Tally::UsingUnits, external()),
            within: Peers::Kind,
        },
        "8",
    );
    let mut rows = Rows::of(2);
    rows.add(1, instrument(11), &[cell(901, 1, 0)]);
    rows.add(1, instrument(12), &[cell(901, 1, 0)]);
    rows.add(2, instrument(13), &[cell(902, 1, 0)]);
    assert_eq!(points(&score, rows), ["0", "0"]);
}

#[test]
fn satisfaction_needs_enough_answers() {
    let levels = [100, 80, 60, 30, 0];
    let levels = Satisfaction::ALL.iter().zip(levels);
    let points_of = levels.map(|(level, points)| (*level, ratio::whole(points)));
    let value = Value::MeanAnswer {
        points: SatisfactionPoints::new(points_of.collect()),
        at_least: 5,
    };
    let score = score("8", "100", value, "4.8");
    for (very_satisfied, dissatisfied, expected) in [(4, 0, "24/5"), (5, 0, "8"), (3, 2, "144/25")]
    {
        let mut rows = Rows::of(1);
        let answers = &mut rows.units[0].answers;
        answers.insert(Satisfaction::VerySatisfied, very_satisfied);
        answers.insert(Satisfaction::Dissatisfied, dissatisfied);
        rows.add(1, instrument(11), &[]);
        assert_eq!(points(&score, rows), [expected]);
    }
}

#[test]
fn stocks_and_counts_are_those_of_counted_instruments() {
    let stock = |stock| Measure::Instruments(stock);
    let ratio_of = |of, to| score("6", "1", Value::RatioOfSums { of, to }, "6");
    let open = ratio_of(stock(Stock::ExternallyShared), stock(Stock::ShouldBeOpen));
    let complete = ratio_of(stock(Stock::Complete), stock(Stock::Counted));
    let used = Measure::Records(Tally::Instruments, filter(Customers::All));
    let used = ratio_of(used, stock(Stock::Counted));
    let on_time = Measure::Count(HostCount::RegistrationsOnTime);
    let on_time = ratio_of(on_time, Measure::Count(HostCount::RegistrationsDue));

    let mut rows = Rows::of(1);
    rows.add(1, instrument(11), &[cell(901, 1, 0)]);
    let mut internal = instrument(12);
    internal.flags.externally_shared = false;
    internal.flags.complete = false;
    // A record of no minutes is no use.
    rows.add(1, internal, &[cell(901, 0, 5)]);
    let mut exempted = instrument(13);
    exempted.flags.exempted = true;
    rows.add(1, exempted, &[]);
    let mut uncounted = instrument(14);
    uncounted.flags.listed = false;
    rows.add(1, uncounted, &[cell(901, 1, 0)]);
    for (score, expected) in [
        (&open, "3"),
        (&complete, "4"),
        (&used, "2"),
        (&on_time, "6"),
    ] {
        assert_eq!(points(score, rows.clone()), [expected]);
    }
    rows.units[0].counts.registrations_due = 3;
    rows.units[0].counts.registrations_on_time = 1;
    assert_eq!(points(&on_time, rows), ["2"]);
}

#[test]
fn experts_give_points_up_to_the_maximum() {
    let score = score("4", "4", Value::Expert, "0");
    for (given, expected) in [
        (Some("3.5"), "7/2"),
        (Some("3.14286"), "157143/50000"),
        (Some("5"), "4"),
        (None, "0"),
    ] {
        let mut rows = Rows::of(1);
        let given = given.map(|points| ("X1".to_owned(), ratio::parse(points).unwrap()));
        rows.units[0].expert_scores.extend(given);
        rows.add(1, instrument(11), &[]);
        assert_eq!(points(&score, rows), [expected]);
    }
}

#[test]
fn a_leap_year_has_a_day_more() {
    let leap = Rows {
        units: vec![unit(1)],
        using_units: vec![super::super::sample::using_unit(901)],
        ..Rows::default()
    };
    let mut halved = instrument(11);
    halved.days_in_service = 183;
    let cells = vec![(halved.id, cell(901, 21_000, 0))];
    let instruments = vec![(super::super::sample::organization(1), halved)];
    let inputs = Inputs::assemble(YEAR - 1, leap.units, instruments, leap.using_units, cells);
    let inputs = inputs.unwrap();
    let policy = policy();
    let judge = Judge::new(&inputs, &policy);
    let units: Vec<&Host> = judge.evaluated().collect();
    let result = score_units(&rated_mean(), &judge, &units).remove(0);
    // 84,000 × 183 ÷ 366 = 42,000
    assert_eq!(result.points, ratio::whole(10));
    let explained = result.explain();
    assert_eq!(explained.ratio.as_deref(), Some("1/2"));
    assert_eq!(explained.points_printed, "10.0000");
}
