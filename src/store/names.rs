//! What people call the organizations, instruments and persons of an answer, each read once.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use super::{Conn, Result};

/// A person as another one calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    pub name: String,
    pub phone: Option<String>,
}

/// The ids that stand in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub organizations: BTreeSet<i64>,
    pub instruments: BTreeSet<i64>,
    pub people: BTreeSet<i64>,
}

impl Named {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Their names; what is not there has none.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub organizations: BTreeMap<i64, String>,
    pub instruments: BTreeMap<i64, String>,
    pub people: BTreeMap<i64, Contact>,
}

/// A row of any of the three: what it is of, its id, its name, and of a person the telephone number.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    kind: i32,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    phone: Option<String>,
}

/// In one question, whatever is asked for.
pub fn list(conn: &mut Conn, named: &Named) -> Result<Names> {
    let tables = [
        (
            1,
            "organization",
            "CAST(NULL AS TEXT)",
            &named.organizations,
        ),
        (2, "instrument", "CAST(NULL AS TEXT)", &named.instruments),
        (3, "user_account", "phone", &named.people),
    ];
    let parts = tables.into_iter().filter(|(.., ids)| !ids.is_empty());
    let parts = parts.map(|(kind, table, phone, ids)| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let ids = ids.join(", ");
        format!(
            "SELECT {kind} AS kind, id, name, {phone} AS phone FROM {table} WHERE id IN ({ids})"
        )
    });
    let statement = parts.collect::<Vec<_>>().join(" UNION ALL ");
    let mut names = Names::default();
    if statement.is_empty() {
        return Ok(names);
    }
    for row in diesel::sql_query(statement).load::<Row>(conn)? {
        match row.kind {
            1 => drop(names.organizations.insert(row.id, row.name)),
            2 => drop(names.instruments.insert(row.id, row.name)),
            _ => {
                let (name, phone) = (row.name, row.phone);
                names.people.insert(row.id, Contact { name, phone });
            }
        }
    }
    Ok(names)
}
