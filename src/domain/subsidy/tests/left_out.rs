//! Every fen of a charge is in the base or left out for the first reason that applies.

use super::super::*;
use super::{award as some_award, pack};
use crate::domain::Minutes;
use crate::domain::evaluation::sample::{Rows, cell, instrument};
use crate::domain::evaluation::{Inputs, Judge, Relation, Subject};
use crate::domain::policy::{Base, Customers, Exclusion, Measure, RecordFilter, Tally};
use crate::domain::usage::{Evidence, UsageState};
use proptest::prelude::*;

fn subject_of<'a>(judge: &Judge<'a>, at: usize) -> Subject<'a> {
    let host = judge.inputs.units().next().unwrap();
    let instrument = &host.instruments[0];
    Subject {
        grade: Some(Grade::Good),
        ..judge.service(host, instrument, &instrument.cells[at])
    }
}

fn inputs(relation: Relation, evidence: Evidence, statutory: bool, listed: bool) -> Inputs {
    let mut rows = Rows::of(1);
    let mut service = cell(901, 60, 100);
    service.key.relation = relation;
    service.key.evidence = evidence;
    service.key.statutory = statutory;
    let mut one = instrument(11);
    one.flags.listed = listed;
    rows.add(1, one, &[service]);
    rows.assemble().unwrap()
}

fn award(exclude: Vec<Exclusion>, regions: Option<&str>) -> Award {
    let mut award = some_award(Vec::new());
    award.base = Base::Metric {
        name: "paid".to_owned(),
        measure: Measure::Records(Tally::PayerIncome, RecordFilter::of(Customers::External)),
    };
    award.exclude = exclude;
    award.user_regions = regions.map(|region| vec![region.to_owned()]);
    award
}

fn verdict(inputs: &Inputs, award: &Award) -> ChargeVerdict {
    let policy = pack(award.clone());
    let judge = Judge::new(inputs, &policy);
    ChargeVerdict::of(&judge, Some(award), &subject_of(&judge, 0))
}

fn money(state: UsageState) -> ChargeMoney {
    ChargeMoney {
        state,
        amount: Fen::new(1_000),
        is_invoiced: true,
        paid: Fen::new(500),
        voucher: Fen::new(100),
        other_year: Fen::new(200),
        returned: Fen::new(50),
    }
}

#[test]
fn the_first_reason_that_applies_is_named() {
    use LeftOutReason as R;
    let paid = Evidence::ALL[0];
    let all = vec![Exclusion::Statutory, Exclusion::RelatedParty];
    for (relation, statutory, listed, regions, reason) in [
        (Relation::Host, true, true, Some("99"), Some(R::OwnUse)),
        (
            Relation::Related,
            true,
            true,
            Some("99"),
            Some(R::RelatedParty),
        ),
        (
            Relation::External,
            true,
            false,
            Some("99"),
            Some(R::Statutory),
        ),
        (
            Relation::External,
            false,
            false,
            Some("99"),
            Some(R::Region),
        ),
        (
            Relation::External,
            false,
            false,
            None,
            Some(R::InstrumentNotCounted),
        ),
        (Relation::External, false, true, None, None),
    ] {
        let inputs = inputs(relation, paid, statutory, listed);
        let verdict = verdict(&inputs, &award(all.clone(), regions));
        assert_eq!(verdict.against, reason, "{relation} {statutory} {listed}");
        for (state, before) in [
            (UsageState::Recorded, Some(R::Unconfirmed)),
            (UsageState::Disputed, Some(R::Disputed)),
        ] {
            let parts = verdict.parts(&money(state));
            assert_eq!(parts, [(before, Fen::new(1_000))]);
        }
    }
}

#[test]
fn a_charge_is_parted_by_what_was_paid() {
    use LeftOutReason as R;
    let inputs = inputs(Relation::External, Evidence::ALL[0], false, true);
    let verdict = verdict(&inputs, &award(Vec::new(), None));
    let fen = Fen::new;
    assert_eq!(
        verdict.parts(&money(UsageState::Confirmed)),
        [
            (None, fen(500)),
            (Some(R::Voucher), fen(100)),
            (Some(R::OtherYear), fen(200)),
            (Some(R::Refunded), fen(50)),
            (Some(R::Unpaid), fen(150)),
        ]
    );
    let open = ChargeMoney {
        is_invoiced: false,
        ..money(UsageState::Confirmed)
    };
    assert_eq!(verdict.parts(&open), [(Some(R::NotInvoiced), fen(1_000))]);
}

/// What is left out for an earlier reason stays so; of the rest nothing is in the base.
#[test]
fn a_record_that_a_finding_takes_out_has_no_base() {
    use LeftOutReason as R;
    let inputs = inputs(Relation::External, Evidence::ALL[0], false, true);
    let verdict = verdict(&inputs, &award(Vec::new(), None)).taken_out();
    let parts = verdict.parts(&money(UsageState::Confirmed));
    let expected = [
        (R::Finding, 500),
        (R::Voucher, 100),
        (R::OtherYear, 200),
        (R::Refunded, 50),
        (R::Unpaid, 150),
    ];
    assert_eq!(
        parts,
        expected.map(|(reason, fen)| (Some(reason), Fen::new(fen)))
    );
    let disputed = verdict.parts(&money(UsageState::Disputed));
    assert_eq!(disputed, [(Some(R::Disputed), Fen::new(1_000))]);
}

#[test]
fn chinese_sentences_hold_no_latin_words() {
    for reason in LeftOutReason::ALL {
        let said = reason.sentence();
        assert!(
            !said.zh.chars().any(|c| c.is_ascii_alphabetic()),
            "{}",
            said.zh
        );
        assert!(said.en.is_ascii());
    }
}

proptest! {
    #[test]
    fn base_and_left_out_are_every_charge(
        charges in proptest::collection::vec(
            ((0usize..4, any::<bool>(), 0i64..1_000_000), (0i64..400_000, 0i64..400_000, 0i64..400_000, 0i64..400_000)),
            0..30,
        ),
        class in (0usize..3, any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let (relation, statutory, listed, elsewhere) = class;
        let inputs = inputs(Relation::ALL[relation], Evidence::ALL[0], statutory, listed);
        let regions = elsewhere.then_some("99");
        let verdict = verdict(&inputs, &award(vec![Exclusion::Statutory], regions));
        let mut year = YearMoney::default();
        let (mut all, mut expected_base) = (0, 0);
        for ((state, is_invoiced, amount), (paid, voucher, other_year, returned)) in charges {
            let charge = ChargeMoney {
                state: UsageState::ALL[state],
                amount: Fen::new(amount),
                is_invoiced,
                paid: Fen::new(paid),
                voucher: Fen::new(voucher),
                other_year: Fen::new(other_year),
                returned: Fen::new(returned),
            };
            let parts = verdict.parts(&charge);
            prop_assert_eq!(Fen::sum(parts.iter().map(|(_, part)| *part)), Ok(charge.amount));
            year.add(charge.amount, &parts, Minutes::new(60)).unwrap();
            all += amount;
            let counts = relation == 2 && !statutory && listed && !elsewhere;
            if counts && is_invoiced && charge.state == UsageState::Confirmed {
                expected_base += paid.min(amount);
            }
        }
        prop_assert!(year.adds_up());
        prop_assert_eq!(year.charges.number(), all);
        prop_assert_eq!(year.base.number(), expected_base);
    }
}
