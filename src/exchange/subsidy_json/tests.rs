//! A whole year of a small province, from its CSV files to the printed run, against figures that an independent program
//! computed.

use super::*;
use crate::domain::Fen;
use crate::domain::evaluation::{GradesGiven, Inputs, grade, sample};
use crate::domain::policy::Grade;
use crate::domain::policy::Policy;
use crate::domain::subsidy::{Budgets, factor_printed, pay};
use crate::exchange::facts::{self, Facts, Question};
use crate::exchange::seed;
use crate::operations::policy_pack;
use std::io::Read;
use std::path::PathBuf;

fn path(file: &str) -> PathBuf {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds");
    seeds.join(file)
}

/// The province as the freeze would see it.
fn province(policy: &Policy) -> Facts {
    let (holidays, _) =
        seed::holidays(std::fs::File::open(path("public_holidays.csv")).unwrap()).unwrap();
    let question = Question {
        policy,
        of: policy.year.of(2025, None).unwrap(),
        days: holidays
            .into_iter()
            .map(|day| (day.holiday_on, day.kind))
            .collect(),
    };
    let open = |file: facts::FactsFile| {
        let path = path("province-2025").join(file.as_str());
        if !path.exists() {
            return Ok(None);
        }
        let file: Box<dyn Read> = Box::new(std::fs::File::open(path)?);
        Ok(Some(file))
    };
    facts::read(&open, &question).unwrap()
}

fn expected() -> String {
    std::fs::read_to_string(path("province-2025/expected.json")).unwrap()
}

#[test]
fn the_year_of_the_province_comes_out_to_the_fen() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let province = province(&policy);
    let inputs = province.inputs;
    let evaluation = grade(&inputs, &policy);
    let budgets = Budgets::from([(None, Fen::new(30_000_000))]);
    let payout = pay(&budgets, &evaluation.grades(), &inputs, &policy).unwrap();
    let called = Called {
        uscc: &province.uscc,
        names: &province.names,
    };
    let of = (2025, None);
    let trial = trial::print(
        of,
        &policy,
        BTreeMap::new(),
        &evaluation,
        Some(&payout),
        called,
    );
    let run = print(trial, &payout).unwrap();
    let [pool] = run.pools.as_slice() else {
        panic!("{:?}", run.pools)
    };
    assert_eq!(pool.awarded_fen, run.awarded_fen);
    assert_eq!(run.awards.len(), 1);
    // What other programs compare is the document without what stands beside it.
    let run = PrintedRun {
        pools: Vec::new(),
        awards: Vec::new(),
        ..run
    };
    let expected_run: PrintedRun = serde_json::from_str(&expected()).unwrap();
    for (unit, expected) in run.units.iter().zip(&expected_run.units) {
        assert_eq!(unit, expected, "{}", unit.uscc);
    }
    assert_eq!(run, expected_run);
}

#[test]
fn frozen_inputs_of_the_province_survive_their_lines() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let inputs = province(&policy).inputs;
    let read = Inputs::from_lines(inputs.lines()).unwrap();
    assert_eq!(read.digest(), inputs.digest());
    assert_eq!(read, inputs);
}

#[test]
fn the_default_pack_pays_an_excellent_unit_the_whole_of_a_small_budget() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let mut rows = sample::Rows::of(2);
    for (at, (unit, yuan)) in [(1, 400_000), (1, 180_000), (1, 3_000), (2, 6_000)]
        .into_iter()
        .enumerate()
    {
        let instrument = sample::instrument(i64::try_from(at).unwrap() + 1);
        rows.add(unit, instrument, &[sample::cell(901, 60, yuan * 100)]);
    }
    let inputs = rows.assemble().unwrap();
    let grades = GradesGiven {
        units: BTreeMap::from([
            (sample::organization(1), Grade::Excellent),
            (sample::organization(2), Grade::Good),
        ]),
        ..GradesGiven::default()
    };
    let paid = |fen| {
        let budgets = Budgets::from([(None, Fen::new(fen))]);
        pay(&budgets, &grades, &inputs, &policy).unwrap()
    };
    let payout = paid(5_000_000);
    let pool = &payout.pools[0];
    assert_eq!(factor_printed(pool.factor.as_ref().unwrap()), "250/433");
    assert_eq!(ratio::exact(&pool.sum_before_pool), "8660000");
    let awards = payout.awards[0].units.iter();
    let awards: Vec<i64> = awards.map(|unit| unit.award.number()).collect();
    assert_eq!(awards, [5_000_000, 0]);

    let enough = paid(8_660_000);
    assert_eq!(
        factor_printed(enough.pools[0].factor.as_ref().unwrap()),
        "1/1"
    );
    assert_eq!(enough.pools[0].unspent, Fen::ZERO);
}
