//! Migrating: several programs at once, roles without rights, and databases of a newer program.

use diesel::connection::SimpleConnection;
use yiqi::store::{Database, migration};

use crate::world::{Backend, copy_of_template, empty_database, remove_database};

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
