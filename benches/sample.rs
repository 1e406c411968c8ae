//! The rows that the service itself writes for one booking, read back from the database: what the raw statements insert
//! again and again with other numbers. So both sides write the same rows, whatever columns the schema has.

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::world::Backend;

/// One row of a table, without what the database itself fills in.
pub struct Sample {
    pub table: &'static str,
    columns: Map<String, Value>,
}

/// Filled by the database at every insert.
const FILLED: [&str; 2] = ["id", "transaction_id"];

impl Sample {
    /// The newest row of a table that meets the condition.
    pub fn newest(backend: Backend, url: &str, table: &'static str, condition: &str) -> Sample {
        let query = format!("SELECT * FROM {table} WHERE {condition} ORDER BY id DESC LIMIT 1");
        let mut columns = match backend {
            Backend::Sqlite => of_sqlite(url, &query),
            Backend::Postgres => of_postgres(url, &query),
        };
        for name in FILLED {
            columns.remove(name);
        }
        Sample { table, columns }
    }

    pub fn names(&self) -> Vec<&str> {
        self.columns.keys().map(String::as_str).collect()
    }

    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.columns
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    /// What a column holds, as SQL writes it.
    pub fn literal(&self, name: &str) -> String {
        literal(&self.columns[name])
    }

    /// `(columns) … expressions` of an INSERT: the row's own values as literals, but for those that `changed` gives.
    /// A name that the table does not have is a mistake of the measurement.
    pub fn columns_and_expressions(&self, changed: &[(&str, &str)]) -> (String, String) {
        for (name, _) in changed {
            assert!(
                self.columns.contains_key(*name),
                "{} has no {name}",
                self.table
            );
        }
        let expression = |name: &str, value: &Value| {
            let change = changed.iter().find(|(changed, _)| *changed == name);
            change.map_or_else(
                || literal(value),
                |(_, expression)| (*expression).to_owned(),
            )
        };
        let expressions: Vec<_> = self
            .values()
            .map(|(name, value)| expression(name, value))
            .collect();
        (self.names().join(", "), expressions.join(", "))
    }
}

/// A JSON value as both databases write it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

fn of_sqlite(url: &str, query: &str) -> Map<String, Value> {
    let conn = rusqlite::Connection::open(url.trim_start_matches("sqlite:")).unwrap();
    let mut statement = conn.prepare(query).unwrap();
    let names: Vec<String> = statement
        .column_names()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let mut rows = statement.query([]).unwrap();
    let row = rows.next().unwrap().expect("a row to repeat");
    let value = |at: usize| match row.get_ref(at).unwrap() {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Text(text) => std::str::from_utf8(text).unwrap().into(),
        other => panic!("{query}: {other:?}"),
    };
    names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (name, value(at)))
        .collect()
}

fn of_postgres(url: &str, query: &str) -> Map<String, Value> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        content: String,
    }
    let mut conn = PgConnection::establish(url).unwrap();
    let whole = format!("SELECT row_to_json(r)::text AS content FROM ({query}) AS r");
    let row: Row = diesel::sql_query(whole)
        .get_result(&mut conn)
        .expect("a row to repeat");
    serde_json::from_str(&row.content).unwrap()
}
