//! The clean year gives no serious finding; faults planted in a copy of it are found.

use diesel::RunQueryDsl;
use yiqi::domain::finding::{FindingRule, Severity};
use yiqi::operations::yearly_run::{self, Asked, Request};
use yiqi::store::finding::{self, Filter};

use super::{actor, on_both_imported};
use crate::world::World;

fn found(world: &World) -> Vec<FindingRule> {
    let request = Request {
        asked: Asked {
            year: 2025,
            policy: "hebei-2026".to_owned(),
            ..Asked::default()
        },
        budget: None,
    };
    let by = actor(world);
    let run = yearly_run::run(&world.app, &by, request, |_| ());
    world.block_on(run).unwrap();
    let all = Filter {
        limit: 100_000,
        ..Filter::default()
    };
    let found = world.read(move |conn| Ok(finding::list(conn, &all).unwrap()));
    let mut rules: Vec<_> = found.into_iter().map(|one| one.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

/// Of the pair that trades most one way: both ways alike, at one address; and faults of single records.
const FAULTS: &[&str] = &[
    "UPDATE usage_record SET run_minutes = run_minutes + 1440 WHERE id = (SELECT MIN(id) FROM usage_record)",
    "UPDATE usage_record SET channel = 9 WHERE id = (SELECT MAX(id) FROM usage_record)",
    "UPDATE instrument SET accepted_on = '2025-12-01' WHERE id = (SELECT MIN(instrument_id) FROM usage_record)",
    "UPDATE usage_record SET prepare_minutes = 0, post_minutes = 0, run_minutes = 1 \
     WHERE instrument_id = (SELECT MAX(instrument_id) FROM usage_record)",
    "UPDATE usage_record SET operator = '{\"name\":\"张工\"}' WHERE organization_id = (SELECT organization_id \
     FROM usage_record GROUP BY organization_id ORDER BY COUNT(*) DESC, organization_id LIMIT 1)",
    "UPDATE organization SET address = '裕华东路 1 号'",
    "UPDATE invoice SET invoice_no = (SELECT LOWER(x.invoice_no) || '-' FROM invoice x WHERE x.id = (SELECT MIN(id) FROM invoice)) \
     WHERE id = (SELECT MAX(id) FROM invoice)",
];

#[test]
fn the_clean_year_has_nothing_serious_and_planted_faults_are_found() {
    on_both_imported(|world| {
        let clean = found(world);
        let serious = |rules: &[FindingRule]| -> Vec<FindingRule> {
            let serious = |rule: &&FindingRule| rule.severity() == Severity::Serious;
            rules.iter().filter(serious).copied().collect()
        };
        assert_eq!(serious(&clean), []);
        world.write(|tx| {
            for fault in FAULTS {
                diesel::sql_query(*fault).execute(tx)?;
            }
            Ok(())
        });
        let planted = found(world);
        for rule in [
            FindingRule::Over24Hours,
            FindingRule::Overlap,
            FindingRule::BeforeAcceptance,
            FindingRule::IdenticalDurations,
            FindingRule::OperatorTwice,
            FindingRule::InvoiceSeenBefore,
            FindingRule::RelatedCustomer,
        ] {
            assert!(planted.contains(&rule), "{rule}: {planted:?}");
        }
    });
}

fn plant(world: &World, faults: &'static [&'static str]) {
    world.write(move |tx| {
        for fault in faults {
            diesel::sql_query(*fault).execute(tx)?;
        }
        Ok(())
    });
}

/// The contact of one unit is that of every other, too.
const ONE_CONTACT: &str = "UPDATE organization SET public_contact = COALESCE((SELECT o.public_contact FROM organization o \
     WHERE o.public_contact IS NOT NULL ORDER BY o.id LIMIT 1), '0311-86000000')";

#[test]
fn a_customer_with_the_contact_of_the_host_is_found() {
    on_both_imported(|world| {
        assert!(!found(world).contains(&FindingRule::RelatedCustomer));
        plant(world, &[ONE_CONTACT]);
        assert!(found(world).contains(&FindingRule::RelatedCustomer));
    });
}

/// The first host and the last use each other once, for 30,000 yuan each.
const CIRCLE: &[&str] = &[
    "UPDATE usage_record SET organization_id = host_organization_id WHERE host_organization_id IN ((SELECT MIN(x.host_organization_id) \
     FROM usage_record x), (SELECT MAX(x.host_organization_id) FROM usage_record x)) AND organization_id IN \
     ((SELECT MIN(x.host_organization_id) FROM usage_record x), (SELECT MAX(x.host_organization_id) FROM usage_record x))",
    "UPDATE usage_record SET organization_id = (SELECT MAX(x.host_organization_id) FROM usage_record x) WHERE id = (SELECT MIN(u.id) \
     FROM usage_record u JOIN charge c ON c.usage_record_id = u.id AND c.state <> 'voided' AND c.amount_fen > 0 \
     WHERE u.organization_id <> u.host_organization_id \
     AND u.host_organization_id = (SELECT MIN(x.host_organization_id) FROM usage_record x))",
    "UPDATE usage_record SET organization_id = (SELECT MIN(x.host_organization_id) FROM usage_record x) WHERE id = (SELECT MIN(u.id) \
     FROM usage_record u JOIN charge c ON c.usage_record_id = u.id AND c.state <> 'voided' AND c.amount_fen > 0 \
     WHERE u.organization_id <> u.host_organization_id \
     AND u.host_organization_id = (SELECT MAX(x.host_organization_id) FROM usage_record x))",
    "UPDATE charge SET amount_fen = 3000000 WHERE usage_record_id IN (SELECT u.id FROM usage_record u \
     WHERE u.organization_id <> u.host_organization_id AND u.organization_id IN ((SELECT MIN(x.host_organization_id) \
     FROM usage_record x), (SELECT MAX(x.host_organization_id) FROM usage_record x)) AND u.host_organization_id IN \
     ((SELECT MIN(x.host_organization_id) FROM usage_record x), (SELECT MAX(x.host_organization_id) FROM usage_record x)))",
];

#[test]
fn two_units_that_pay_each_other_alike_are_found_with_the_records_of_both() {
    on_both_imported(|world| {
        assert!(!found(world).contains(&FindingRule::CircularTrade));
        plant(world, CIRCLE);
        assert!(found(world).contains(&FindingRule::CircularTrade));
        let circles = Filter {
            rules: vec![FindingRule::CircularTrade],
            limit: 10,
            ..Filter::default()
        };
        let found = world.read(move |conn| Ok(finding::list(conn, &circles).unwrap()));
        let [circle] = found.as_slice() else {
            panic!("{found:?}");
        };
        let id = circle.id;
        let records =
            world.read(move |conn| Ok(finding::record::list(conn, id, None, 10).unwrap()));
        assert_eq!((circle.records, records.len()), (2, 2));
        let hosts: std::collections::BTreeSet<_> =
            records.iter().map(|record| record.instrument_id).collect();
        assert_eq!(hosts.len(), 2);
    });
}
