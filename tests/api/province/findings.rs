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
