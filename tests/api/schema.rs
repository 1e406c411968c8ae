//! The schema: migrations go up, down and up again on both databases, and what diesel believes is what the databases have.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use yiqi::store::{Conn, Constraint, Database, migration};

use crate::world::{Backend, TestApp, empty_database};

#[derive(QueryableByName, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

/// Every column as `table.column type`, `?` for nullable.
fn columns(database: &Database) -> Vec<String> {
    let statement = match database {
        Database::Sqlite { .. } => {
            "SELECT m.name AS table_name, c.name AS column_name, \
             c.type || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN '' ELSE '?' END AS kind \
             FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        Database::Postgres { .. } => {
            "SELECT table_name::text, column_name::text, \
             CASE data_type WHEN 'timestamp without time zone' THEN 'TIMESTAMP' ELSE upper(data_type) END || \
             CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END AS kind \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
    };
    let mut connection = database.connect().unwrap();
    let rows: Vec<Column> = diesel::sql_query(statement).load(&mut connection).unwrap();
    let mut columns: Vec<String> = rows
        .into_iter()
        // Row ids differ in name only.
        .map(|column| {
            format!(
                "{}.{} {}",
                column.table_name,
                column.column_name,
                column.kind.replace("INTEGER", "BIGINT")
            )
        })
        .collect();
    columns.sort();
    columns
}

/// The same list from the source that diesel reads.
fn believed() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/schema");
    let mut believed = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.ends_with("mod.rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let mut table = String::new();
        for line in text.lines().map(str::trim) {
            if let Some((name, _)) = line
                .strip_suffix('{')
                .and_then(|head| head.trim().split_once(" ("))
            {
                table = name.to_owned();
            }
            if let Some((column, kind)) = line.trim_end_matches(',').split_once(" -> ") {
                believed.push(format!("{table}.{column} {}", sql_type(kind)));
            }
        }
    }
    believed.sort();
    believed
}

fn sql_type(kind: &str) -> String {
    if let Some(inner) = kind
        .strip_prefix("Nullable<")
        .and_then(|rest| rest.strip_suffix('>'))
    {
        return format!("{}?", sql_type(inner));
    }
    let known = BTreeMap::from([
        ("BigInt", "BIGINT"),
        ("Text", "TEXT"),
        ("Bool", "BOOLEAN"),
        ("Timestamp", "TIMESTAMP"),
        ("Date", "DATE"),
    ]);
    known[kind].to_owned()
}

fn up_down_up(backend: Backend) {
    let Some(url) = empty_database(backend) else {
        return;
    };
    let database: Database = url.parse().unwrap();
    assert!(!migration::migrate(&database, true).unwrap().is_empty());
    let first = columns(&database);
    assert_eq!(first, believed());
    assert!(
        migration::migrate(&database, false).unwrap().is_empty(),
        "a second run has nothing to do"
    );
    migration::revert_all(&database).unwrap();
    assert_eq!(columns(&database), Vec::<String>::new());
    migration::migrate(&database, false).unwrap();
    assert_eq!(columns(&database), first);
}

#[test]
fn migrations_go_up_down_and_up_on_sqlite() {
    up_down_up(Backend::Sqlite);
}

#[test]
fn migrations_go_up_down_and_up_on_postgres() {
    up_down_up(Backend::Postgres);
}

#[test]
fn a_missing_sqlite_file_is_an_error_that_says_what_to_do() {
    let database: Database = "sqlite:/nowhere/at/all.sqlite".parse().unwrap();
    let error = migration::migrate(&database, false)
        .unwrap_err()
        .to_string();
    assert!(error.contains("--create"), "{error}");
    assert!("mysql://x".parse::<Database>().is_err());
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Every constraint the code can meet has its name in both databases.
fn names(backend: Backend) {
    let Some(app) = TestApp::start(backend) else {
        return;
    };
    let statement = match backend {
        Backend::Sqlite => {
            "SELECT COALESCE(group_concat(sql, ' '), '') AS name FROM sqlite_master WHERE sql IS NOT NULL"
        }
        Backend::Postgres => {
            "SELECT string_agg(name, ' ') AS name FROM (SELECT conname::text AS name FROM pg_constraint UNION ALL \
             SELECT indexname::text FROM pg_indexes UNION ALL SELECT tgname::text FROM pg_trigger) AS names"
        }
    };
    let known = app.read(move |conn: &mut Conn| {
        Ok(diesel::sql_query(statement)
            .get_result::<Name>(conn)
            .map_err(yiqi::store::StoreError::from)?
            .name)
    });
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let known: BTreeSet<&str> = known.split(|letter| !is_name(letter)).collect();
    for constraint in Constraint::ALL {
        assert!(
            known.contains(constraint.name()),
            "{} is unknown to {backend:?}",
            constraint.name()
        );
    }
}

#[test]
fn constraints_have_the_same_names_in_sqlite() {
    names(Backend::Sqlite);
}

#[test]
fn constraints_have_the_same_names_in_postgres() {
    names(Backend::Postgres);
}
