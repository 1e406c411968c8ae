//! Migrating: several programs at once, roles without rights, and databases of a newer program.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, RunQueryDsl};
use serde_json::{Value, json};
use yiqi::domain::contact::PublicContact;
use yiqi::store::{Database, StoreError, migration};

use crate::world::{
    BOSS, Backend, COMPANY, PASSWORD, copy_of_template, empty_database, remove_database,
};
use crate::{both, given};

/// A database on both backends, cleared away afterwards.
fn on(make: fn(Backend) -> Option<String>, backend: Backend, story: impl FnOnce(&str)) {
    if let Some(url) = make(backend) {
        story(&url);
        remove_database(backend, &url);
    }
}

fn database(url: &str) -> Database {
    url.parse().unwrap()
}

#[test]
fn three_that_migrate_at_once_wait_for_each_other() {
    on(empty_database, Backend::Postgres, |url| {
        let ran: Vec<Vec<String>> = std::thread::scope(|scope| {
            let programs: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| migration::migrate(&database(url), false)))
                .collect();
            let ended = programs.into_iter().map(|program| program.join().unwrap());
            ended.map(Result::unwrap).collect()
        });
        assert_eq!(ran.iter().filter(|names| !names.is_empty()).count(), 1);
    });
}

fn knows_a_newer_schema(backend: Backend) {
    on(copy_of_template, backend, |url| {
        let database = database(url);
        let mut connection = database.connect().unwrap();
        assert!(migration::is_current(&mut connection).unwrap());
        let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
        connection.batch_execute(newer).unwrap();
        assert!(!migration::is_current(&mut connection).unwrap());
        let told = migration::migrate(&database, false)
            .unwrap_err()
            .to_string();
        assert!(
            told.contains("newer program") && told.contains("9999"),
            "{told}"
        );
        let older = "DELETE FROM __diesel_schema_migrations WHERE version > '0003'";
        connection.batch_execute(older).unwrap();
        assert!(!migration::is_current(&mut connection).unwrap());
    });
}

#[test]
fn a_newer_schema_is_known_on_sqlite() {
    knows_a_newer_schema(Backend::Sqlite);
}

#[test]
fn a_newer_schema_is_known_on_postgres() {
    knows_a_newer_schema(Backend::Postgres);
}

/// The address for a role that may connect and nothing else, and the role's name.
fn as_nobody(url: &str) -> (String, String) {
    let role = format!(
        "yiqi_nobody_{}",
        url.len() + url.bytes().map(usize::from).sum::<usize>()
    );
    let statement = format!("DROP ROLE IF EXISTS {role}; CREATE ROLE {role}");
    database(url)
        .connect()
        .unwrap()
        .batch_execute(&statement)
        .unwrap();
    let mark = if url.contains('?') { '&' } else { '?' };
    (format!("{url}{mark}options=-c%20role%3D{role}"), role)
}

fn end(url: &str, role: &str) {
    let statement = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    database(url)
        .connect()
        .unwrap()
        .batch_execute(&statement)
        .unwrap();
}

#[test]
fn a_role_that_may_only_read_can_ask_whether_the_schema_is_current() {
    on(copy_of_template, Backend::Postgres, |url| {
        let (poor, role) = as_nobody(url);
        let grant = format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
        database(url)
            .connect()
            .unwrap()
            .batch_execute(&grant)
            .unwrap();
        let mut connection = database(&poor).connect().unwrap();
        connection
            .batch_execute("SET default_transaction_read_only = on")
            .unwrap();
        assert!(migration::is_current(&mut connection).unwrap());
        drop(connection);
        end(url, &role);
    });
    on(empty_database, Backend::Postgres, |url| {
        let mut connection = database(url).connect().unwrap();
        assert!(!migration::is_current(&mut connection).unwrap());
    });
}

#[test]
fn a_missing_right_is_named() {
    on(empty_database, Backend::Postgres, |url| {
        let (poor, role) = as_nobody(url);
        let told = || {
            let refused = migration::migrate(&database(&poor), false);
            refused.unwrap_err().to_string()
        };
        let first = told();
        assert!(
            first.contains("CREATE on the database") && first.contains("btree_gist"),
            "{first}"
        );
        let name = "SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), '";
        let grant = format!("DO $$ BEGIN EXECUTE ({name}{role}')); END $$");
        database(url)
            .connect()
            .unwrap()
            .batch_execute(&grant)
            .unwrap();
        let second = told();
        assert!(second.contains("CREATE on the schema"), "{second}");
        let grant = format!("GRANT CREATE ON SCHEMA public TO {role}");
        database(url)
            .connect()
            .unwrap()
            .batch_execute(&grant)
            .unwrap();
        assert!(
            !migration::migrate(&database(&poor), false)
                .unwrap()
                .is_empty()
        );
        end(url, &role);
    });
}

/// The statements of a migration as this backend runs them: down, then up.
macro_rules! statements {
    ($backend:expr, $name:literal) => {
        match $backend {
            Backend::Sqlite => [
                include_str!(concat!("../../migrations/sqlite/", $name, "/down.sql")),
                include_str!(concat!("../../migrations/sqlite/", $name, "/up.sql")),
            ],
            Backend::Postgres => [
                include_str!(concat!("../../migrations/postgres/", $name, "/down.sql")),
                include_str!(concat!("../../migrations/postgres/", $name, "/up.sql")),
            ],
        }
    };
}

/// What a booking says besides, as six columns kept it.
#[derive(QueryableByName)]
struct Columns {
    #[diesel(sql_type = Nullable<Text>)]
    description: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    operator: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    samples: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    service_items: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    quote: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
}

both! {
    fn what_bookings_say_moves_into_one_document_and_back(app: &TestApp) {
        let sem = given::instrument(app).insert();
        let (host, company) = (app.as_host(), app.as_company());
        let price = json!({"valid_from": "2026-01-01", "price_fen_per_hour": 6_000});
        host.post(&format!("/api/v1/instruments/{sem}/tariffs"), price).expect_status(201);
        let service = json!({"test_item": "能谱", "unit": "样", "price_fen": 500});
        let service = host.post(&format!("/api/v1/instruments/{sem}/services"), service).expect_status(201).id();
        let wish = |from: &str, until: &str| json!({
            "instrument_id": sem, "mode": "guided", "purpose": "research",
            "starts_at": format!("2026-03-03T{from}:00+08:00"), "ends_at": format!("2026-03-03T{until}:00+08:00"),
        });
        let mut whole = wish("10:00", "12:00");
        whole["description"] = json!("断口 \"形貌\"\n第二行");
        whole["operator"] = json!({"name": "王五", "phone": "13800000000"});
        whole["samples"] = json!(3);
        whole["service_items"] = json!([{"service_id": service, "quantity": 2}]);
        let whole = company.post("/api/v1/bookings", whole).expect_status(201).id();
        let cancelled = company.post(&format!("/api/v1/bookings/{whole}/cancel"), json!({"reason": "样品未到"}));
        cancelled.expect_status(200);
        let bare = company.post("/api/v1/bookings", wish("12:00", "13:00")).expect_status(201).id();
        let shown = || [whole, bare].map(|id| company.get(&format!("/api/v1/bookings/{id}")).expect_status(200).body);
        let before = shown();

        let [down, up] = statements!(app.backend, "0016_booking_details");
        let columns: Vec<Columns> = app.write(move |tx| {
            tx.batch_execute(down).map_err(StoreError::from)?;
            let columns = "SELECT description, operator, samples, service_items, quote, reason FROM booking ORDER BY id";
            Ok(diesel::sql_query(columns).load(tx).map_err(StoreError::from)?)
        });
        let read = |text: &Option<String>| serde_json::from_str::<Value>(text.as_deref().unwrap()).unwrap();
        let first = &columns[0];
        assert_eq!(first.description.as_deref(), before[0]["description"].as_str());
        assert_eq!((read(&first.operator), first.samples), (before[0]["operator"].clone(), Some(3)));
        assert_eq!(read(&first.service_items), before[0]["service_items"]);
        assert_eq!(read(&first.quote)["total_fen"], before[0]["quote"]["total_fen"]);
        assert_eq!(first.reason.as_deref(), Some("样品未到"));
        let second = &columns[1];
        assert!(second.description.is_none() && second.operator.is_none() && second.service_items.is_none());

        app.write(move |tx| Ok(tx.batch_execute(up).map_err(StoreError::from)?));
        assert_eq!(shown(), before);
        company.post(&format!("/api/v1/bookings/{bare}/cancel"), json!({})).expect_status(200);
    }

    fn keys_stored_before_there_were_folded_ones_get_theirs(app: &TestApp) {
        let (host, company) = (app.as_host(), app.as_company());
        let instrument = |number: &str| given::instrument(app).with(|facts| {
            facts.asset_no = number.into();
            facts.public_contact = Some(PublicContact { name: "李工".to_owned(), phone: "031180000000".to_owned(), email: None });
        }).insert();
        let (first, second, third) = (instrument("ALT 1"), instrument("ALT 2"), instrument("ÅLT 3"));
        let booking = json!({
            "instrument_id": first, "mode": "guided", "purpose": "research", "client_reference": "REF 1",
            "starts_at": "2026-04-01T10:00:00+08:00", "ends_at": "2026-04-01T11:00:00+08:00",
        });
        company.post("/api/v1/bookings", booking).expect_status(201);
        let record = json!({
            "instrument_id": first, "organization_id": app.organization_id(COMPANY), "mode": "guided", "purpose": "research",
            "started_at": "2026-02-01T10:00:00+08:00", "ended_at": "2026-02-01T11:00:00+08:00", "client_reference": "REF 1",
        });
        host.post("/api/v1/usage-records", record).expect_status(201);

        // As it was stored before: two numbers that mean the same, and a login that was not folded.
        let [down, up] = statements!(app.backend, "0023_keys_folded");
        let alike = format!("UPDATE instrument SET asset_no = 'alt  1' WHERE id = {second}");
        let login = format!("UPDATE user_account SET login = '{}' WHERE login = '{}'", BOSS.login.to_uppercase(), BOSS.login);
        app.write(move |tx| {
            for statements in [down, alike.as_str(), login.as_str(), up] {
                tx.batch_execute(statements).map_err(StoreError::from)?;
            }
            Ok(())
        });
        for _ in 0..2 {
            migration::migrate(&app.url.parse().unwrap(), false).unwrap();
            // The older one keeps the key; the other is there, and found by no key until it gets another.
            for (spelling, entry) in [("Alt 1", first), ("a\u{30a}lt  3", third)] {
                let draft = json!({
                    "name": "电镜", "asset_no": spelling, "original_value_fen": 30_000_000, "category_code": "010102",
                    "purpose_type": "general",
                });
                let used = host.post("/api/v1/instruments", draft).expect_code(409, "asset_no_used");
                assert_eq!(used["existing_id"], entry.number());
            }
            let path = format!("/api/v1/instruments/{second}");
            assert_eq!(host.get(&path).expect_status(200)["asset_no"], "alt  1");
            for (client, list) in [(&company, "bookings"), (&host, "usage-records")] {
                let found = client.get(&format!("/api/v1/{list}?client_reference=ref%201")).expect_status(200);
                assert_eq!(found["items"].as_array().unwrap().len(), 1, "{list}");
            }
            app.visitor().post("/api/v1/auth/login", json!({"email": BOSS.login, "password": PASSWORD})).expect_status(200);
        }
        let path = format!("/api/v1/instruments/{second}");
        let request = host.request(ureq::http::Method::PATCH, &path).header("If-Match", "*");
        request.json(json!({"name": "改名"})).send().expect_status(200);
    }
}
