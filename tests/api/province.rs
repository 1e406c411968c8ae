//! The year of a small province: imported, frozen, graded, shared out, verified, explained; against figures that an independent
//! program computed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;
use yiqi::domain::charge::PaymentSource;
use yiqi::domain::evaluation::Relation;
use yiqi::domain::run::RunDeed;
use yiqi::domain::usage::UsageState;
use yiqi::domain::{Fen, Instant, Minutes, OrganizationId, SubsidyRunId, Uscc};
use yiqi::error::{AppError, Code};
use yiqi::exchange::province::ProvinceYear;
use yiqi::exchange::subsidy_json;
use yiqi::operations::deed::Actor;
use yiqi::operations::evaluation::freeze;
use yiqi::operations::province::{self, FileSummary, ProvinceFile};
use yiqi::operations::subsidy::explain::Choice;
use yiqi::operations::{policy, subsidy};
use yiqi::store::event::{NewEvent, Subject};
use yiqi::store::related_party::NewRelatedParty;
use yiqi::store::yearly_input::{self, Scope};
use yiqi::store::{self, Conn, Store, migration};

use crate::world::{self, Backend, KEYS, World};

/// A seeded database without anybody, and no server.
fn blank(backend: Backend) -> Option<(World, String)> {
    let url = world::empty_database(backend)?;
    let database: store::Database = url.parse().unwrap();
    migration::migrate(&database, true).unwrap();
    let app = App::new(
        Store::open(database, 2).unwrap(),
        Clock::fixed("2026-03-02T09:00:00+08:00".parse().unwrap()),
        world::config(&url),
        TokenKeys::parse(KEYS).unwrap(),
    );
    let world = World::new(app, backend);
    world.block_on(async {
        yiqi::cli::seed::load(&world.app).await.unwrap();
        world.app.load_calendar().await.unwrap();
        let now = world.app.clock.now();
        policy::install_shipped(&world.app, now).await.unwrap();
    });
    Some((world, url))
}

fn on_both(story: fn(&World)) {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        if let Some((world, url)) = blank(backend) {
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
    Arc::new(ProvinceYear::check(2025, Box::new(open)).unwrap())
}

fn actor(world: &World) -> Actor {
    Actor::System { now: world.now() }
}

fn import(world: &World, source: Arc<ProvinceYear>) -> Result<Vec<FileSummary>, AppError> {
    world.block_on(province::import(&world.app, &actor(world), source))
}

fn run(world: &World) -> SubsidyRunId {
    let request = subsidy::Request {
        year: 2025,
        policy: "hebei-2026".to_owned(),
        budget_fen: Fen::new(30_000_000),
        evaluation_id: None,
    };
    world
        .block_on(subsidy::run(&world.app, &actor(world), request))
        .unwrap()
}

fn printed(world: &World, id: SubsidyRunId) -> String {
    let report = world
        .block_on(subsidy::stored::report(&world.app, id))
        .unwrap();
    let run = subsidy_json::print(
        2025,
        &report.policy,
        &report.evaluation,
        &report.allocation,
        &report.names,
    );
    run.unwrap().to_text().unwrap()
}

fn conflict(error: AppError) -> Code {
    match error {
        AppError::Conflict(conflict) => conflict.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_year_comes_out_to_the_fen_and_can_be_verified() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let first = run(world);
        let expected = std::fs::read_to_string(seeds().join("expected.json")).unwrap();
        assert_eq!(printed(world, first), expected.trim_end());

        let verify = |id| {
            let verify = subsidy::verify::verify(&world.app, id);
            world.block_on(verify).unwrap()
        };
        let second = run(world);
        let (one, two) = (verify(first), verify(second));
        assert_eq!(one.stored.input_digest, two.stored.input_digest);
        assert_eq!(one.stored.result_digest, two.stored.result_digest);
        assert!(one.verified, "{one:#?}");
        assert!(one.changed_records.is_empty());

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
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let since: Instant = "2025-06-16T00:00:00+08:00".parse().unwrap();
        let now = world.now();
        let (host, user, told) = world.read(move |conn| {
            let newest = store::event::newest(conn)?;
            let scope = freeze::scope(2025, now, newest)?;
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
        let calendar = world.app.calendar();
        let frozen = world.read(move |conn| {
            let newest = store::event::newest(conn)?;
            let scope = freeze::scope(2025, now, newest)?;
            let pack = policy::get_named(conn, "hebei-2026")?;
            let pack = policy::open(&pack)?;
            freeze::read(conn, &scope, &pack, &calendar, BTreeMap::new(), None)
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
        let mut records = yearly_input::list_records(conn, scope, host, None, 100_000)?;
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
            "usage_correct",
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

#[test]
fn a_second_import_changes_nothing_and_a_differing_row_refuses_everything() {
    on_both(|world| {
        let first = import(world, source(|_, text| text)).unwrap();
        let rows: Vec<(u64, u64)> = first
            .iter()
            .map(|file| (file.rows, file.inserted))
            .collect();
        let whole = [126, 105, 21_815, 18, 18].map(|rows| (rows, rows));
        assert_eq!(rows, whole);
        let newest = world.read(|conn| Ok(store::event::newest(conn)?));
        world.advance(60);
        let second = import(world, source(|_, text| text)).unwrap();
        assert!(second.iter().all(|file| file.inserted == 0), "{second:?}");
        assert_eq!(world.read(|conn| Ok(store::event::newest(conn)?)), newest);

        let differing = [
            source(|file, text| match file {
                ProvinceFile::Usage => text.replacen(",20,90,0,6,", ",20,89,0,6,", 1),
                _ => text,
            }),
            source(|file, text| match file {
                ProvinceFile::Organizations => text.replacen("燕赵理工大学", "燕赵大学", 1),
                _ => text,
            }),
            source(|file, text| match file {
                ProvinceFile::Instruments => text.replacen("集成电路测试仪", "测试仪", 1),
                _ => text,
            }),
            source(|file, text| match file {
                ProvinceFile::Requests => text.replacen(",30,29", ",30,30", 1),
                _ => text,
            }),
        ];
        for source in differing {
            let refused = import(world, source).unwrap_err();
            assert_eq!(conflict(refused), Code::row_differs);
        }
    });
}

#[test]
fn nothing_is_half_imported() {
    on_both(|world| {
        let unknown = source(|file, text| match file {
            ProvinceFile::ExpertScores => format!("{text}91130000000000000X,1,1\n"),
            _ => text,
        });
        let refused = import(world, unknown).unwrap_err();
        assert!(matches!(refused, AppError::Refused(_)), "{refused:?}");
        let members = world.read(|conn| Ok(store::yearly_input::list_members(conn)?));
        assert!(members.is_empty());
    });
}

#[test]
fn one_run_a_year_is_final_and_then_stands() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let (first, second) = (run(world), run(world));
        let decide =
            |id, deed| world.block_on(subsidy::decide(&world.app, &actor(world), id, deed, None));
        let early = decide(first, RunDeed::Finalize).unwrap_err();
        assert_eq!(conflict(early), Code::invalid_state);
        for id in [first, second] {
            decide(id, RunDeed::Publish).unwrap();
        }
        decide(first, RunDeed::Finalize).unwrap();
        let twice = decide(second, RunDeed::Finalize).unwrap_err();
        assert_eq!(conflict(twice), Code::final_exists);
        let discarded = decide(first, RunDeed::Discard).unwrap_err();
        assert_eq!(conflict(discarded), Code::invalid_state);
        let locked = world.block_on(
            world
                .app
                .store
                .read(|conn| subsidy::refuse_locked(conn, &[2024, 2025])),
        );
        assert_eq!(conflict(locked.unwrap_err()), Code::period_locked);
        let now = world.now();
        let forced = world.block_on(world.app.store.write(move |tx| {
            let present = store::subsidy::get(tx, first)?;
            Ok(store::subsidy::update_state(
                tx,
                &present,
                yiqi::domain::run::RunState::Draft,
                None,
                now,
            )?)
        }));
        assert!(forced.is_err());

        let late = source(|file, text| match file {
            ProvinceFile::Usage => format!(
                "{text}U20259999999,12130203930RQCAT52,25006887,12130203930RQCAT52,entrusted,research,2025-12-31T23:00:00+08:00,\
                 2025-12-31T23:30:00+08:00,0,30,0,1,false,manual,recorded,0,0,,,,\n"
            ),
            _ => text,
        });
        let refused = import(world, late).unwrap_err();
        assert_eq!(conflict(refused), Code::period_locked);
    });
}

#[test]
fn an_award_is_explained_down_to_its_records() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let id = run(world);
        let uscc = Uscc::parse("12130302BYC46N1249").unwrap();
        let mut choice = Choice {
            metric: Some("paid_external_income_fen".to_owned()),
            after: None,
            limit: 100,
        };
        let mut income = 0;
        let mut records = 0;
        let award = loop {
            let explain =
                subsidy::explain::explain_unit(&world.app, id, uscc.clone(), choice.clone());
            let explanation = world.block_on(explain).unwrap();
            let page = &explanation.metrics[0];
            income += page
                .records
                .iter()
                .map(|r| r.payer_fen.number())
                .sum::<i64>();
            records += page.records.len();
            choice.after = page.next;
            if page.next.is_none() {
                break explanation;
            }
        };
        assert!(records > 100);
        // What a related party or another province paid is income of the metric and left out of the base.
        let bases = award.award.instruments.iter();
        let told: i64 = bases
            .map(|base| {
                let left_out = base.left_out_fen.iter();
                let left_out = left_out.filter(|(reason, _)| reason.as_str() != "voucher");
                base.base_fen.number() + left_out.map(|(_, fen)| fen.number()).sum::<i64>()
            })
            .sum();
        assert_eq!(income, told);
        let names: Vec<&str> = award.steps.iter().map(|step| step.step.as_str()).collect();
        let last: Vec<&str> = names.iter().rev().take(5).rev().copied().collect();
        assert_eq!(last, ["sum", "cap", "drop_below", "pool", "round"]);
        assert_eq!(award.award.award_fen, Fen::new(4_530_000));
        assert_eq!(award.steps.last().unwrap().after_fen, "4530000");
        assert_eq!(award.scores.len(), 12);

        choice.metric = Some("effective_minutes".to_owned());
        let explain = subsidy::explain::explain_unit(&world.app, id, uscc, choice);
        let page = world.block_on(explain).unwrap();
        assert_eq!(page.metrics[0].records.len(), 100);
        assert!(page.metrics[0].next.is_some());
    });
}
