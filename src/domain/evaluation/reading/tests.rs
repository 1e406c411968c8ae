//! Every format in which inputs were ever stored is read; what is no line is refused with its number.

use super::super::sample::{Rows, cell, instrument, unit};
use super::*;
use crate::domain::calendar::DayKind;
use crate::domain::ratio;
use crate::domain::review::Satisfaction;
use proptest::prelude::*;

fn inputs(asset_no: &str) -> Inputs {
    let mut rows = Rows::of(1);
    rows.using_units.truncate(1);
    rows.units[0]
        .expert_scores
        .insert("A4".to_owned(), ratio::parse("3.14286").unwrap());
    rows.units[0].answers.insert(Satisfaction::Neutral, 2);
    let mut renamed = instrument(11);
    renamed.asset_no = asset_no.to_owned();
    rows.add(1, renamed, &[cell(901, 60, 100)]);
    let new_year = ("2025-01-01".parse().unwrap(), DayKind::Holiday);
    rows.assemble().unwrap().with_days([new_year].into())
}

/// Every format in which inputs were ever stored. These files never change.
const GOLDEN: [(Format, &str); 2] = [
    (
        Format::Positional,
        include_str!("../../../../tests/golden/frozen_inputs.v1.txt"),
    ),
    (
        Format::Keyed,
        include_str!("../../../../tests/golden/frozen_inputs.v2.txt"),
    ),
];

#[test]
fn lines_are_what_digests_were_made_of() {
    for (format, stored) in GOLDEN {
        let inputs = inputs("A 1").in_format(format);
        assert_eq!(inputs.lines(), stored.lines().collect::<Vec<_>>());
        let joined = crate::domain::policy::digest(&inputs.lines().join("\n"));
        assert_eq!(inputs.digest(), joined);
        assert_eq!(Inputs::from_lines(stored.lines()), Ok(inputs));
    }
}

#[test]
fn what_is_no_line_is_refused_with_its_number() {
    for bad in [
        "",
        "year\t2025",
        "unit\t2",
        "user\t902\tC902\t130102\tmore",
        "cell\t11\t901\texternal\tautomatic\ttrue\t60\t1\t0\t100\t0",
        "expert\t1\tA\\4\t35000",
        "expert\t1\tA4\t1/0",
        "day\t2025-02-30\tholiday",
        "thing\t1",
        "inputs\tversion=2\tyear=2025",
    ] {
        let mut lines = inputs("A1").in_format(Format::Positional).lines();
        lines.insert(1, bad.to_owned());
        let read = Inputs::from_lines(lines);
        assert_eq!(read, Err(LineMistake::Unreadable(2)), "{bad:?}");
    }
    for bad in [
        "inputs\tversion=2\tyear=2025",
        "year\t2025",
        "user\torganization_id=902\tuscc=C902",
        "user\torganization_id=902\tuscc=C902\tregion_code=130102\tmore=1",
        "user\t902\tC902\t130102",
    ] {
        let mut lines = inputs("A1").lines();
        lines.insert(1, bad.to_owned());
        let read = Inputs::from_lines(lines);
        assert_eq!(read, Err(LineMistake::Unreadable(2)), "{bad:?}");
    }
    let later = ["inputs\tversion=3\tyear=2025"];
    assert_eq!(Inputs::from_lines(later), Err(LineMistake::Unreadable(1)));
    assert!(Inputs::from_lines(["unit"; 0]).is_err());
    let stray = "expert\torganization_id=7\tscore=A4\tpoints=1".to_owned();
    let lines = inputs("A1").lines().into_iter().chain([stray]);
    assert!(matches!(
        Inputs::from_lines(lines),
        Err(LineMistake::Inputs(_))
    ));
}

#[test]
fn keys_stand_in_any_order() {
    let turned = |line: &str| {
        let mut words: Vec<&str> = line.split('\t').collect();
        words[1..].reverse();
        words.join("\t")
    };
    let inputs = inputs("A1");
    let lines: Vec<String> = inputs.lines().iter().map(|line| turned(line)).collect();
    assert_eq!(Inputs::from_lines(lines), Ok(inputs));
}

/// What is stored is the lines, whole and in their order, and what is written beside it is their digest.
#[test]
fn blocks_hold_whole_lines() {
    for instruments in [0, 1, 990, 1_500, 2_300] {
        let mut rows = Rows::of(1);
        for id in 0..instruments {
            rows.add(1, instrument(1_000 + id), &[]);
        }
        let inputs = rows.assemble().unwrap();
        let (text, lines) = (inputs.text(), inputs.lines());
        assert_eq!(text.blocks.join("\n"), lines.join("\n"));
        assert_eq!(text.blocks.len(), lines.len().div_ceil(1_000));
        let joined = crate::domain::policy::digest(&text.blocks.join("\n"));
        assert_eq!(text.digest, joined);
        assert_eq!(inputs.digest(), joined);
        let (read, whole) = (Inputs::from_lines(&text.blocks), text.blocks.join("\n"));
        assert_eq!(read.as_ref(), Ok(&inputs));
        assert_eq!(Inputs::from_lines([whole]), read);
    }
}

proptest! {
    #[test]
    fn reading_what_was_written_gives_the_same(asset_no in "[a-z\\\\\t\n\r 仪\"]{0,8}", units in 1i64..4,
        cells in proptest::collection::vec((901i64..909, 0i64..1000, 0i64..1000), 0..20)) {
        let mut rows = Rows::of(units);
        rows.units.push(unit(77));
        let mut named = instrument(11);
        named.asset_no = asset_no;
        let cells: Vec<UsageGroup> = cells.into_iter().map(|(user, minutes, fen)| cell(user, minutes, fen)).collect();
        rows.add(1, named, &cells);
        let inputs = rows.assemble().unwrap();
        let lines = inputs.lines();
        prop_assert!(lines.iter().all(|line| !line.contains('\n')));
        let read = Inputs::from_lines(&lines).unwrap();
        prop_assert_eq!(read.digest(), inputs.digest());
        prop_assert_eq!(read, inputs);
    }
}
