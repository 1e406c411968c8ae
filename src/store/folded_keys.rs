//! The folded forms of keys that were stored before there were any. Filled in when the schema is brought up to date, by the
//! program: no database folds as it does.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Conn, Result};
use crate::domain::TypedKey;

/// A column of keys, that of their folded forms, and within what they are unique.
struct Column {
    table: &'static str,
    typed: &'static str,
    folded: &'static str,
    within: &'static str,
}

const COLUMNS: [Column; 3] = [
    Column {
        table: "instrument",
        typed: "asset_no",
        folded: "asset_no_key",
        within: "organization_id",
    },
    Column {
        table: "booking",
        typed: "client_reference",
        folded: "client_reference_key",
        within: "organization_id",
    },
    Column {
        table: "usage_record",
        typed: "client_reference",
        folded: "client_reference_key",
        within: "organization_id",
    },
];

/// Logins are kept folded alone.
const LOGINS: Column = Column {
    table: "user_account",
    typed: "login",
    folded: "login",
    within: "1",
};

/// Rows of one transaction.
const ROWS: i64 = 1_000;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    typed: String,
}

/// Folds what is not folded yet. Of two keys that mean the same the older one keeps it; the other is told and is no longer
/// found by it.
pub(super) fn fill(connection: &mut Conn) -> Result<()> {
    for column in &COLUMNS {
        let mut after = Some(0);
        while let Some(id) = after {
            after = connection.transaction(|tx| fill_some(tx, column, id))?;
        }
    }
    connection.transaction(fold_logins)
}

/// Folds some of the rows after this one; the last of them, after which there may be more.
fn fill_some(tx: &mut Conn, column: &Column, after: i64) -> Result<Option<i64>> {
    let Column {
        table,
        typed,
        folded,
        ..
    } = column;
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT id, {typed} AS typed FROM {table} WHERE id > $1 AND {folded} IS NULL AND {typed} IS NOT NULL \
         ORDER BY id LIMIT {ROWS}"
    ))
    .bind::<BigInt, _>(after)
    .load(tx)?;
    for row in &rows {
        let key = TypedKey::new(&row.typed).folded();
        if !take(tx, column, row.id, &key)? {
            tracing::warn!(
                table,
                id = row.id,
                key = row.typed,
                "another row has a key that means the same; give this one another"
            );
            // No key that anybody types has this character.
            take(tx, column, row.id, &format!("{key}\u{1}{}", row.id))?;
        }
    }
    Ok(rows.last().map(|row| row.id))
}

fn fold_logins(tx: &mut Conn) -> Result<()> {
    let rows: Vec<Row> =
        diesel::sql_query("SELECT id, login AS typed FROM user_account ORDER BY id").load(tx)?;
    for row in rows {
        let key = TypedKey::new(&row.typed).folded();
        if key != row.typed && !take(tx, &LOGINS, row.id, &key)? {
            tracing::warn!(
                id = row.id,
                "another account has a login that means the same"
            );
        }
    }
    Ok(())
}

/// Gives a row its folded key, unless another has it.
fn take(tx: &mut Conn, column: &Column, id: i64, key: &str) -> Result<bool> {
    let Column {
        table,
        folded,
        within,
        ..
    } = column;
    let within = match *within {
        "1" => String::new(),
        within => format!("other.{within} = {table}.{within} AND "),
    };
    let taken = diesel::sql_query(format!(
        "UPDATE {table} SET {folded} = $1 WHERE id = $2 AND NOT EXISTS (SELECT 1 FROM {table} AS other WHERE {within}other.{folded} = $1)"
    ))
    .bind::<Text, _>(key)
    .bind::<BigInt, _>(id)
    .execute(tx)?;
    Ok(taken > 0)
}
