//! Every charge of a using unit's year is in the base of its award or left out for one reason, down to the record, however fine the
//! facts are that the pack asks; and what is certified later changes nothing of it.

use std::collections::BTreeMap;

use diesel::RunQueryDsl;
use diesel::sql_types::BigInt;
use yiqi::domain::policy::Recipient;
use yiqi::exchange::trial::Terms;
use yiqi::operations::yearly_run::archive::check::check;
use yiqi::operations::yearly_run::archive::{self, Entries};
use yiqi::operations::yearly_run::explain::{LeftOutChoice, explain};
use yiqi::store::yearly_run::subsidy::Award;

use super::any_pack::{finish, report, shared_out, store_pack, terms, two_pools};
use super::*;

#[derive(diesel::QueryableByName)]
struct Sum {
    #[diesel(sql_type = BigInt)]
    unit: i64,
    #[diesel(sql_type = BigInt)]
    sum: i64,
}

/// Every charge that was served or paid in the year by its payer, by a question of its own.
fn charged(world: &World) -> BTreeMap<i64, i64> {
    let text = "SELECT c.payer_organization_id AS unit, CAST(SUM(c.amount_fen) AS BIGINT) AS sum FROM charge c \
         WHERE c.state <> 'voided' AND (c.usage_record_id IN (SELECT id FROM usage_record WHERE ended_at > '2024-12-31 16:00:00' \
         AND ended_at <= '2025-12-31 16:00:00' AND state <> 'voided') OR c.id IN (SELECT l.charge_id FROM payment_line l \
         JOIN payment p ON p.id = l.payment_id WHERE p.state = 'received' AND p.paid_on >= '2025-01-01' AND p.paid_on <= '2025-12-31')) \
         GROUP BY c.payer_organization_id";
    world.read(move |conn| {
        let sums: Vec<Sum> = diesel::sql_query(text).load(conn)?;
        Ok(sums.into_iter().map(|row| (row.unit, row.sum)).collect())
    })
}

fn told(world: &World, id: SubsidyRunId, award: &Award, choice: Choice) -> Explanation {
    let by = actor(world);
    let explained = explain(&world.app, &by, (id, award.id), Ok(choice));
    world.block_on(explained).unwrap()
}

fn based(award: &Award) -> i64 {
    let bases = award.instruments.iter();
    bases.map(|base| base.base_fen.number()).sum()
}

/// Walks every record behind the base, and every one that is left out; their sums are those that are told.
fn walk(world: &World, id: SubsidyRunId, award: &Award, first: &Explanation) {
    let (mut after, mut counted, mut all) = (None, 0, 0);
    loop {
        let choice = Choice {
            metric: Some("income_fen".to_owned()),
            after,
            limit: 40,
            ..Choice::default()
        };
        let page = told(world, id, award, choice).unit.metrics.remove(0);
        assert!(page.is_base && page.records.len() <= 40);
        for share in &page.records {
            assert_eq!(share.organization_id, award.organization_id);
            all += share.payer_fen.number();
            counted += match share.left_out {
                None => share.payer_fen.number(),
                Some(_) => 0,
            };
        }
        assert_eq!(page.value, first.unit.metrics[0].value);
        after = page.next;
        if after.is_none() {
            assert_eq!(all, page.value);
            break;
        }
    }
    assert_eq!(counted, based(award));
    for (reason, sum) in &first.unit.money.left_out {
        let (mut after, mut records, mut amount) = (None, 0, 0);
        loop {
            let choice = Choice {
                left_out: Some(LeftOutChoice {
                    reason: *reason,
                    after,
                }),
                limit: 40,
                ..Choice::default()
            };
            let page = told(world, id, award, choice).unit.left_out.unwrap();
            records += i64::try_from(page.records.len()).unwrap();
            amount += page
                .records
                .iter()
                .map(|one| one.amount.number())
                .sum::<i64>();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(
            (records, amount),
            (sum.records, sum.amount.number()),
            "{reason}"
        );
    }
}

/// The explanations of some awards of each side.
fn each_fen_is_told(world: &World, id: SubsidyRunId, most: usize) -> Vec<Explanation> {
    let charged = charged(world);
    let mut explained = Vec::new();
    let all = report(world, id).awards;
    for recipient in [Recipient::Host, Recipient::User] {
        let own: Vec<&Award> = all
            .iter()
            .filter(|award| award.recipient == recipient)
            .collect();
        for award in own.iter().step_by(own.len() / most) {
            let choice = Choice {
                limit: 20,
                ..Choice::default()
            };
            let one = told(world, id, award, choice);
            let money = &one.unit.money;
            assert!(money.adds_up());
            assert_eq!(money.base.number(), based(award), "{}", award.id);
            if recipient == Recipient::User {
                let unit = award.organization_id.number();
                assert_eq!(Some(&money.charges.number()), charged.get(&unit));
                assert!(money.base.number() > 0 && !one.steps.is_empty());
                assert_eq!(one.unit.metrics.len(), 1);
            }
            for base in award.instruments.iter() {
                assert!(one.unit.instruments.contains_key(&base.instrument_id));
            }
            for (reason, records) in &one.unit.left_out_firsts {
                assert!(!records.is_empty() && money.left_out.contains_key(reason));
            }
            explained.push(one);
        }
    }
    explained
}

#[test]
fn base_and_left_out_are_all_money_of_a_using_units_year() {
    let parameters = vec!["host_rate=0.12".to_owned()];
    let by_record = two_pools("by-record", "pro_rata");
    let by_day = two_pools("by-day", "pro_rata")
        .replace("per = \"service\"", "per = \"organization\"")
        .replace(
            "  { do = \"sum\", by = \"organization\" },\n  { do = \"cap\", max_fen = 5_000_000 }",
            "  { do = \"cap\", max_fen = 5_000_000 }",
        );
    let by_class = by_day
        .replace("by-day", "by-class")
        .replace(", when = { user_is = [\"sme\"] } }", " }")
        .replace("[{ rate = \"0.10\" }, ", "[");
    on_both_imported(|world| {
        for text in [&by_record, &by_day, &by_class] {
            let terms = Terms {
                parameters: parameters.clone(),
                ..terms(2025, &["hosts=100000", "users=30000"])
            };
            let code = store_pack(world, text);
            let id = shared_out(world, code.clone(), &terms).unwrap();
            let all = each_fen_is_told(world, id, 2);
            let users = all
                .iter()
                .filter(|one| one.award.recipient == Recipient::User);
            let smallest = users.min_by_key(|one| one.unit.money.charges);
            let one = smallest.unwrap();
            assert!(!one.unit.money.left_out.is_empty(), "{code}");
            walk(world, id, &one.award, one);
        }
    });
}

/// What was kept of every award when the run was shown: each fen of each unit, in the base or left out.
fn everybody_adds_up(world: &World, id: SubsidyRunId) {
    let kept = world.read(move |conn| Ok(store::yearly_run::money::list_of_awards(conn, id)?));
    let (awards, charged) = (report(world, id).awards, charged(world));
    assert_eq!(kept.len(), awards.len());
    for (award, (of, money)) in awards.iter().zip(&kept) {
        assert!(award.id == *of && money.adds_up());
        assert_eq!(money.base.number(), based(award), "{of}");
        if award.recipient == Recipient::User {
            let unit = award.organization_id.number();
            assert_eq!(Some(&money.charges.number()), charged.get(&unit), "{unit}");
        }
    }
}

/// An archive proves the money; one in which a fen is missing does not.
fn the_archive_holds_it(world: &World, id: SubsidyRunId) {
    let by = actor(world);
    let archive = world
        .block_on(archive::read(&world.app, &by, id.into()))
        .unwrap();
    let proven = |entries: &Entries| check(entries, Vec::new()).unwrap();
    assert!(
        proven(&archive.entries).verified,
        "{:#?}",
        proven(&archive.entries)
    );
    let name = "subsidy_run/money.jsonl";
    let text = archive.entries.get(name).unwrap();
    let first = text.find("\"charges_fen\":").unwrap() + "\"charges_fen\":".len();
    let more = format!("{}1{}", &text[..first], &text[first..]);
    let mut spoilt = archive.entries.clone();
    spoilt.insert(name.to_owned(), more);
    let said = proven(&spoilt);
    let said: Vec<&str> = said
        .differences
        .iter()
        .map(|one| one.what.as_str())
        .collect();
    assert!(
        said.iter().any(|what| what.contains("do not sum")),
        "{said:?}"
    );
    assert!(said.iter().any(|what| what.contains("SHA-256")), "{said:?}");
    spoilt.remove(name);
    assert!(!proven(&spoilt).verified);
}

/// Nothing of a final run changes when a certification, an invoice or a payment does: what it was told from was frozen.
#[test]
fn what_changes_later_changes_no_final_run() {
    on_both_imported(|world| {
        let changed = |change: &str| {
            let refused = super::standing::forced(world, change.to_owned());
            assert_eq!(refused, None, "{change}");
        };
        changed("UPDATE certification SET valid_from_on = '2025-04-01'");
        let text = two_pools("by-record", "pro_rata");
        let terms = Terms {
            parameters: vec!["host_rate=0.12".to_owned()],
            ..terms(2025, &["hosts=100000", "users=30000"])
        };
        let code = store_pack(world, &text);
        let id = shared_out(world, code, &terms).unwrap();
        let draft = each_fen_is_told(world, id, 2);
        finish(world, id);
        everybody_adds_up(world, id);
        let before = each_fen_is_told(world, id, 2);
        assert_eq!(format!("{draft:?}"), format!("{before:?}"));
        let verified = verify(world, id);
        assert!(verified.verified && verified.changed_certifications.is_empty());
        for change in [
            "certification SET valid_from_on = NULL, valid_until_on = '2025-07-31'",
            "invoice_line SET annulled_event_id = (SELECT MAX(id) FROM event) WHERE charge_id % 5 = 0",
            "payment SET state = 'reversed', ended_event_id = (SELECT MAX(id) FROM event) WHERE id % 7 = 0",
        ] {
            changed(&format!("UPDATE {change}"));
        }
        let verified = verify(world, id);
        assert!(verified.verified && verified.money_agrees, "{verified:#?}");
        assert!(!verified.changed_certifications.is_empty());
        for one in &verified.changed_certifications {
            assert!(
                one.frozen != one.present && !one.certification.is_empty(),
                "{one:?}"
            );
        }
        let after = each_fen_is_told(world, id, 2);
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        the_archive_holds_it(world, id);
        // What was kept stands, and verifying tells where the records say otherwise.
        changed("UPDATE charge SET amount_fen = amount_fen + 1");
        let verified = verify(world, id);
        assert!(!verified.verified && !verified.money_agrees);
        let by_hand = told(world, id, &before[0].award, Choice::default());
        assert_eq!(by_hand.unit.money, before[0].unit.money);
    });
}
