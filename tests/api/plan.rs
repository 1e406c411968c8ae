//! Every list in the order of an index: the statements a list really runs over a large table are shown to the databases'
//! planners, and one that sorts or that looks at rows without bound is refused.

use std::sync::{Arc, Mutex};

use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::sql_types::Text;
use diesel::{Connection, QueryableByName, RunQueryDsl};
use yiqi::domain::access::Reach;
use yiqi::domain::booking::BookingState;
use yiqi::domain::calendar::Year;
use yiqi::domain::policy::IncomeBy;
use yiqi::domain::usage::{Evidence, UsageState};
use yiqi::domain::{Fen, Instant, InstrumentId, OrganizationId};
use yiqi::store::directory::{self, PageStart};
use yiqi::store::{Conn, Database, booking, charge, event, instrument, preflight, usage};

use crate::both;
use crate::lists::Filled;
use crate::world::TestApp;

/// A statement as a list ran it, with its values.
#[derive(Debug)]
struct Statement {
    sql: String,
    values: Vec<String>,
}

impl Statement {
    /// From diesel's text: `SELECT … -- binds: [1, OrganizationId(2)]`.
    fn read(text: &str) -> Statement {
        let text = text.replace('`', "\"");
        let (sql, binds) = text.split_once(" -- binds: ").unwrap();
        let binds = binds.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
        let values = split(binds).into_iter().map(literal).collect();
        Statement {
            sql: sql.to_owned(),
            values,
        }
    }

    /// The statement with its values in it, as PostgreSQL plans it at first.
    fn spelt(&self) -> String {
        let numbered = self.values.iter().enumerate().rev();
        numbered.fold(self.sql.clone(), |sql, (index, value)| {
            sql.replace(&format!("${}", index + 1), value)
        })
    }
}

/// The values of a list, which may themselves have commas between parentheses or quotes.
fn split(binds: &str) -> Vec<&str> {
    let (mut values, mut depth, mut begin) = (Vec::new(), 0, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, letter) in binds.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                values.push(binds[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    let last = binds[begin..].trim();
    values.extend((!last.is_empty()).then_some(last));
    values
}

/// A value in Rust's debug form as an SQL literal.
fn literal(value: &str) -> String {
    if value.starts_with('"') {
        let text: String = serde_json::from_str(value).unwrap();
        return format!("'{}'", text.replace('\'', "''"));
    }
    if let Some(all) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        let all: Vec<String> = split(all).into_iter().map(literal).collect();
        let all: Vec<&str> = all.iter().map(|value| value.trim_matches('\'')).collect();
        return format!("'{{{}}}'", all.join(", "));
    }
    if let Some((_, inner)) = value.strip_suffix(')').and_then(|v| v.split_once('(')) {
        return literal(inner);
    }
    if value.parse::<f64>().is_ok() || matches!(value, "true" | "false") {
        return value.to_owned();
    }
    let mut word = String::new();
    let is_word = value.chars().all(char::is_alphabetic);
    for letter in value.chars() {
        if is_word && letter.is_uppercase() {
            word.push_str(if word.is_empty() { "" } else { "_" });
            word.extend(letter.to_lowercase());
        } else {
            word.push(letter);
        }
    }
    format!("'{}'", word.replace('\'', "''"))
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

fn plan(conn: &mut Conn, statement: &Statement) -> Vec<String> {
    match conn {
        Conn::Sqlite(sqlite) => {
            let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
            let steps: Vec<Step> = diesel::sql_query(explain).load(sqlite).unwrap();
            steps.into_iter().map(|step| step.detail).collect()
        }
        Conn::Postgres(postgres) => {
            // Whether an index gives the order is asked, not whether sorting a few rows is cheaper than following it.
            postgres
                .batch_execute("SET enable_sort = off; SET enable_incremental_sort = off")
                .unwrap();
            let explain = format!("EXPLAIN {}", statement.spelt());
            let lines: Vec<Line> = diesel::sql_query(explain).load(postgres).unwrap();
            lines.into_iter().map(|line| line.detail).collect()
        }
    }
}

/// The columns of the parties and instruments by which lists are driven.
const DRIVING: [&str; 4] = [
    "host_organization_id",
    "organization_id",
    "payer_organization_id",
    "instrument_id",
];

/// What is wrong with a plan: it sorts, reads the whole table, or uses an index that is not among `indexes`.
fn fault(plan: &[String], table: &str, sql: &str, indexes: &[&str]) -> Option<String> {
    let is_by_id = sql.contains(&format!("\"{table}\".\"id\" IN ("))
        || sql.contains(&format!("\"{table}\".\"id\" = ANY("));
    let is_bounded = sql.contains(" LIMIT ") && !sql.contains(" WHERE ");
    // Of a party that has most rows PostgreSQL follows the ids or the moments of all: as few rows as by the party's index.
    let is_driven = DRIVING.iter().any(|column| {
        let filter = format!("(\"{table}\".\"{column}\" = ");
        sql.contains(&filter) && sql.contains(" LIMIT ")
    });
    let names = [
        format!("SEARCH {table} "),
        format!("SCAN {table} "),
        format!(" on {table} "),
    ];
    for line in plan {
        let line = line.trim_start_matches([' ', '-', '>']);
        let is_sort = line.starts_with("Sort ")
            || line.starts_with("Incremental Sort")
            || line.contains("TEMP B-TREE");
        if is_sort {
            return Some(format!("sorts: {line}"));
        }
        let is_scan = line.starts_with("Seq Scan on ")
            || line.starts_with("Parallel Seq Scan on ")
            || line.starts_with("SCAN ");
        let line = format!("{line} ");
        let is_bitmap = line.starts_with("Bitmap Index Scan on ");
        if !is_bitmap && !names.iter().any(|name| line.contains(name.as_str())) {
            continue;
        }
        let is_key = line.contains("INTEGER PRIMARY KEY") || line.contains("_pkey ");
        let is_named = indexes
            .iter()
            .any(|index| line.contains(&format!("{index} ")));
        let is_good = match (is_scan, is_key) {
            (true, _) => is_bounded,
            (false, true) if line.starts_with("Index Scan Backward") => {
                is_driven || indexes.contains(&"id")
            }
            (false, true) => is_by_id || indexes.contains(&"id"),
            (false, false) => {
                let orders = [format!(" {table}_updated "), format!(" {table}_in_order ")];
                is_named || (is_driven && orders.iter().any(|order| line.contains(order)))
            }
        };
        if !is_good && !line.starts_with("Bitmap Heap Scan") {
            return Some(format!("not by {indexes:?}: {line}"));
        }
    }
    None
}

/// Everything a list asks of the database.
fn statements(conn: &mut Conn, list: impl FnOnce(&mut Conn)) -> Vec<Statement> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            told.lock().unwrap().push(query.to_string());
        }
    });
    list(conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let seen = seen.lock().unwrap();
    seen.iter().map(|text| Statement::read(text)).collect()
}

fn expect(conn: &mut Conn, table: &str, indexes: &[&str], list: impl FnOnce(&mut Conn)) {
    let statements = statements(conn, list);
    let about = |statement: &&Statement| statement.sql.contains(&format!("FROM \"{table}\""));
    assert!(
        statements.iter().any(|statement| about(&statement)),
        "{statements:?}"
    );
    for statement in statements.iter().filter(about) {
        let plan = plan(conn, statement);
        if let Some(fault) = fault(&plan, table, &statement.sql, indexes) {
            panic!("{fault}\n{}\n{plan:#?}", statement.spelt());
        }
    }
}

/// Runs a test on a large table, before and after the database knows its statistics. PostgreSQL always knows them.
fn with_and_without_statistics(app: &TestApp, test: impl Fn(&mut Conn)) {
    let database: Database = app.url.parse().unwrap();
    let mut conn = database.connect().unwrap();
    if let Conn::Sqlite(_) = conn {
        test(&mut conn);
    }
    conn.batch_execute("ANALYZE").unwrap();
    let mut conn = database.connect().unwrap();
    test(&mut conn);
}

fn host(filled: &Filled) -> Reach {
    Reach {
        host: Some(filled.host),
        ..Reach::default()
    }
}

fn unit(filled: &Filled) -> Reach {
    Reach {
        unit: Some(filled.unit),
        ..Reach::default()
    }
}

/// The administration of the host's city.
fn region() -> Reach {
    Reach {
        region: Some("130600".parse().unwrap()),
        ..Reach::default()
    }
}

fn everything() -> Reach {
    Reach {
        everything: true,
        ..Reach::default()
    }
}

both! {
    /// A check that cannot fail would be none.
    fn a_bad_statement_is_refused(app: &TestApp) {
        let filled = Filled::with(app, 20_000);
        with_and_without_statistics(app, |conn| {
            for (sql, fault_of) in [
                ("SELECT id FROM \"booking\" WHERE purpose = 'teaching' ORDER BY id DESC LIMIT 9", "not by"),
                ("SELECT id FROM \"booking\" ORDER BY ends_at LIMIT 9", "sorts"),
                ("SELECT id FROM \"booking\"", "not by"),
            ] {
                let bad = Statement { sql: sql.to_owned(), values: Vec::new() };
                let plan = plan(conn, &bad);
                let found = fault(&plan, "booking", sql, &["booking_host"]);
                assert!(found.is_some(), "{fault_of}: {plan:#?}");
            }
        });
        assert!(filled.instruments.len() > 1);
    }

    /// PostgreSQL keeps its statistics itself; SQLite is told to from time to time.
    fn the_database_keeps_statistics(app: &TestApp) {
        Filled::with(app, 2_000);
        app.block_on(yiqi::operations::retention::forget(&app.app, app.now())).unwrap();
        let database: Database = app.url.parse().unwrap();
        if let Conn::Sqlite(sqlite) = &mut database.connect().unwrap() {
            let known = "SELECT stat AS detail FROM sqlite_stat1 WHERE idx = 'booking_host'";
            let known: Vec<Step> = diesel::sql_query(known).load(sqlite).unwrap();
            assert_eq!(known.len(), 1);
        }
    }

    fn bookings_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 60_000);
        let filter = booking::Filter { limit: 51, ..booking::Filter::default() };
        let by = |states: &[BookingState]| booking::Filter { states: states.to_vec(), ..filter.clone() };
        let begin: Instant = crate::lists::FIRST.parse().unwrap();
        let changed = Some((begin, 0));
        let day = booking::Filter {
            from: Some(begin.plus_seconds(900 * 3600)),
            until: Some(begin.plus_seconds(924 * 3600)),
            ..filter.clone()
        };
        let of = |instruments: &[InstrumentId]| booking::Filter { instruments: instruments.to_vec(), ..filter.clone() };
        let units = |units: &[OrganizationId]| booking::Filter { organizations: units.to_vec(), ..filter.clone() };
        let no_show = by(&[BookingState::NoShow]);
        let both = Reach { unit: Some(filled.unit), ..host(&filled) };
        let manager = Reach { managed: Some((filled.host, filled.manager)), ..unit(&filled) };
        let forms: Vec<(Reach, booking::Filter, &[&str])> = vec![
            (everything(), filter.clone(), &["id"]),
            (everything(), no_show.clone(), &["id"]),
            (everything(), booking::Filter { before: Some(50_000), ..no_show.clone() }, &["id"]),
            (everything(), booking::Filter { changed_after: changed, ..no_show.clone() }, &["booking_updated"]),
            (host(&filled), filter.clone(), &["booking_host"]),
            (host(&filled), no_show.clone(), &["booking_host"]),
            (host(&filled), booking::Filter { before: Some(50_000), ..no_show.clone() }, &["booking_host"]),
            (host(&filled), booking::Filter { changed_after: changed, ..filter.clone() }, &["booking_host_updated"]),
            (host(&filled), by(&[BookingState::Requested]), &["booking_host_open"]),
            (host(&filled), by(&[BookingState::Requested, BookingState::Confirmed]), &["booking_host_open"]),
            (host(&filled), day.clone(), &["booking_host_starts"]),
            (host(&filled), of(&filled.instruments[..1]), &["booking_instrument_order"]),
            (host(&filled), units(&[filled.unit]), &["booking_organization"]),
            (unit(&filled), filter.clone(), &["booking_organization"]),
            (unit(&filled), of(&filled.instruments[..1]), &["booking_organization"]),
            (unit(&filled), booking::Filter { changed_after: changed, ..filter.clone() }, &["booking_organization_updated"]),
            (unit(&filled), day.clone(), &["booking_organization_starts"]),
            (unit(&filled), booking::Filter { client_references: vec!["R7".into()], ..filter.clone() },
                &["booking_client_reference_unique"]),
            (both, filter.clone(), &["booking_host", "booking_organization"]),
            (both, booking::Filter { changed_after: changed, ..no_show.clone() },
                &["booking_host_updated", "booking_organization_updated"]),
            (region(), filter.clone(), &["booking_host"]),
            (region(), booking::Filter { changed_after: changed, ..no_show.clone() }, &["booking_host_updated"]),
            (region(), units(&[filled.unit]), &["booking_organization"]),
            (manager, filter.clone(), &["booking_instrument_order", "booking_organization"]),
            (manager, booking::Filter { changed_after: changed, ..filter.clone() },
                &["booking_host_updated", "booking_organization_updated"]),
        ];
        with_and_without_statistics(app, |conn| {
            for (reach, filter, indexes) in &forms {
                expect(conn, "booking", indexes, |conn| {
                    booking::list(conn, reach, filter).unwrap();
                });
            }
        });
    }

    fn usage_records_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 30_000);
        let changed = Some((crate::lists::FIRST.parse().unwrap(), 0));
        let all = || usage::Filter { limit: 51, ..usage::Filter::default() };
        let voided = || usage::Filter { states: vec![UsageState::Voided], ..all() };
        let forms: Vec<(Reach, usage::Filter, &[&str])> = vec![
            (everything(), all(), &["id"]),
            (everything(), voided(), &["id"]),
            (everything(), usage::Filter { changed_after: changed, ..all() }, &["usage_record_updated"]),
            (host(&filled), all(), &["usage_record_host"]),
            (host(&filled), voided(), &["usage_record_host"]),
            (host(&filled), usage::Filter { changed_after: changed, ..all() }, &["usage_record_host_updated"]),
            (host(&filled), usage::Filter { instruments: filled.instruments[..1].to_vec(), ..all() },
                &["usage_record_instrument_order"]),
            (everything(), usage::Filter { hosts: vec![filled.host], ..all() }, &["usage_record_host"]),
            (unit(&filled), all(), &["usage_record_organization"]),
            (unit(&filled), usage::Filter { changed_after: changed, ..voided() }, &["usage_record_organization_updated"]),
            (unit(&filled), usage::Filter { bookings: vec![7.try_into().unwrap()], ..all() }, &["usage_record_booking"]),
        ];
        with_and_without_statistics(app, |conn| {
            for (reach, filter, indexes) in &forms {
                expect(conn, "usage_record", indexes, |conn| {
                    usage::list(conn, reach, filter).unwrap();
                });
            }
        });
    }

    fn charges_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 30_000);
        let changed = Some((crate::lists::FIRST.parse().unwrap(), 0));
        let all = || charge::Filter { limit: 51, ..charge::Filter::default() };
        let paid = || charge::Filter { states: vec![yiqi::domain::charge::ChargeState::Paid], ..all() };
        let forms: Vec<(Reach, charge::Filter, &[&str])> = vec![
            (everything(), all(), &["id"]),
            (everything(), paid(), &["id"]),
            (host(&filled), all(), &["charge_host"]),
            (host(&filled), paid(), &["charge_host"]),
            (host(&filled), charge::Filter { changed_after: changed, ..all() }, &["charge_host_updated"]),
            (unit(&filled), all(), &["charge_payer"]),
            (unit(&filled), charge::Filter { changed_after: changed, ..paid() }, &["charge_payer_updated"]),
            (host(&filled), charge::Filter { is_open: Some(true), from: Some("2020-01-01T00:00:00Z".parse().unwrap()), ..all() },
                &["charge_host"]),
            (everything(), charge::Filter { instruments: filled.instruments[..1].to_vec(), ..all() }, &["id"]),
            (unit(&filled), charge::Filter { records: vec![7.try_into().unwrap()], ..all() },
                &["charge_usage_record", "charge_usage_record_unique"]),
        ];
        with_and_without_statistics(app, |conn| {
            for (reach, filter, indexes) in &forms {
                expect(conn, "charge", indexes, |conn| {
                    charge::list(conn, reach, filter).unwrap();
                });
            }
        });
    }

    /// What a host's year lacks is asked of that host's rows of that year.
    fn a_preflight_reads_one_host_and_one_year(app: &TestApp) {
        let filled = Filled::with(app, 60_000);
        let year: Year = "2025".parse().unwrap();
        with_and_without_statistics(app, |conn| {
            let asked = statements(conn, |conn| {
                let classes = [Evidence::Manual];
                let weak = Some((classes.as_slice(), Fen::new(50_000_000)));
                for by in IncomeBy::ALL {
                    preflight::list_services(conn, filled.host, (year, *by), weak).unwrap();
                }
                preflight::count_requests(conn, filled.host, year).unwrap();
            });
            let found: Vec<String> = asked.iter().flat_map(|statement| plan(conn, statement)).collect();
            // The open bookings of all are as few here as those of one host.
            for indexes in [["usage_record_host_ended"; 2], ["booking_host_open", "booking_open"]] {
                let is_by = |line: &String| indexes.iter().any(|index| line.contains(index));
                assert!(found.iter().any(is_by), "{indexes:?}: {found:#?}");
            }
            let scans = ["SCAN u", "SCAN b", "Seq Scan on usage_record", "Seq Scan on booking"];
            let reads_all = |line: &String| {
                let line = line.trim_start_matches([' ', '-', '>']);
                scans.iter().any(|scan| line == *scan || line.starts_with(&format!("{scan} ")))
            };
            assert!(!found.iter().any(reads_all), "{found:#?}");
        });
    }

    fn instruments_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 10);
        filled.more_instruments(app, 30_000);
        let asked = |sort: &str, reach: Reach| instrument::Filter {
            reach,
            is_public: true,
            texts: Vec::new(),
            among: None,
            categories: Vec::new(),
            regions: Vec::new(),
            organizations: Vec::new(),
            methods: Vec::new(),
            share_modes: Vec::new(),
            states: Vec::new(),
            price_max: None,
            accepted_from: None,
            accepted_until: None,
            original_value_from: None,
            incomplete_on: None,
            sort: sort.parse().unwrap(),
            after: None,
            limit: 51,
        };
        // So many that they are not sorted, and none of them is there.
        let none = || Some((1_000_000..1_006_000).map(|id| id.try_into().unwrap()).collect());
        let rare = |filter: instrument::Filter| instrument::Filter { among: none(), ..filter };
        let of_one = |filter: instrument::Filter| instrument::Filter { organizations: vec![filled.host], ..filter };
        let forms: Vec<(instrument::Filter, &[&str])> = vec![
            (asked("id", everything()), &["id"]),
            (rare(asked("id", Reach::default())), &["id"]),
            (rare(asked("-name", Reach::default())), &["instrument_name"]),
            (asked("asset_no", host(&filled)), &["instrument_asset_no"]),
            (asked("-original_value_fen", everything()), &["instrument_value"]),
            (rare(asked("created_at", Reach::default())), &["instrument_created"]),
            (asked("-updated_at", Reach::default()), &["instrument_updated"]),
        ];
        let changed = |filter: &instrument::Filter, conn: &mut Conn| {
            instrument::list_changed(conn, filter, (crate::lists::FIRST.parse().unwrap(), 0)).unwrap();
        };
        with_and_without_statistics(app, |conn| {
            for (filter, indexes) in &forms {
                expect(conn, "instrument", indexes, |conn| {
                    instrument::list(conn, filter).unwrap();
                });
            }
            let all = rare(asked("id", Reach::default()));
            expect(conn, "instrument", &["instrument_updated"], |conn| changed(&all, conn));
            let own = of_one(all);
            expect(conn, "instrument", &["instrument_organization_updated"], |conn| changed(&own, conn));
        });
    }

    fn events_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 10);
        filled.more_events(app, 30_000);
        let all = || event::Filter { limit: 51, ..event::Filter::default() };
        let rare = |filter: event::Filter| event::Filter { actions: vec!["booking_no_show".to_owned()], ..filter };
        let own = || event::Filter { organization: Some(filled.unit), ..all() };
        let subject = |filter: event::Filter| event::Filter {
            subject_types: vec!["booking".to_owned()],
            subject_ids: vec![7],
            ..filter
        };
        let parties = ["event_organization", "event_counterpart", "event_acted"];
        let forms: [(event::Filter, &[&str]); 6] = [
            (all(), &["id", "event_in_order"]),
            (rare(all()), &["id", "event_in_order"]),
            (own(), &parties),
            (rare(own()), &parties),
            (subject(all()), &["event_subject"]),
            (subject(own()), &["event_subject"]),
        ];
        with_and_without_statistics(app, |conn| {
            for (filter, indexes) in &forms {
                expect(conn, "event", indexes, |conn| {
                    event::list(conn, filter).unwrap();
                });
            }
        });
    }

    fn organizations_come_in_the_order_of_an_index(app: &TestApp) {
        let filled = Filled::with(app, 10);
        filled.more_organizations(app, 30_000);
        let named = |place: PageStart| directory::Filter {
            names: vec!["nowhere".to_owned()],
            place,
            limit: 51,
            ..directory::Filter::default()
        };
        let changed = PageStart::Changed(crate::lists::FIRST.parse().unwrap(), 0);
        let one = directory::Filter { usccs: vec![crate::world::COMPANY.parse().unwrap()], ..named(PageStart::Start) };
        let forms: [(directory::Filter, &[&str]); 4] = [
            (named(PageStart::Start), &["id"]),
            (named(PageStart::After(filled.unit)), &["id"]),
            (named(changed), &["organization_updated"]),
            (one, &["organization_uscc", "organization_uscc_unique", "sqlite_autoindex_organization_1"]),
        ];
        with_and_without_statistics(app, |conn| {
            for (filter, indexes) in &forms {
                expect(conn, "organization", indexes, |conn| {
                    directory::list(conn, filter).unwrap();
                });
            }
        });
    }
}
