//! The year of a small province: imported, frozen, graded, shared out, verified, explained; against figures that an independent
//! program computed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use diesel::prelude::*;
use yiqi::app::App;
use yiqi::app::token::TokenKeys;
use yiqi::clock::Clock;
use yiqi::domain::charge::PaymentSource;
use yiqi::domain::evaluation::Relation;
use yiqi::domain::run::RunDeed;
use yiqi::domain::tariff::{Period, Tariff};
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

        // The notice of the holidays changes later: what was on time stays so.
        world.write(|tx| {
            let removed = diesel::delete(store::schema::public_holiday::table).execute(tx);
            Ok(removed.map_err(store::StoreError::from)?)
        });
        world.block_on(world.app.load_calendar()).unwrap();
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
            // A unit that was related to a host is related to another one.
            source(|file, text| match file {
                ProvinceFile::Organizations => {
                    text.replace("user,12130203930RQCAT52", "user,12130302BYC46N1249")
                }
                _ => text,
            }),
            source(|file, text| match file {
                ProvinceFile::Organizations => text.replace("user,12130203930RQCAT52", "user,"),
                _ => text,
            }),
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

/// The new text of a file, if it changes.
type Change = fn(ProvinceFile, &str) -> Option<String>;

/// The files of the package, changed.
fn respelled(change: Change) -> Arc<ProvinceYear> {
    let open = move |file: ProvinceFile| -> std::io::Result<Box<dyn std::io::Read>> {
        let text = std::fs::read_to_string(seeds().join(file.as_str()))?;
        let text = change(file, &text).unwrap_or(text);
        Ok(Box::new(std::io::Cursor::new(text)))
    };
    Arc::new(ProvinceYear::check(2025, Box::new(open)).unwrap())
}

#[test]
fn an_import_keeps_the_rules_of_every_other_entrance() {
    // As the first row, so that nothing is written before it is refused.
    fn service(cells: &str) -> impl Fn(&str) -> String {
        let row = format!("U20259999999,12130203930RQCAT52,25006887,{cells}\n");
        move |text: &str| text.replacen("U20250000001,", &format!("{row}U20250000001,"), 1)
    }
    const OWN: &str = "12130203930RQCAT52,entrusted,research";
    on_both(|world| {
        let cases: [(Change, &str, Code); 8] = [
            (
                |file, text| {
                    let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                    let cells = format!("{OWN},{hours},0,84000,0,1,false,manual,recorded,0,0,,,,");
                    (file == ProvinceFile::Usage).then(|| service(&cells)(text))
                },
                "run_minutes",
                Code::minutes_exceed_interval,
            ),
            (
                |file, text| {
                    let hours = "2026-03-02T08:00:00+08:00,2026-03-02T10:00:00+08:00";
                    let cells = format!("{OWN},{hours},0,60,0,1,false,manual,recorded,0,0,,,,");
                    (file == ProvinceFile::Usage).then(|| service(&cells)(text))
                },
                "ended_at",
                Code::in_the_future,
            ),
            (
                |file, text| {
                    let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                    let cells = format!(
                        "{OWN},{hours},0,60,0,1,false,manual,recorded,100,0,!!,2025-12-31,,"
                    );
                    (file == ProvinceFile::Usage).then(|| service(&cells)(text))
                },
                "invoice_no",
                Code::malformed,
            ),
            (
                |file, text| {
                    let hours = "2025-12-31T20:00:00+08:00,2025-12-31T22:00:00+08:00";
                    let cells = format!(
                        "{OWN},{hours},0,60,0,1,false,manual,recorded,100,0,AB-1,2027-01-01,,"
                    );
                    (file == ProvinceFile::Usage).then(|| service(&cells)(text))
                },
                "invoiced_on",
                Code::out_of_range,
            ),
            (
                |file, text| {
                    let more =
                        text.replacen("12130302BYC46N1249,2,6", "12130302BYC46N1249,4.00001,6", 1);
                    (file == ProvinceFile::ExpertScores).then_some(more)
                },
                "A4",
                Code::out_of_range,
            ),
            (
                |file, text| {
                    let other = text.replacen("0311-80000000", "none", 1);
                    (file == ProvinceFile::Instruments).then_some(other)
                },
                "public_contact.phone",
                Code::not_a_phone,
            ),
            (
                |file, text| {
                    let other = text.replacen(
                        ",university,130302,false,host,",
                        ",university,130302,false,user,",
                        1,
                    );
                    (file == ProvinceFile::Organizations).then_some(other)
                },
                "host_uscc",
                Code::organization_is_no_host,
            ),
            (
                |file, text| {
                    let longer = "号".repeat(101);
                    let other = text.replacen("实验楼", &longer, 1);
                    (file == ProvinceFile::Instruments).then_some(other)
                },
                "location",
                Code::text_too_long,
            ),
        ];
        for (change, column, code) in cases {
            let refused = import(world, respelled(change)).unwrap_err();
            let AppError::Refused(faults) = refused else {
                panic!("{refused:?}");
            };
            let fault = format!("{:?}", faults[0]);
            assert!(
                fault.contains(column) && fault.contains(code.as_str()),
                "{fault}"
            );
        }
    });
}

#[test]
fn one_invoice_has_one_spelling() {
    on_both(|world| {
        let twice = source(|file, text| match file {
            ProvinceFile::Usage => {
                let row = |number: u8, hour: u8, invoice: &str| {
                    format!(
                        "U2025999999{number},12130203930RQCAT52,25006887,12130203930RQCAT52,entrusted,research,\
                         2025-12-31T{hour}:00:00+08:00,2025-12-31T{hour}:30:00+08:00,0,30,0,1,false,manual,recorded,\
                         100,0,{invoice},2025-12-31,,\n"
                    )
                };
                format!("{text}{}{}", row(1, 21, "ab-1"), row(2, 23, "AB-1"))
            }
            _ => text,
        });
        let refused = import(world, twice).unwrap_err();
        assert_eq!(conflict(refused), Code::invoice_no_used);
    });
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
        let verify = subsidy::verify::verify(&world.app, id);
        assert!(world.block_on(verify).unwrap().verified);
    });
}

#[test]
fn what_came_after_the_year_does_not_count_for_it() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
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
fn an_exemption_submitted_after_the_freeze_counts_as_it_came_in() {
    on_both(|world| {
        let late = source(|file, text| match file {
            ProvinceFile::Instruments => {
                let mut lines = text.lines().map(str::to_owned).collect::<Vec<_>>();
                let line =
                    lines[1].replace("2021-07-09,external,false", "2026-03-20,external,true");
                assert_ne!(line, lines[1]);
                lines[1] = line;
                lines.join("\n") + "\n"
            }
            _ => text,
        });
        import(world, late).unwrap();
        let id = run(world);
        let lines = world.read(move |conn| {
            let run = store::subsidy::get(conn, id)?;
            Ok(store::evaluation::list_inputs(
                conn,
                run.evaluation_id.unwrap(),
            )?)
        });
        let line = lines
            .iter()
            .find(|line| line.contains("\t25000872\t"))
            .unwrap();
        let flags: Vec<&str> = line.rsplit('\t').take(2).collect();
        assert_eq!(flags[1], "1", "{line}");
    });
}

#[test]
fn what_is_written_under_one_clock_is_frozen() {
    on_both(|world| {
        run(world);
        import(world, source(|_, text| text)).unwrap();
        let second = run(world);
        let expected = std::fs::read_to_string(seeds().join("expected.json")).unwrap();
        assert_eq!(printed(world, second), expected.trim_end());
        // Whoever joins the family later stands in the year's relations by the next freeze.
        let relation = world.read(move |conn| {
            let run = store::subsidy::get(conn, second)?;
            let row = store::evaluation::get(conn, run.evaluation_id.unwrap())?;
            let scope = freeze::scope(2025, row.frozen_at.unwrap(), row.frozen_event_id)?;
            Ok(yearly_input::list_related(conn, &scope)?.len())
        });
        assert_eq!(relation, 2);
        let verify = subsidy::verify::verify(&world.app, second);
        assert!(world.block_on(verify).unwrap().verified);
    });
}

/// Runs a statement; the rule that refused it, if one did.
fn forced(world: &World, statement: String) -> Option<store::Constraint> {
    let forced = world.block_on(world.app.store.write(move |tx| {
        let done = diesel::sql_query(statement.as_str()).execute(tx);
        Ok::<_, AppError>(done.map_err(store::StoreError::from).err())
    }));
    match forced {
        Ok(Some(store::StoreError::Violated(constraint))) => Some(constraint),
        Ok(None) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn stored_results_changed_by_hand_do_not_verify() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let id = run(world);
        let verified = || {
            let verify = subsidy::verify::verify(&world.app, id);
            world.block_on(verify).unwrap().verified
        };
        assert!(verified());
        for (there, back) in [
            (
                "award SET award_fen = award_fen + 1",
                "award SET award_fen = award_fen - 1",
            ),
            (
                "award_step SET position = -position",
                "award_step SET position = -position",
            ),
            (
                "award_step SET after_fen = after_fen || '0'",
                "award_step SET after_fen = substr(after_fen, 1, length(after_fen) - 1)",
            ),
            (
                "evaluation_unit SET place = place + 1",
                "evaluation_unit SET place = place - 1",
            ),
            (
                "evaluation_unit SET uscc = uscc || '0'",
                "evaluation_unit SET uscc = substr(uscc, 1, length(uscc) - 1)",
            ),
        ] {
            assert_eq!(forced(world, format!("UPDATE {there}")), None);
            assert!(!verified(), "{there}");
            assert_eq!(forced(world, format!("UPDATE {back}")), None);
            assert!(verified(), "{back}");
        }
    });
}

#[test]
fn what_is_beneath_a_final_run_stands() {
    on_both(|world| {
        import(world, source(|_, text| text)).unwrap();
        let (id, other) = (run(world), run(world));
        for deed in [RunDeed::Publish, RunDeed::Finalize] {
            let by = actor(world);
            let decide = subsidy::decide(&world.app, &by, id, deed, None);
            world.block_on(decide).unwrap();
        }
        let before = printed(world, id);
        let awards = "(SELECT id FROM award WHERE subsidy_run_id = {run})";
        let beneath = "(SELECT evaluation_id FROM subsidy_run WHERE id = {run})";
        let statements = |run: SubsidyRunId| {
            [
                format!("UPDATE award_step SET after_fen = '1' WHERE award_id IN {awards}"),
                format!("DELETE FROM award_step WHERE award_id IN {awards}"),
                format!("INSERT INTO award_step SELECT award_id, 99, instrument_id, step, operands, before_fen, after_fen \
                     FROM award_step WHERE position = 1 AND award_id IN {awards}"),
                format!("UPDATE evaluation_unit SET place = 1 WHERE evaluation_id = {beneath}"),
                format!("UPDATE expert_score SET points = '4' WHERE evaluation_id = {beneath}"),
                format!("INSERT INTO evaluation_input SELECT evaluation_id, 1000000, line FROM evaluation_input \
                     WHERE position = 1 AND evaluation_id = {beneath}"),
                format!("DELETE FROM expert_score WHERE evaluation_id = {beneath}"),
                format!("DELETE FROM evaluation_unit WHERE evaluation_id = {beneath}"),
                format!("DELETE FROM evaluation_input WHERE evaluation_id = {beneath}"),
            ]
            .map(|text| text.replace("{run}", &run.to_string()))
        };
        for statement in statements(id) {
            let rule = match statement.contains("award_step") {
                true => store::Constraint::SubsidyRunFinal,
                false => store::Constraint::EvaluationFinal,
            };
            assert_eq!(forced(world, statement.clone()), Some(rule), "{statement}");
        }
        for statement in statements(other) {
            assert_eq!(forced(world, statement.clone()), None, "{statement}");
        }
        assert_eq!(
            forced(world, "UPDATE organization SET name = 'new'".to_owned()),
            None
        );
        assert_eq!(printed(world, id), before);
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
        let (mut income, mut base, mut voucher, mut records) = (0, 0, 0, 0);
        let award = loop {
            let explain =
                subsidy::explain::explain_unit(&world.app, id, uscc.clone(), choice.clone());
            let explanation = world.block_on(explain).unwrap();
            let page = &explanation.metrics[0];
            for record in &page.records {
                income += record.payer_fen.number();
                voucher += record.voucher_fen.number();
                if record.left_out.is_none() {
                    base += record.payer_fen.number();
                }
            }
            records += page.records.len();
            choice.after = page.next;
            if page.next.is_none() {
                assert_eq!(page.value, income);
                break explanation;
            }
        };
        assert!(records > 100);
        // What a related party or another province paid is income of the metric and left out of the base.
        let bases: i64 = award
            .award
            .instruments
            .iter()
            .map(|i| i.base_fen.number())
            .sum();
        assert_eq!(base, bases);
        assert!(voucher > 0 && base < income);
        let names: Vec<&str> = award.steps.iter().map(|step| step.step.as_str()).collect();
        let last: Vec<&str> = names.iter().rev().take(5).rev().copied().collect();
        assert_eq!(last, ["sum", "cap", "drop_below", "pool", "round"]);
        assert_eq!(award.award.award_fen, Fen::new(4_530_000));
        assert_eq!(award.steps.last().unwrap().after_fen, "4530000");
        assert_eq!(award.scores.len(), 12);

        let explained = |metric: Option<&str>| {
            let choice = Choice {
                metric: metric.map(str::to_owned),
                after: None,
                limit: 100,
            };
            let explain = subsidy::explain::explain_unit(&world.app, id, uscc.clone(), choice);
            world.block_on(explain).unwrap()
        };
        let page = &explained(Some("effective_minutes")).metrics[0];
        assert_eq!(page.records.len(), 100);
        assert!(page.next.is_some());
        let all = explained(None);
        assert_eq!(all.total.split('.').nth(1).map(str::len), Some(2));
        assert!(all.total_exact.contains('/'));
        // Nothing is counted that is not told of.
        for metric in &all.metrics {
            let told = !metric.records.is_empty() || !metric.instruments.is_empty();
            let is_told = metric.value == 0 || told || metric.note.is_some();
            assert!(is_told, "{metric:?}");
        }
        let of = |name: &str| all.metrics.iter().find(|metric| metric.metric == name);
        let counted = of("instruments_counted").unwrap();
        let sum: i64 = counted.instruments.iter().map(|share| share.value).sum();
        assert_eq!(sum, counted.value);
        let answers = of("satisfaction").unwrap();
        assert!(
            answers
                .records
                .iter()
                .all(|record| record.satisfaction.is_some())
        );
    });
}
