//! Runs of packs that are not the default one: what the database pays is what the same pack pays on the folder of facts, on both
//! databases, and every run can be verified.

use std::collections::BTreeMap;

use yiqi::domain::run::RunId;
use yiqi::exchange::facts::FactsFile;
use yiqi::exchange::subsidy_json::{self, PrintedRun};
use yiqi::exchange::trial::{self, PrintedTrial, Terms};
use yiqi::operations::policy_pack;
use yiqi::operations::yearly_run::{self, Asked, Budget, Request, RunPhase};

use super::*;

const HEAD: &str = r#"
version = 1
title = "任意办法"
issuer = "某厅"

[metrics.income_fen]
of = "income.payer_fen"
user = "external"

[metrics.external_minutes]
of = "usage.effective_minutes"
user = "external"
"#;

const HOSTS: &str = r#"
[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "income_fen"
steps = [
  { do = "rate", rate = "$host_rate" },
  { do = "cap", max_fen = 3_000_000 },
  { do = "sum", by = "organization" },
  { do = "pool", of = "hosts", how = "pro_rata" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

const USERS: &str = r#"
[[awards]]
id = "users"
recipient = "user"
per = "service"
base = "income_fen"
exclude = ["related_party"]
steps = [
  { do = "rate", choose = "highest", rates = [{ rate = "0.10" }, { rate = "0.20", when = { user_is = ["sme"] } }] },
  { do = "sum", by = "organization" },
  { do = "cap", max_fen = 5_000_000 },
  { do = "pool", of = "users", how = "HOW" },
  { do = "round", unit_fen = 1, direction = "floor", rest = "unspent" },
]
"#;

const ONE_AWARD: &str = r#"
[[awards]]
id = "hosts"
recipient = "host"
per = "instrument"
base = "income_fen"
steps = [
  { do = "rate", rate = "0.20" },
  { do = "sum", by = "organization" },
  { do = "pool", how = "pro_rata" },
  { do = "round", unit_fen = 100, direction = "floor", rest = "unspent" },
]
"#;

const SCORES: &str = r#"
[evaluation]
per = "instrument"

[[scores]]
id = "M1"
name = "对外机时"
max = "100"
shape = "linear"
full_at = "60000"
when_empty = "zero"
value = { metric = "external_minutes" }

[grades]
thresholds = { excellent = "80", good = "60", pass = "30" }
"#;

fn pack(code: &str, year: &str, rest: &[&str]) -> String {
    let (year, rest) = (
        format!("\n[year]\nsource = \"proposal\"\n{year}\n"),
        rest.concat(),
    );
    format!("code = \"{code}\"\n{HEAD}{year}{rest}")
}

pub(super) fn two_pools(code: &str, how: &str) -> String {
    let parameters =
        "\n[parameters.host_rate]\nat_most = \"0.15\"\n\n[pools]\nhosts = {}\nusers = {}\n";
    pack(code, "", &[parameters, HOSTS, &USERS.replace("HOW", how)])
}

/// What the pack comes to on the folder that the world was imported from.
fn tried(text: &str, terms: &Terms) -> PrintedTrial {
    let open = |file: FactsFile| -> std::io::Result<Option<Box<dyn std::io::Read>>> {
        let path = seeds().join(file.as_str());
        Ok(match path.exists() {
            true => Some(Box::new(std::fs::File::open(path)?)),
            false => None,
        })
    };
    trial::run(text, terms, &open).unwrap().printed
}

/// Stores a pack in force.
pub(super) fn store_pack(world: &World, text: &str) -> String {
    let policy = policy_pack::read(text).unwrap();
    let (content, now) = (text.to_owned(), world.now());
    let (code, name) = (policy.code.clone(), policy.code);
    world.write(move |tx| {
        let new = store::policy::NewPack {
            code: code.clone(),
            version: 1,
            title: "任意办法".to_owned(),
            digest: yiqi::domain::policy::digest(&content),
            content: content.clone(),
            created_at: now,
            created_by: None,
        };
        let id = store::policy::insert(tx, &new)?;
        let pack = store::policy::get(tx, id)?;
        store::policy::update_to_in_force(tx, &pack, now.local_date(), None)?;
        Ok(())
    });
    name
}

pub(super) fn shared_out(
    world: &World,
    code: String,
    terms: &Terms,
) -> Result<SubsidyRunId, AppError> {
    let said = |text: &String| {
        let (name, value) = text.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    let mut budget = Budget {
        claim: terms.claim.clone(),
        ..Budget::default()
    };
    for text in &terms.budgets {
        match text.split_once('=') {
            Some((pool, yuan)) => {
                let fen = Fen::of_yuan(yuan).unwrap();
                budget.by_pool.insert(pool.to_owned(), fen);
            }
            None => budget.fen = Some(Fen::of_yuan(text).unwrap()),
        }
    }
    let request = Request {
        asked: Asked {
            year: terms.year,
            policy: code,
            parameters: terms.parameters.iter().map(said).collect(),
            ..Asked::default()
        },
        budget: Some(budget),
    };
    let by = actor(world);
    let mut phases: Vec<RunPhase> = Vec::new();
    let run = yearly_run::run(&world.app, &by, request, |phase| phases.push(phase));
    match world.block_on(run)? {
        RunId::SubsidyRun(id) => Ok(id),
        other => panic!("{other:?}"),
    }
}

pub(super) fn report(world: &World, id: SubsidyRunId) -> yearly_run::awards::Report {
    let by = actor(world);
    let report = yearly_run::awards::report(&world.app, &by, Action::SubsidyGet, id);
    world.block_on(report).unwrap()
}

pub(super) fn document(world: &World, id: SubsidyRunId) -> PrintedRun {
    subsidy_json::of_report(&report(world, id)).unwrap()
}

/// Who gets how much of which award; units that get nothing and brought nothing may be told or not.
pub(super) fn money(awards: &[trial::PrintedAward]) -> BTreeMap<(String, String), (String, i64)> {
    let units = awards.iter().flat_map(|award| {
        let units = award.units.iter().map(|unit| {
            let key = (award.award_code.clone(), unit.uscc.clone());
            (key, (unit.before_pool_fen.clone(), unit.award_fen))
        });
        units.collect::<Vec<_>>()
    });
    units
        .filter(|(_, (before, _))| before != "0.0000")
        .collect()
}

pub(super) fn terms(year: i32, budgets: &[&str]) -> Terms {
    Terms {
        year,
        budgets: budgets.iter().map(|text| (*text).to_owned()).collect(),
        ..Terms::default()
    }
}

#[test]
fn the_records_pay_what_the_folder_pays() {
    let parameters = vec!["host_rate=0.12".to_owned()];
    let window = |claim: &str| Terms {
        claim: Some(claim.to_owned()),
        ..terms(2025, &["90000"])
    };
    let cases = [
        (
            two_pools("two-pools", "pro_rata"),
            Terms {
                parameters: parameters.clone(),
                ..terms(2025, &["hosts=100000", "users=30000.55"])
            },
        ),
        (
            two_pools("first-come", "first_come"),
            Terms {
                parameters,
                ..terms(2025, &["hosts=100000", "users=9000"])
            },
        ),
        (
            pack("halves", "claims = [\"01-01\", \"07-01\"]", &[ONE_AWARD]),
            window("07-01"),
        ),
        (
            pack("from-july", "starts = \"07-01\"", &[ONE_AWARD]),
            terms(2024, &["50000"]),
        ),
        (
            pack("single-instruments", "", &[SCORES, ONE_AWARD]),
            terms(2025, &["300000"]),
        ),
    ];
    on_both_imported(|world| {
        for (text, terms) in &cases {
            let expected = tried(text, terms);
            let code = store_pack(world, text);
            let id = shared_out(world, code.clone(), terms).unwrap();
            let printed = document(world, id);
            assert_eq!(printed.pools, expected.pools, "{code}");
            assert_eq!(money(&printed.awards), money(&expected.awards), "{code}");
            assert!(!money(&printed.awards).is_empty(), "{code}");
            assert_eq!(printed.parameters, expected.parameters, "{code}");
            assert_eq!(printed.claim, expected.claim, "{code}");
            let units = |units: &[subsidy_json::PrintedUnit]| {
                let mut units: Vec<_> = units
                    .iter()
                    .map(|unit| (unit.uscc.clone(), unit.instruments.clone()))
                    .collect();
                units.sort_by(|one, other| one.0.cmp(&other.0));
                units
            };
            assert_eq!(units(&printed.units), units(&expected.units), "{code}");
            let verified = verify(world, id);
            assert!(verified.verified, "{code}: {verified:#?}");
        }
    });
}

#[test]
fn an_amount_of_several_awards_is_explained() {
    let text = two_pools("two-pools", "pro_rata");
    let mut of = terms(2025, &["hosts=100000", "users=30000"]);
    of.parameters.push("host_rate=0.15".to_owned());
    on_both_imported(|world| {
        let code = store_pack(world, &text);
        let id = shared_out(world, code, &of).unwrap();
        let report = report(world, id);
        let mut codes: Vec<&str> = report
            .awards
            .iter()
            .map(|award| award.award_code.as_str())
            .collect();
        codes.dedup();
        assert_eq!(codes, ["hosts", "users"]);
        for code in ["hosts", "users"] {
            let paid = report
                .awards
                .iter()
                .find(|award| award.award_code == code && award.award_fen.number() > 0);
            let award = paid.unwrap();
            let by = actor(world);
            let choice = Ok(Choice {
                limit: 10,
                ..Choice::default()
            });
            let told = yearly_run::explain::explain(&world.app, &by, (id, award.id), choice);
            let told = world.block_on(told).unwrap();
            let last = told.steps.last().unwrap();
            assert_eq!(
                last.step.after_fen,
                award.award_fen.number().to_string(),
                "{code}"
            );
            assert_eq!(told.unit.total, None);
        }
    });
}

/// What an earlier final run paid for is not paid again where the pack says so; a window may be final while the rest of the year is
/// not.
#[test]
fn what_an_earlier_final_run_paid_is_known() {
    let once = ONE_AWARD.replace("base =", "only = [{ awarded_before = [\"no\"] }]\nbase =");
    let text = pack("once", "claims = [\"01-01\", \"07-01\"]", &[&once]);
    let half = |claim: &str| Terms {
        claim: Some(claim.to_owned()),
        ..terms(2025, &["900000"])
    };
    on_both_imported(|world| {
        let code = store_pack(world, &text);
        let first = shared_out(world, code.clone(), &half("01-01")).unwrap();
        let before = shared_out(world, code.clone(), &half("07-01")).unwrap();
        finish(world, first);
        let after = shared_out(world, code.clone(), &half("07-01")).unwrap();
        let bases = |id| -> BTreeMap<String, i64> {
            let awards = report(world, id).awards.into_iter();
            let all = awards.flat_map(|award| award.instruments.into_inner());
            let paid = all.filter(|base| base.base_fen.number() > 0);
            paid.map(|base| (base.asset_no, base.base_fen.number()))
                .collect()
        };
        let paid_once = bases(first);
        let (mut before, after) = (bases(before), bases(after));
        before.retain(|asset_no, _| !paid_once.contains_key(asset_no));
        assert_eq!(before, after);
        assert!(verify(world, first).verified);
        let locked = |day: &'static str| {
            let days = [day.parse().unwrap()];
            let read = world
                .app
                .store
                .read(move |conn| yearly_run::refuse_locked(conn, &days));
            world.block_on(read).map_err(conflict)
        };
        assert_eq!(locked("2025-06-30"), Err(Code::period_locked));
        assert_eq!(locked("2025-07-01"), Ok(()));
        let again = shared_out(world, code, &half("01-01")).unwrap();
        let by = Actor::caller_at(administrator(world, "admin@province.example"), world.now());
        let action =
            yearly_run::action_of(yiqi::domain::run::RunKind::SubsidyRun, RunDecision::Publish);
        let deciding = Run::direct(&world.app, &by, action);
        let refused = world.block_on(yearly_run::decide(
            &deciding,
            again.into(),
            Ok(Default::default()),
        ));
        assert_eq!(
            conflict(refused.map(|_| ()).unwrap_err()),
            Code::final_exists
        );
    });
}

pub(super) fn finish(world: &World, id: SubsidyRunId) {
    let by = Actor::caller_at(administrator(world, "admin@province.example"), world.now());
    let decided = |decision, by: &Actor| {
        let action = yearly_run::action_of(yiqi::domain::run::RunKind::SubsidyRun, decision);
        let deciding = Run::direct(&world.app, by, action);
        let statement = Ok(yearly_run::Statement::default());
        world
            .block_on(yearly_run::decide(&deciding, id.into(), statement))
            .unwrap();
    };
    decided(RunDecision::Publish, &by);
    crate::given::notice_over(world);
    let by = Actor::caller_at(administrator(world, "deputy@province.example"), world.now());
    decided(RunDecision::Finalize, &by);
}
