//! Every step of every kind is said in both languages.

use super::super::*;
use super::default_award;
use crate::domain::policy::Grade;

fn said(name: StepName, operands: &[(&str, &str)], before: &str, after: &str) -> (String, String) {
    let operands = operands.iter();
    let operands = operands.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let fen = |text: &str| ratio::parse_exact(text).unwrap();
    let said = step_sentence(name, &operands.collect(), &fen(before), &fen(after));
    (said.zh, said.en)
}

#[test]
fn every_step_is_a_sentence() {
    let rate = [("rate", "1/5"), ("grade", "good"), ("coefficient", "4/5")];
    let pool = [
        ("budget_fen", "5000000"),
        ("sum_before_pool_fen", "8660000"),
        ("factor", "250/433"),
    ];
    for (name, operands, before, after, en) in [
        (
            StepName::Base,
            &[][..],
            "500000",
            "300000",
            "of 5000.00 yuan of income 3000.00 are in the base",
        ),
        (
            StepName::Base,
            &[][..],
            "300000",
            "300000",
            "3000.00 yuan are in the base",
        ),
        (
            StepName::Rate,
            &rate[..],
            "300000",
            "48000",
            "3000.00 yuan × rate 0.2 × 0.8 for good = 480.00 yuan",
        ),
        (
            StepName::Rate,
            &rate[..1],
            "300000",
            "60000",
            "3000.00 yuan × rate 0.2 = 600.00 yuan",
        ),
        (
            StepName::Brackets,
            &[][..],
            "0",
            "2000000",
            "by its bracket 20000.00 yuan",
        ),
        (
            StepName::Cap,
            &[("max_fen", "5000000")][..],
            "8000000",
            "5000000",
            "80000.00 yuan are over the cap of 50000.00: 50000.00 yuan",
        ),
        (
            StepName::Cap,
            &[("max_fen", "5000000")][..],
            "4",
            "4",
            "within the cap of 50000.00: 0.04 yuan",
        ),
        (
            StepName::Sum,
            &[("instruments", "3")][..],
            "700",
            "700",
            "3 instruments together: 7.00 yuan",
        ),
        (
            StepName::Sum,
            &[("services", "9")][..],
            "700",
            "700",
            "9 services together: 7.00 yuan",
        ),
        (
            StepName::DropBelow,
            &[("min_fen", "100000")][..],
            "96000",
            "0",
            "960.00 yuan are below 1000.00: nothing is paid",
        ),
        (
            StepName::DropBelow,
            &[("min_fen", "100000")][..],
            "100000",
            "100000",
            "nothing below 1000.00 is paid: 1000.00 yuan",
        ),
        (
            StepName::Pool,
            &pool[..],
            "8660000",
            "5000000",
            "budget 50000.00 yuan, all together 86600.00 yuan, factor 0.5774: 50000.00 of 86600.00 yuan",
        ),
        (
            StepName::Pool,
            &[("left_fen", "100")][..],
            "300",
            "100",
            "first come, first served, 1.00 yuan were left: 1.00 of 3.00 yuan",
        ),
        (
            StepName::Round,
            &[("unit_fen", "10000")][..],
            "30001/3",
            "10000",
            "rounded down to 100.00 yuan: 100.00 yuan",
        ),
    ] {
        let (zh, told) = said(name, operands, before, after);
        assert_eq!(told, en);
        assert!(!zh.chars().any(|c| c.is_ascii_alphabetic()), "{zh}");
    }
    for name in StepName::ALL {
        assert!(!said(*name, &[], "1", "1").0.is_empty());
    }
}

#[test]
fn the_steps_of_a_run_are_all_said() {
    let units = [
        (Grade::Excellent, vec![40_000_000, 300_000]),
        (Grade::Good, vec![600_000]),
    ];
    let done = super::allocate_to(3_000_000, &default_award(), &units).unwrap();
    for row in &done.steps {
        let operands = row.operands.iter();
        let operands = operands.map(|(name, value)| ((*name).to_owned(), value.clone()));
        let said = step_sentence(row.name, &operands.collect(), &row.before, &row.after);
        assert!(said.zh.contains('元') && said.en.contains("yuan"), "{said}");
    }
}
