//! Each rule finds its fault, and nothing just beside the bound.

use super::*;

fn candidate(value: i64, bound: i64) -> Candidate {
    Candidate {
        organization_id: 1.try_into().unwrap(),
        counterpart_id: None,
        instrument_id: None,
        record_id: Some(7.try_into().unwrap()),
        records: 1,
        minutes: Minutes::new(60),
        income: Fen::new(100),
        value,
        bound,
        started_at: None,
        accepted_on: None,
    }
}

#[test]
fn a_rule_finds_its_fault_and_nothing_beside_the_bound() {
    use FindingRule as R;
    for (rule, found, beside) in [
        (R::Over24Hours, (121, 120), (120, 120)),
        (R::Overlap, (2, 1), (1, 1)),
        (R::DuringClosure, (1, 0), (0, 0)),
        (R::OperatorTwice, (1, 0), (0, 0)),
        (R::LateManualEntry, (1, 0), (0, 0)),
        (R::InvoiceSeenBefore, (2, 1), (1, 1)),
        (R::RelatedCustomer, (1, 0), (0, 0)),
        (R::IdenticalDurations, (20, 40), (19, 19)),
        (R::IdenticalDurations, (30, 60), (30, 61)),
        (R::PriceOffTariff, (49, 100), (50, 100)),
        (R::PriceOffTariff, (201, 100), (200, 100)),
        (R::CircularTrade, (20_000, 25_000), (20_000, 25_001)),
        (R::CircularTrade, (20_000, 20_000), (19_999, 20_000)),
    ] {
        assert!(rule.finds(&candidate(found.0, found.1)), "{rule} {found:?}");
        assert!(
            !rule.finds(&candidate(beside.0, beside.1)),
            "{rule} {beside:?}"
        );
    }
}

#[test]
fn days_minutes_and_money_are_bounds_too() {
    let accepted_on = NaiveDate::from_ymd_opt(2025, 3, 2).unwrap();
    let at = |seconds| {
        let midnight = Instant::at_midnight(accepted_on);
        Candidate {
            started_at: Some(midnight.plus_seconds(seconds)),
            accepted_on: Some(accepted_on),
            ..candidate(0, 0)
        }
    };
    assert!(FindingRule::BeforeAcceptance.finds(&at(-1)));
    assert!(!FindingRule::BeforeAcceptance.finds(&at(0)));
    let of = |minutes| Candidate {
        minutes: Minutes::new(minutes),
        ..candidate(0, 0)
    };
    assert!(FindingRule::UsageWithoutIncome.finds(&of(UNPAID_MINUTES_MIN)));
    assert!(!FindingRule::UsageWithoutIncome.finds(&of(UNPAID_MINUTES_MIN - 1)));
    let nothing = Candidate {
        income: Fen::ZERO,
        ..candidate(0, 0)
    };
    assert!(FindingRule::IncomeWithoutUsage.finds(&candidate(0, 0)));
    assert!(!FindingRule::IncomeWithoutUsage.finds(&nothing));
}

#[test]
fn one_subject_is_one_finding_whatever_the_order() {
    let found = |order: [i64; 2]| {
        let mut findings = Findings::of(FindingRule::Overlap);
        for id in order {
            let added = findings.add(&Candidate {
                record_id: Some(id.try_into().unwrap()),
                ..candidate(2, 1)
            });
            added.unwrap();
        }
        findings.add(&candidate(1, 1)).unwrap();
        let mut found = findings.finish(false);
        let only = found.next().unwrap();
        assert!(found.next().is_none());
        only
    };
    let (one, other) = (found([3, 4]), found([4, 3]));
    assert_eq!((one.records, one.minutes), (2, Minutes::new(120)));
    assert_eq!(one.facts_digest(), other.facts_digest());
    assert_ne!(one.facts_digest(), found([3, 5]).facts_digest());
    assert_eq!(one.subject(), "1:-:-");
}

#[test]
fn every_rule_says_in_both_languages_what_to_do() {
    let all = FindingRule::ALL.iter();
    for (rule, is_cut) in all.flat_map(|rule| [(rule, false), (rule, true)]) {
        let said = sentence(*rule, 3, Fen::new(1_205), is_cut);
        assert_eq!(said.zh.contains("20000"), is_cut);
        assert!(!said.zh.contains(|c: char| c.is_ascii_alphabetic()));
        assert!(said.zh.contains('；') && said.en.contains(';'), "{rule}");
        assert!(!said.en.contains('{') && !said.zh.contains('{'));
    }
}

/// Nothing is cut off at the largest number: what no number holds is refused.
#[test]
fn sums_beyond_64_bits_are_refused() {
    let with = |change: fn(&mut Candidate)| {
        let mut findings = Findings::of(FindingRule::Overlap);
        findings.add(&candidate(2, 1)).unwrap();
        let mut more = candidate(2, 1);
        change(&mut more);
        findings.add(&more)
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(with(|more| more.records = i64::MAX), Err(TooLarge));
    assert_eq!(
        with(|more| more.minutes = Minutes::new(i64::MAX)),
        Err(TooLarge)
    );
    assert_eq!(with(|more| more.income = Fen::new(i64::MAX)), Err(TooLarge));
    // Bounds are compared without overflow.
    assert!(FindingRule::IdenticalDurations.finds(&candidate(i64::MAX, i64::MAX)));
    assert!(FindingRule::CircularTrade.finds(&candidate(i64::MAX, i64::MAX)));
    assert!(!FindingRule::CircularTrade.finds(&candidate(i64::MAX / 2, i64::MAX)));
}
