//! Awards against worked examples, and the invariants of every allocation.

mod left_out;
mod random;
mod step_sentence;

use super::*;
use crate::domain::evaluation::sample::{Rows, cell, instrument, organization, policy};
use crate::domain::evaluation::{Relation, UsageGroup};
use crate::domain::policy::{
    Act, Base, Choose, Customers, Exclusion, Level, Measure, Rate, RecordFilter, Step, Tally,
    WeakEvidence,
};
use crate::domain::usage::Evidence;
use num_traits::One;
use proptest::prelude::*;

const YUAN: i64 = 100;

fn rate(rate: &str, coefficients: [&str; 4]) -> Step {
    let coefficients = coefficients.map(|text| ratio::parse(text).unwrap());
    step(Act::Rate {
        choose: Choose::First,
        rates: vec![Rate {
            rate: ratio::parse(rate).unwrap(),
            when: None,
        }],
        times_grade: Grade::ALL.iter().copied().zip(coefficients).collect(),
    })
}

fn step(act: Act) -> Step {
    Step {
        name: None,
        when: None,
        act,
    }
}

fn sum() -> Step {
    step(Act::Sum {
        by: Level::Organization,
    })
}

fn pool() -> Step {
    step(Act::Pool {
        pool: None,
        how: Pooling::ProRata,
    })
}

fn cap(yuan: i64) -> Step {
    step(Act::Cap {
        max_fen: Fen::new(yuan * YUAN),
    })
}

fn award(steps: Vec<Step>) -> Award {
    Award {
        code: "award".to_owned(),
        name: None,
        recipient: Recipient::Host,
        per: Level::Instrument,
        base: Base::Metric {
            name: "paid".to_owned(),
            measure: Measure::Records(Tally::PayerIncome, RecordFilter::of(Customers::NotHost)),
        },
        only: None,
        once_per_project: false,
        exclude: vec![
            Exclusion::Statutory,
            Exclusion::WeakEvidence,
            Exclusion::RelatedParty,
        ],
        weak_evidence: Some(WeakEvidence {
            classes: vec![Evidence::Manual],
            value_fen_from: Fen::new(50_000_000),
        }),
        user_regions: Some(["13", "11", "12"].map(str::to_owned).to_vec()),
        steps,
    }
}

/// The steps of the default pack.
fn default_award() -> Award {
    award(vec![
        rate("0.20", ["1", "0.8", "0.5", "0"]),
        cap(50_000),
        sum(),
        cap(2_000_000),
        step(Act::DropBelow {
            min_fen: Fen::new(1_000 * YUAN),
        }),
        pool(),
        step(Act::RoundDown {
            unit_fen: Fen::new(100 * YUAN),
        }),
    ])
}

/// Units with grades, and the income in fen of each of their instruments.
/// What the only award and the only pool came to.
#[derive(Debug, PartialEq)]
pub(super) struct Allocation {
    pub factor: BigRational,
    pub sum_before_pool: BigRational,
    pub awarded: Fen,
    pub unspent: Fen,
    pub units: Vec<UnitAward>,
    pub steps: Vec<StepRow>,
}

fn allocate(
    budget: Fen,
    grades: &GradesGiven,
    inputs: &Inputs,
    policy: &Policy,
) -> Result<Allocation, AllocationError> {
    let mut payout = pay(&Budgets::from([(None, budget)]), grades, inputs, policy)?;
    let (pool, award) = (payout.pools.remove(0), payout.awards.remove(0));
    Ok(Allocation {
        factor: pool.factor.unwrap(),
        sum_before_pool: pool.sum_before_pool,
        awarded: pool.awarded,
        unspent: pool.unspent,
        units: award.units,
        steps: award.steps,
    })
}

fn allocate_to(
    budget_fen: i64,
    award: &Award,
    units: &[(Grade, Vec<i64>)],
) -> Result<Allocation, AllocationError> {
    let mut rows = Rows::of(i64::try_from(units.len()).unwrap());
    let mut grades = GradesGiven::default();
    let mut number = 0;
    for ((grade, incomes), id) in units.iter().zip(1..) {
        grades.units.insert(organization(id), *grade);
        for income in incomes {
            number += 1;
            rows.add(id, instrument(number), &[cell(901, 60, *income)]);
        }
    }
    let inputs = rows.assemble().unwrap();
    allocate(Fen::new(budget_fen), &grades, &inputs, &pack(award.clone()))
}

/// A pack with one award.
fn pack(award: Award) -> Policy {
    Policy {
        awards: vec![award],
        ..policy()
    }
}

/// The bases of the first unit's instruments.
fn bases(inputs: &Inputs) -> Vec<InstrumentBase> {
    let mut grades = GradesGiven::default();
    for unit in inputs.units() {
        grades.units.insert(unit.organization_id, Grade::Pass);
    }
    let allocation = allocate(Fen::ZERO, &grades, inputs, &pack(default_award())).unwrap();
    allocation.units.into_iter().next().unwrap().instruments
}

fn awards(allocation: &Allocation) -> Vec<i64> {
    let units = allocation.units.iter();
    units.map(|unit| unit.award.number()).collect()
}

#[test]
fn the_default_steps_come_out_as_worked_by_hand() {
    let excellent = vec![400_000 * YUAN, 180_000 * YUAN, 3_000 * YUAN];
    let units = [
        (Grade::Excellent, excellent),
        (Grade::Good, vec![6_000 * YUAN]),
    ];
    let allocation = allocate_to(50_000 * YUAN, &default_award(), &units).unwrap();
    assert_eq!(ratio::exact(&allocation.sum_before_pool), "8660000");
    assert_eq!(ratio::exact(&allocation.factor), "250/433");
    assert_eq!(awards(&allocation), [50_000 * YUAN, 0]);
    assert_eq!(allocation.unspent, Fen::ZERO);

    let chain = |name: StepName| -> Vec<(String, String)> {
        let rows = allocation.steps.iter().filter(|row| row.name == name);
        rows.map(|row| (ratio::exact(&row.before), ratio::exact(&row.after)))
            .collect()
    };
    let pair = |before: &str, after: &str| (before.to_owned(), after.to_owned());
    assert_eq!(
        chain(StepName::Rate),
        [
            pair("40000000", "8000000"),
            pair("18000000", "3600000"),
            pair("300000", "60000"),
            pair("600000", "96000"),
        ]
    );
    assert_eq!(
        chain(StepName::Sum),
        [pair("8660000", "8660000"), pair("96000", "96000")]
    );
    assert_eq!(chain(StepName::DropBelow)[1], pair("96000", "0"));
    assert_eq!(chain(StepName::Round)[0], pair("5000000", "5000000"));
    let caps: Vec<usize> = allocation
        .steps
        .iter()
        .filter(|row| row.name == StepName::Cap && row.before != row.after)
        .map(|row| row.step)
        .collect();
    assert_eq!(caps, [2]);
}

#[test]
fn the_managing_units_of_anhui_get_a_fifth_up_to_five_million() {
    let steps = vec![
        sum(),
        step(Act::Rate {
            choose: Choose::First,
            rates: vec![Rate {
                rate: ratio::parse("0.20").unwrap(),
                when: None,
            }],
            times_grade: BTreeMap::new(),
        }),
        cap(5_000_000),
        pool(),
        step(Act::RoundDown {
            unit_fen: Fen::new(1),
        }),
    ];
    let units = [
        (Grade::Fail, vec![10_000_000 * YUAN, 20_000_000 * YUAN]),
        (Grade::Fail, vec![1_234_567_890]),
    ];
    let allocation = allocate_to(100_000_000 * YUAN, &award(steps), &units).unwrap();
    assert_eq!(awards(&allocation), [5_000_000 * YUAN, 246_913_578]);
    assert!(allocation.factor.is_one());
}

#[test]
fn a_budget_that_suffices_leaves_a_factor_of_one_and_a_rest() {
    let units = [(Grade::Excellent, vec![100_049 * YUAN])];
    let allocation = allocate_to(30_000 * YUAN, &default_award(), &units).unwrap();
    assert!(allocation.factor.is_one());
    assert_eq!(ratio::exact(&allocation.units[0].before_pool), "2000980");
    assert_eq!(awards(&allocation), [20_000 * YUAN]);
    assert_eq!(allocation.unspent, Fen::new(10_000 * YUAN));
}

#[test]
fn amounts_at_the_minimum_are_paid_and_below_it_are_not() {
    for (income, paid) in [(500_000, 100_000), (499_999, 0)] {
        let units = [(Grade::Excellent, vec![income])];
        let allocation = allocate_to(1_000_000, &default_award(), &units).unwrap();
        assert_eq!(awards(&allocation), [paid], "{income}");
    }
}

#[test]
fn a_unit_gets_at_most_two_million() {
    let units = [(Grade::Excellent, vec![300_000 * YUAN; 41])];
    let allocation = allocate_to(3_000_000 * YUAN, &default_award(), &units).unwrap();
    assert_eq!(awards(&allocation), [2_000_000 * YUAN]);
}

#[test]
fn income_is_left_out_for_the_first_reason_that_holds() {
    type Change = fn(&mut UsageGroup);
    let cases: [(Change, LeftOut); 6] = [
        (|cell| cell.key.relation = Relation::Host, LeftOut::Customer),
        (
            |cell| cell.key.relation = Relation::Related,
            LeftOut::RelatedParty,
        ),
        (
            |cell| cell.key.evidence = Evidence::Manual,
            LeftOut::WeakEvidence,
        ),
        (|cell| cell.key.statutory = true, LeftOut::Statutory),
        (
            |cell| cell.key.using_unit_id = organization(909),
            LeftOut::Region,
        ),
        (
            |cell| {
                cell.key.statutory = true;
                cell.key.evidence = Evidence::Manual;
                cell.key.using_unit_id = organization(909);
            },
            LeftOut::Statutory,
        ),
    ];
    for (change, reason) in cases {
        let mut rows = Rows::of(1);
        rows.using_units[8].region_code = "370102".to_owned();
        rows.using_units[1].region_code = "120104".to_owned();
        let mut valuable = instrument(11);
        valuable.original_value_fen = Fen::new(50_000_000);
        let mut excluded = cell(901, 0, 700);
        change(&mut excluded);
        excluded.service.voucher_fen = Fen::new(30);
        rows.add(1, valuable, &[excluded, cell(902, 60, 5)]);
        let inputs = rows.assemble().unwrap();
        let bases = bases(&inputs);
        assert_eq!(bases[0].base, Fen::new(5));
        let left_out = BTreeMap::from([(reason, Fen::new(700)), (LeftOut::Voucher, Fen::new(30))]);
        assert_eq!(bases[0].left_out, left_out);
        assert_eq!(bases[0].income(), Ok(Fen::new(735)));
    }
}

#[test]
fn manual_evidence_is_good_enough_for_a_cheaper_instrument() {
    let mut rows = Rows::of(1);
    let mut cheaper = instrument(11);
    cheaper.original_value_fen = Fen::new(49_999_999);
    let mut manual = cell(901, 0, 700);
    manual.key.evidence = Evidence::Manual;
    rows.add(1, cheaper, &[manual]);
    let inputs = rows.assemble().unwrap();
    let bases = bases(&inputs);
    assert_eq!(bases[0].base, Fen::new(700));
}

#[test]
fn what_cannot_be_allocated_is_an_error() {
    let units = [(Grade::Excellent, vec![400_000 * YUAN])];
    let negative = allocate_to(-1, &default_award(), &units);
    assert_eq!(negative, Err(AllocationError::NegativeBudget));

    let mut rows = Rows::of(1);
    rows.add(1, instrument(11), &[]);
    let inputs = rows.assemble().unwrap();
    let ungraded = allocate(
        Fen::ZERO,
        &GradesGiven::default(),
        &inputs,
        &pack(default_award()),
    );
    assert_eq!(ungraded, Err(AllocationError::NotGraded(organization(1))));

    // Steps that no checked pack has: without rounding fen are broken.
    let broken = award(vec![rate("0.333", ["1"; 4]), sum(), pool()]);
    let broken = allocate_to(i64::MAX, &broken, &[(Grade::Good, vec![1])]);
    assert_eq!(broken, Err(AllocationError::BrokenFen(organization(1))));
}

#[test]
fn no_units_leave_the_whole_budget() {
    let allocation = allocate_to(700, &default_award(), &[]).unwrap();
    assert_eq!(allocation.unspent, Fen::new(700));
    assert_eq!(ratio::exact(&allocation.sum_before_pool), "0");
}

fn some_units() -> impl Strategy<Value = Vec<(Grade, Vec<i64>)>> {
    let grade = proptest::sample::select(Grade::ALL);
    let incomes = proptest::collection::vec(0i64..60_000_000, 1..6);
    proptest::collection::vec((grade, incomes), 0..8)
}

proptest! {
    #[test]
    fn awards_and_the_rest_are_the_budget_and_no_award_is_above_its_cap(units in some_units(), budget in 0i64..40_000_000) {
        let allocation = allocate_to(budget, &default_award(), &units).unwrap();
        prop_assert_eq!(awards(&allocation).iter().sum::<i64>() + allocation.unspent.number(), budget);
        prop_assert!(allocation.factor <= BigRational::one());
        for (award, (_, incomes)) in awards(&allocation).iter().zip(&units) {
            let caps = i64::try_from(incomes.len()).unwrap() * 50_000 * YUAN;
            prop_assert!(*award >= 0 && *award <= caps.min(2_000_000 * YUAN));
            prop_assert_eq!(award % 10_000, 0);
        }
        for row in &allocation.steps {
            prop_assert!(row.after <= row.before);
        }
    }

    #[test]
    fn the_order_of_units_changes_no_award(units in some_units(), budget in 0i64..40_000_000) {
        let mut turned = units.clone();
        turned.reverse();
        let straight = awards(&allocate_to(budget, &default_award(), &units).unwrap());
        let mut back = awards(&allocate_to(budget, &default_award(), &turned).unwrap());
        back.reverse();
        prop_assert_eq!(straight, back);
    }
}
