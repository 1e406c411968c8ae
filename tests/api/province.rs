//! The year of a small province: imported, frozen, graded, shared out, verified, explained; against figures that an independent
//! program computed.

mod any_pack;
mod correcting;
pub mod course;
mod every_pack;
mod findings;
mod importing;
mod left_out;
mod reading;
mod standing;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use diesel::prelude::*;
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;
use yiqi::domain::access::{Action, Role};
use yiqi::domain::charge::PaymentSource;
use yiqi::domain::evaluation::Relation;
use yiqi::domain::run::RunDecision;
use yiqi::domain::tariff::{Period, Tariff};
use yiqi::domain::usage::UsageState;
use yiqi::domain::{Fen, Instant, Minutes, OrganizationId, SubsidyRunId, Uscc};
use yiqi::error::{AppError, Code};
use yiqi::exchange::province::ProvinceYear;
use yiqi::exchange::subsidy_json;
use yiqi::operations::actor::Actor;
use yiqi::operations::province::{self, FileSummary, ProvinceFile};
use yiqi::operations::run::Run;
use yiqi::operations::yearly_run::explain::{Choice, Explanation};
use yiqi::operations::yearly_run::freeze;
use yiqi::operations::yearly_run::verify::Verification;
use yiqi::operations::{policy, session, yearly_run};
use yiqi::store::event::{NewEvent, Subject};
use yiqi::store::related_party::NewRelatedParty;
use yiqi::store::yearly_input::{self, Scope, Side};
use yiqi::store::{self, Conn, migration};

use crate::world::{self, Backend, KEYS, Template, World, open_store};

static BLANK: Template = Template::new(fill_blank);
static IMPORTED: Template = Template::new(fill_imported);

/// Seeded, with the shipped policies, and without anybody.
fn fill_blank(backend: Backend, url: &str) {
    let database: store::Database = url.parse().unwrap();
    migration::migrate(&database, true).unwrap();
    let world = open(backend, url);
    world.block_on(async {
        yiqi::cli::seed::load(&world.app).await.unwrap();
        let now = world.app.clock.now();
        policy::install_shipped(&world.app, now).await.unwrap();
    });
    world.app.store.drain();
}

/// The same with the province's year as it is shipped.
fn fill_imported(backend: Backend, url: &str) {
    fill_blank(backend, url);
    let world = open(backend, url);
    import(&world, shipped()).unwrap();
    world.app.store.drain();
}

/// The application on a database, without a server.
fn open(backend: Backend, url: &str) -> World {
    let app = App::new(
        open_store(url.parse().unwrap(), 2),
        Clock::fixed("2026-04-13T09:00:00+08:00".parse().unwrap()),
        world::config(url),
        TokenKeys::parse(KEYS).unwrap(),
    );
    World::new(app, backend)
}

/// Tells a story of each database that begins blank.
fn on_both(story: impl Fn(&World)) {
    on_both_from(&BLANK, story);
}

/// Tells a story of each database that begins with the year imported.
fn on_both_imported(story: impl Fn(&World)) {
    on_both_from(&IMPORTED, story);
}

fn on_both_from(template: &Template, story: impl Fn(&World)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        if let Some(url) = template.copy(backend) {
            let world = open(backend, &url);
            story(&world);
            world.app.store.drain();
            drop(world);
            world::remove_database(backend, &url);
        }
    }
}

fn seeds() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds/province-2025")
}

/// The files of the package; `change` may rewrite the text of one.
fn source(change: fn(ProvinceFile, String) -> String) -> Arc<ProvinceYear> {
    let open = move |file: ProvinceFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let text = std::fs::read_to_string(seeds().join(file.as_str()))?;
        Ok(Box::new(std::io::Cursor::new(change(file, text))))
    };
    Arc::new(ProvinceYear::check(2025, &["A4", "B3"].map(str::to_owned), Box::new(open)).unwrap())
}

/// The files of the package as they are.
fn shipped() -> Arc<ProvinceYear> {
    static SHIPPED: OnceLock<Arc<ProvinceYear>> = OnceLock::new();
    SHIPPED.get_or_init(|| source(|_, text| text)).clone()
}

fn actor(world: &World) -> Actor {
    Actor::system(world.now())
}

fn import(world: &World, source: Arc<ProvinceYear>) -> Result<Vec<FileSummary>, AppError> {
    world.block_on(province::import(&world.app, &actor(world), source, false))
}

fn run(world: &World) -> SubsidyRunId {
    match try_run(world).unwrap() {
        yiqi::domain::run::RunId::SubsidyRun(id) => id,
        other => panic!("{other:?}"),
    }
}

fn try_run(world: &World) -> Result<yiqi::domain::run::RunId, AppError> {
    let budget = yearly_run::Budget {
        fen: Some(Fen::new(30_000_000)),
        ..Default::default()
    };
    let request = yearly_run::Request {
        asked: yearly_run::Asked {
            year: 2025,
            policy: "hebei-2026".to_owned(),
            ..Default::default()
        },
        budget: Some(budget),
    };
    let actor = actor(world);
    world.block_on(yearly_run::run(&world.app, &actor, request, |_| ()))
}

/// A decision of somebody who decides for the province: of the first person, of a second one where it becomes final, after the
/// notice. The draft evaluation is published before its run.
fn decide(world: &World, id: SubsidyRunId, decision: RunDecision) -> Result<(), AppError> {
    let login = match decision {
        RunDecision::Finalize => "deputy@province.example",
        _ => "admin@province.example",
    };
    if decision == RunDecision::Finalize {
        crate::given::notice_over(world);
    }
    let actor = Actor::caller_at(administrator(world, login), world.now());
    let run = world.read(move |conn| Ok(store::yearly_run::subsidy::get(conn, id)?));
    let basis = yiqi::domain::run::RunId::from(run.evaluation_id.unwrap());
    let decide = |id: yiqi::domain::run::RunId| {
        let action = yearly_run::action_of(id.kind(), decision);
        let deciding = Run::direct(&world.app, &actor, action);
        let said = yearly_run::Statement {
            reason: Some("重算".to_owned()),
            ..Default::default()
        };
        let decided = world.block_on(yearly_run::decide(&deciding, id, Ok(said)));
        decided.map(|_| ())
    };
    if decision == RunDecision::Publish {
        decide(basis)?;
    }
    decide(id.into())
}

/// An administrator of that login; the year's organizations have no members.
fn administrator(world: &World, login: &'static str) -> yiqi::domain::access::Caller {
    let found = || world.block_on(session::caller_of_login(&world.app, login));
    let now = world.now();
    if found().is_err() {
        world.write(move |tx| {
            let administrator = store::user::NewUser {
                organization_id: yearly_input::list_members(tx)?.remove(0).id,
                login: login.to_owned(),
                name: "管理员".to_owned(),
                phone: None,
                password_hash: String::new(),
                roles: vec![Role::PlatformAdmin],
                now,
            };
            Ok(store::user::insert(tx, &administrator)?)
        });
    }
    found().unwrap()
}

fn verify(world: &World, id: SubsidyRunId) -> Verification {
    let actor = actor(world);
    let verify = yearly_run::verify::verify(&world.app, &actor, id, |_| ());
    world.block_on(verify).unwrap()
}

fn explained(world: &World, id: SubsidyRunId, uscc: &Uscc, choice: Choice) -> Explanation {
    let actor = actor(world);
    let of = (id, uscc.clone());
    let explain = yearly_run::explain::explain_unit(&world.app, &actor, of, choice);
    world.block_on(explain).unwrap()
}

fn printed(world: &World, id: SubsidyRunId) -> String {
    let actor = actor(world);
    let report = yearly_run::awards::report(&world.app, &actor, Action::SubsidyAwardList, id);
    let report = world.block_on(report).unwrap();
    subsidy_json::of_report(&report).unwrap().to_text().unwrap()
}

/// The document of a run says of the year what the independent program computed; what a pack with one award and one pool has
/// besides stands beside it.
pub fn assert_is_the_year(document: &str) {
    let expected = std::fs::read_to_string(seeds().join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&expected).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(document).unwrap();
    let members = document.as_object_mut().unwrap();
    let mut beside = |name: &str| members.remove(name).unwrap();
    assert_eq!(beside("claim"), serde_json::Value::Null);
    assert_eq!(beside("parameters"), serde_json::json!({}));
    let pools = beside("pools");
    assert_eq!(beside("awards").as_array().unwrap().len(), 1);
    assert_eq!(document, expected);
    let only = pools.as_array().unwrap().first().unwrap();
    for same in ["budget_fen", "factor", "awarded_fen", "unspent_fen"] {
        assert_eq!(only[same], expected[same], "{same}");
    }
}

fn conflict(error: AppError) -> Code {
    match error {
        AppError::Conflict(conflict) => conflict.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_year_comes_out_to_the_fen_and_can_be_verified() {
    on_both_imported(|world| {
        let first = run(world);
        assert_is_the_year(&printed(world, first));

        let verify = |id| verify(world, id);
        let second = run(world);
        let (one, two) = (verify(first), verify(second));
        assert_eq!(one.stored.input_digest, two.stored.input_digest);
        assert_eq!(one.stored.result_digest, two.stored.result_digest);
        assert!(one.verified, "{one:#?}");
        assert!(one.changed_records.is_empty());

        // The notice of the holidays changes later: what was on time stays so.
        world.write(|tx| {
            let removed = diesel::delete(store::schema::public_holiday::table).execute(tx);
            removed.map_err(store::StoreError::from)?;
            Ok(store::calendar::refresh(tx)?)
        });
        let calendar_changed = verify(first);
        assert!(calendar_changed.verified, "{calendar_changed:#?}");

        let changed = change_a_record(world);
        let after = verify(first);
        assert!(after.verified, "{after:#?}");
        assert_eq!(after.changed_records.len(), 1);
        assert_eq!(after.changed_records[0].usage_record_id, changed);
        let third = verify(run(world));
        assert_ne!(third.stored.input_digest, one.stored.input_digest);
    });
}

/// Minutes and income of one using unit with one host, before a moment and from then on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sides {
    before: (i64, i64),
    after: (i64, i64),
}

#[test]
fn a_relation_that_begins_within_the_year_divides_it() {
    on_both_imported(|world| {
        let since: Instant = "2025-06-16T00:00:00+08:00".parse().unwrap();
        let now = world.now();
        let (host, user, told) = world.read(move |conn| {
            let newest = store::event::newest(conn)?;
            let scope = freeze::scope(&freeze::calendar_year(2025)?, now, newest)?;
            Ok(busiest_pair(conn, &scope, since)?)
        });
        let relation = NewRelatedParty {
            organization_id: user,
            related_organization_id: host,
            relation: None,
            since,
            until: None,
            verified_at: Some(now),
            now,
        };
        world.write(move |tx| Ok(store::related_party::insert(tx, &relation)?));
        let calendar = world.block_on(world.app.calendar()).unwrap();
        let frozen = world.read(move |conn| {
            let newest = store::event::newest(conn)?;
            let scope = freeze::scope(&freeze::calendar_year(2025)?, now, newest)?;
            let pack = policy::get_named(conn, "hebei-2026", now.local_date())?;
            let pack = policy::open(&pack)?;
            Ok(freeze::read(
                conn,
                &scope,
                &pack,
                &calendar,
                BTreeMap::new(),
                None,
            )?)
        });
        let mut sides = Sides::default();
        let unit = frozen.units().find(|unit| unit.organization_id == host);
        let instruments = unit.unwrap().instruments.iter();
        for cell in instruments.flat_map(|instrument| &instrument.cells) {
            if cell.key.using_unit_id == user {
                let side = match cell.key.relation {
                    Relation::External => &mut sides.before,
                    _ => &mut sides.after,
                };
                side.0 += cell.service.effective_minutes.number();
                side.1 += cell.service.payer_fen.number();
            }
        }
        assert_eq!(sides, told);
    });
}

/// A host and a using unit that had nothing to do with each other, with use and income on both sides of a moment; and how
/// much, added up record by record.
fn busiest_pair(
    conn: &mut Conn,
    scope: &Scope,
    since: Instant,
) -> store::Result<(OrganizationId, OrganizationId, Sides)> {
    let related = yearly_input::list_related(conn, scope)?;
    for member in yearly_input::list_members(conn)? {
        let host = member.id;
        let mut records = yearly_input::list_records(conn, scope, Side::Host(host), None, 100_000)?;
        records.retain(|record| record.state == UsageState::Confirmed);
        let ids: Vec<_> = records.iter().map(|record| record.id).collect();
        let mut paid = BTreeMap::new();
        for income in yearly_input::list_income_of(conn, scope, &ids)? {
            if income.source == PaymentSource::Payer {
                *paid.entry(income.usage_record_id).or_insert(0) += income.amount_fen.number();
            }
        }
        let mut users: BTreeMap<OrganizationId, Sides> = BTreeMap::new();
        for record in records {
            let sides = users.entry(record.organization_id).or_default();
            let side = match record.ended_at < since {
                true => &mut sides.before,
                false => &mut sides.after,
            };
            let period = &scope.period;
            if period.starts_at() <= record.ended_at && record.ended_at < period.ends_at() {
                let minutes = [
                    record.prepare_minutes,
                    record.run_minutes,
                    record.post_minutes,
                ];
                side.0 += minutes.iter().map(|minutes| minutes.number()).sum::<i64>();
            }
            side.1 += paid.get(&record.id).copied().unwrap_or(0);
        }
        let found = users.into_iter().find(|(user, sides)| {
            let known = |(one, other, _): &(_, _, _)| {
                (*one, *other) == (host, *user) || (*one, *other) == (*user, host)
            };
            let (before, after) = (sides.before, sides.after);
            *user != host
                && !related.iter().any(known)
                && before.0.min(before.1).min(after.0).min(after.1) > 0
        });
        if let Some((user, sides)) = found {
            return Ok((host, user, sides));
        }
    }
    panic!("no host has such a using unit")
}

/// Takes 7 minutes off a confirmed record, as a correction does.
fn change_a_record(world: &World) -> yiqi::domain::UsageRecordId {
    world.advance(10);
    let now = world.now();
    world.write(move |tx| {
        let services = store::province::list_services(tx, &["U20250000001".to_owned()])?;
        let record = services["U20250000001"].record.clone();
        assert_eq!(record.state, UsageState::Confirmed);
        let event = NewEvent::new(
            now,
            yiqi::domain::access::Action::UsageRecordCorrect,
            Subject::new("usage_record", record.id),
        );
        let mut columns = record.columns();
        columns.event_id = store::event::append(tx, &event)?;
        columns.run_minutes = Minutes::new(record.run_minutes.number() - 7);
        columns.updated_at = now;
        store::usage::update(tx, &record, columns)?;
        Ok(record.id)
    })
}

/// The new text of a file, if it changes.
type Change = fn(ProvinceFile, &str) -> Option<String>;

/// The files of the package, changed.
fn respelled(change: Change) -> Arc<ProvinceYear> {
    let open = move |file: ProvinceFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let text = std::fs::read_to_string(seeds().join(file.as_str()))?;
        let text = change(file, &text).unwrap_or(text);
        Ok(Box::new(std::io::Cursor::new(text)))
    };
    Arc::new(ProvinceYear::check(2025, &["A4", "B3"].map(str::to_owned), Box::new(open)).unwrap())
}

/// The scores of one evaluated unit by their ids, as printed, by its code.
fn scores(world: &World, id: SubsidyRunId, uscc: &str) -> BTreeMap<String, String> {
    let printed: serde_json::Value = serde_json::from_str(&printed(world, id)).unwrap();
    let units = printed["units"].as_array().unwrap();
    let unit = units.iter().find(|unit| unit["uscc"] == uscc).unwrap();
    serde_json::from_value(unit["scores"].clone()).unwrap()
}

#[test]
fn experts_give_any_decimal() {
    on_both(|world| {
        let third = source(|file, text| match file {
            ProvinceFile::ExpertScores => {
                text.replacen("12130302BYC46N1249,2,6", "12130302BYC46N1249,3.14286,6", 1)
            }
            _ => text,
        });
        import(world, third).unwrap();
        let id = run(world);
        assert_eq!(scores(world, id, "12130302BYC46N1249")["A4"], "3.1429");
        assert!(verify(world, id).verified);
    });
}

#[test]
fn what_came_after_the_year_does_not_count_for_it() {
    on_both_imported(|world| {
        let uscc = "12130302BYC46N1249";
        let before = scores(world, run(world), uscc);
        world.advance(60);
        let now = world.now();
        // Every instrument of the platform gets a back-dated price and an exemption.
        world.write(move |tx| {
            use store::schema::{instrument, sharing_exemption};
            let ids: Vec<yiqi::domain::InstrumentId> = instrument::table
                .select(instrument::id)
                .load(tx)
                .map_err(store::StoreError::from)?;
            for id in ids {
                let price = Tariff {
                    customer_class: Some(yiqi::domain::tariff::CustomerClass::Sme),
                    mode: None,
                    period: Period {
                        valid_from: "2020-01-01".parse().unwrap(),
                        valid_until: None,
                    },
                    price_fen_per_hour: Fen::new(100),
                };
                store::tariff::insert(tx, id, &price, now)?;
                let known: i64 = sharing_exemption::table
                    .filter(sharing_exemption::instrument_id.eq(id))
                    .count()
                    .get_result(tx)
                    .map_err(store::StoreError::from)?;
                if known == 0 {
                    store::province::insert_exemption(tx, id, now)?;
                }
            }
            Ok(())
        });
        let after = scores(world, run(world), uscc);
        assert_eq!((&after["A2"], &after["A3"]), (&before["A2"], &before["A3"]));
    });
}

#[test]
fn an_exemption_submitted_on_the_day_of_the_freeze_counts_as_it_came_in() {
    on_both(|world| {
        let late = source(|file, text| match file {
            ProvinceFile::Instruments => {
                let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
                let line =
                    lines[1].replace("2021-07-09,external,false", "2026-04-13,external,true");
                assert_ne!(line, lines[1]);
                lines[1] = line;
                lines.join("\n") + "\n"
            }
            _ => text,
        });
        import(world, late).unwrap();
        let id = run(world);
        let lines = world.read(move |conn| {
            let run = store::yearly_run::subsidy::get(conn, id)?;
            Ok(store::yearly_run::evaluation::list_inputs(
                conn,
                run.evaluation_id.unwrap(),
            )?)
        });
        let line = lines
            .iter()
            .find(|line| line.contains("\tasset_no=25000872\t"))
            .unwrap();
        assert!(line.contains("\texempted=1\t"), "{line}");
    });
}
