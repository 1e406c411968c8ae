//! Many rows at once, where the databases differ: COPY on PostgreSQL, one prepared statement on SQLite. Rows are written with
//! ids of [`reserve_ids`], so that they can refer to each other.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::{Conn, Result, StoreError};

/// Inserts every row of a slice of insertable structs (derived with `treat_none_as_default_value = false`).
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr) => {{
        let rows = $rows;
        match $conn {
            $crate::store::Conn::Postgres(postgres) if !rows.is_empty() => {
                diesel::copy_from($table)
                    .from_insertable(rows)
                    .execute(postgres)?;
            }
            $crate::store::Conn::Postgres(_) => {}
            $crate::store::Conn::Sqlite(sqlite) => {
                for row in rows {
                    diesel::insert_into($table).values(row).execute(sqlite)?;
                }
            }
        }
    }};
}
pub(in crate::store) use insert_all;

/// Ids of a kind, from [`reserve_ids`].
pub fn reserve<T: TryFrom<i64>>(
    conn: &mut Conn,
    table: &'static str,
    count: usize,
) -> Result<Vec<T>> {
    typed(reserve_ids(conn, table, count)?)
}

fn typed<T: TryFrom<i64>>(ids: Vec<i64>) -> Result<Vec<T>> {
    let ids = ids.into_iter();
    ids.map(|id| T::try_from(id).map_err(|_| StoreError::NotFound))
        .collect()
}

#[derive(QueryableByName)]
struct Reserved {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Ids that nobody else will get, for rows that are written with their ids. `table` is a table of ours with an `id`.
pub fn reserve_ids(conn: &mut Conn, table: &'static str, count: usize) -> Result<Vec<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match conn {
        Conn::Postgres(postgres) => {
            let rows: Vec<Reserved> = sql_query(format!(
                "SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id FROM generate_series(1, {count})"
            ))
            .load(postgres)?;
            Ok(rows.into_iter().map(|row| row.id).collect())
        }
        Conn::Sqlite(sqlite) => {
            let last: Reserved = sql_query(format!(
                "SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0) AS id"
            ))
            .get_result(sqlite)?;
            Ok((last.id + 1..=last.id + count).collect())
        }
    }
}

/// As [`reserve`]; nobody else gets the ids either when the rows come with a later transaction, or not at all.
pub fn reserve_for_good<T: TryFrom<i64>>(
    conn: &mut Conn,
    table: &'static str,
    count: usize,
) -> Result<Vec<T>> {
    let ids = reserve_ids(conn, table, count)?;
    if let (Conn::Sqlite(sqlite), Some(last)) = (conn, ids.last()) {
        let known = sql_query(format!(
            "UPDATE sqlite_sequence SET seq = {last} WHERE name = '{table}'"
        ));
        if known.execute(sqlite)? == 0 {
            sql_query(format!(
                "INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {last})"
            ))
            .execute(sqlite)?;
        }
    }
    typed(ids)
}
