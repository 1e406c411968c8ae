//! Every charge of a unit's year is in the base of its award or left out for one reason, down to the record.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use yiqi::domain::subsidy::LeftOutReason;
use yiqi::operations::yearly_run::explain::LeftOutChoice;

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    sum: i64,
}

/// Every charge of the host that was served or paid in the year, by a question of its own.
fn charged(world: &World, host: OrganizationId) -> i64 {
    let text = format!(
        "SELECT CAST(COALESCE(SUM(c.amount_fen), 0) AS BIGINT) AS sum FROM charge c WHERE c.host_organization_id = {host} \
         AND c.state <> 'voided' AND (c.usage_record_id IN (SELECT id FROM usage_record WHERE ended_at > '2024-12-31 16:00:00' \
         AND ended_at <= '2025-12-31 16:00:00' AND state <> 'voided') OR c.id IN (SELECT l.charge_id FROM payment_line l \
         JOIN payment p ON p.id = l.payment_id WHERE p.state = 'received' AND p.paid_on >= '2025-01-01' AND p.paid_on <= '2025-12-31'))"
    );
    world.read(move |conn| Ok(diesel::sql_query(text).get_result::<Sum>(conn)?.sum))
}

/// Asks every unit, and answers the reasons that were given.
fn each_fen_is_told(world: &World, id: SubsidyRunId) -> BTreeSet<LeftOutReason> {
    let awards = world.read(move |conn| Ok(store::yearly_run::subsidy::list_awards(conn, id)?));
    let mut seen = BTreeSet::new();
    let mut all = 0;
    for award in awards {
        let host = award.organization_id;
        let organization = world.read(move |conn| Ok(store::organization::get(conn, host)?));
        let uscc = Uscc::parse(organization.uscc.as_str()).unwrap();
        let choice = |reason, after| Choice {
            left_out: Some(LeftOutChoice { reason, after }),
            limit: 40,
            ..Choice::default()
        };
        let told = explained(world, id, &uscc, choice(LeftOutReason::Unpaid, None));
        let money = told.unit.money;
        // Everything is said in both languages.
        for step in &told.steps {
            assert!(step.sentence.zh.contains('元') && step.sentence.en.contains("yuan"));
        }
        assert!(
            !told
                .unit
                .grade_reason
                .sentence
                .zh
                .chars()
                .any(|c| c.is_ascii_alphabetic())
        );
        assert_eq!(told.unit.grade_reason.grade, award.grade);
        assert_eq!(told.unit.indicators.len(), 12);
        for name in told.unit.indicators.values() {
            assert!(
                !name.zh.chars().any(|c| c.is_ascii_alphabetic()),
                "{name:?}"
            );
        }
        assert_eq!(told.unit.name, organization.name);
        assert!(
            award
                .instruments
                .iter()
                .all(|base| told.unit.instruments.contains_key(&base.instrument_id))
        );
        assert!(money.adds_up());
        assert_eq!(money.charges.number(), charged(world, host), "{uscc}");
        let bases = award.instruments.iter();
        let bases: i64 = bases.map(|base| base.base_fen.number()).sum();
        assert_eq!(money.base.number(), bases, "{uscc}");
        all += money.charges.number();
        // The first units are opened down to their records.
        let opened = seen.len() < LeftOutReason::ALL.len() && all < 400_000_000;
        for (reason, sum) in &money.left_out {
            seen.insert(*reason);
            if !opened {
                continue;
            }
            let (mut after, mut records, mut amount, mut minutes) = (None, BTreeMap::new(), 0, 0);
            loop {
                let page = explained(world, id, &uscc, choice(*reason, after));
                let page = page.unit.left_out.unwrap();
                assert!(page.records.len() <= 40);
                for record in page.records {
                    amount += record.amount.number();
                    minutes += record.effective_minutes.number();
                    records.insert(record.charge_id, record);
                }
                after = page.next;
                if after.is_none() {
                    assert_eq!(amount, sum.amount.number(), "{uscc} {reason}");
                    assert_eq!(minutes, sum.minutes, "{uscc} {reason}");
                    assert_eq!(i64::try_from(records.len()), Ok(sum.records));
                    break;
                }
            }
        }
    }
    assert!(all > 0);
    seen
}

#[test]
fn base_and_left_out_are_all_money_of_the_year() {
    on_both_imported(|world| {
        let id = run(world);
        let seen = each_fen_is_told(world, id);
        use LeftOutReason as R;
        for reason in [
            R::Unconfirmed,
            R::Statutory,
            R::RelatedParty,
            R::Region,
            R::Voucher,
            R::WeakEvidence,
        ] {
            assert!(seen.contains(&reason), "{reason} of {seen:?}");
        }
        // What changes later was not so at the freeze.
        let before = each_fen_is_told(world, id);
        assert_eq!(before, seen);
    });
}

#[test]
fn every_reason_of_money_is_told_whatever_happened_to_a_charge() {
    on_both_imported(|world| {
        for change in [
            "payment SET paid_on = '2024-12-30' WHERE id % 7 = 0",
            "payment SET state = 'reversed', ended_event_id = received_event_id WHERE id % 11 = 0",
            "payment SET received_event_id = NULL, state = 'declared' WHERE id % 17 = 0",
            "invoice_line SET annulled_event_id = (SELECT i.event_id FROM invoice i WHERE i.id = invoice_id) WHERE charge_id % 13 = 0",
            "usage_record SET state = 'disputed' WHERE id % 19 = 0 AND state = 'confirmed'",
        ] {
            let refused = super::standing::forced(world, format!("UPDATE {change}"));
            assert_eq!(refused, None, "{change}");
        }
        let id = run(world);
        let seen = each_fen_is_told(world, id);
        use LeftOutReason as R;
        for reason in [
            R::Disputed,
            R::NotInvoiced,
            R::Unpaid,
            R::OtherYear,
            R::Refunded,
        ] {
            assert!(seen.contains(&reason), "{reason} of {seen:?}");
        }
    });
}
