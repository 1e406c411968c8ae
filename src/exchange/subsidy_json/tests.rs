//! A whole year of a small province, from its CSV files to the printed run, against figures that an independent program
//! computed.

use super::*;
use crate::domain::Fen;
use crate::domain::evaluation::{GradesGiven, Inputs, grade, sample};
use crate::domain::policy::Grade;
use crate::domain::subsidy::allocate;
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
    let budget = Fen::new(30_000_000);
    let allocation = allocate(budget, &evaluation.grades(), &inputs, &policy).unwrap();
    let run = print(2025, &policy, &evaluation, &allocation, &province.names).unwrap();
    let expected_run: PrintedRun = serde_json::from_str(&expected()).unwrap();
    for (unit, expected) in run.units.iter().zip(&expected_run.units) {
        assert_eq!(unit, expected, "{}", unit.uscc);
    }
    assert_eq!(run, expected_run);
    assert_eq!(run.to_text().unwrap(), expected().trim_end());
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
    let budget = Fen::new(5_000_000);
    let allocation = allocate(budget, &grades, &inputs, &policy).unwrap();
    assert_eq!(allocation.factor_printed(), "250/433");
    assert_eq!(ratio::exact(&allocation.sum_before_pool), "8660000");
    let awards: Vec<i64> = allocation.units.iter().map(|u| u.award.number()).collect();
    assert_eq!(awards, [5_000_000, 0]);

    let enough = allocate(Fen::new(8_660_000), &grades, &inputs, &policy).unwrap();
    assert_eq!(enough.factor_printed(), "1/1");
    assert_eq!(enough.unspent, Fen::ZERO);
}

#[test]
fn a_run_without_a_name_for_a_unit_is_not_printed() {
    let policy = policy_pack::read(policy_pack::HEBEI_2026).unwrap();
    let mut rows = sample::Rows::of(1);
    rows.add(1, sample::instrument(1), &[]);
    let inputs = rows.assemble().unwrap();
    let evaluation = grade(&inputs, &policy);
    let allocation = allocate(Fen::ZERO, &evaluation.grades(), &inputs, &policy).unwrap();
    let print = |evaluation: &Evaluation, names: &BTreeMap<OrganizationId, String>| {
        print(2025, &policy, evaluation, &allocation, names)
    };
    let id = sample::organization(1);
    assert_eq!(
        print(&evaluation, &BTreeMap::new()),
        Err(Unprintable::NoName(id))
    );
    let names = BTreeMap::from([(id, "甲".to_owned())]);
    assert!(print(&evaluation, &names).is_ok());
    let nobody = Evaluation { units: Vec::new() };
    assert_eq!(print(&nobody, &names), Err(Unprintable::NoEvaluation(id)));
}
