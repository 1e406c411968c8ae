//! What people call the organizations, instruments and persons of an answer, each read once.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::schema::{instrument, organization, user_account};
use super::{Conn, Result};

/// So many are asked for in one statement.
const CHUNK: usize = 500;

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

pub fn list(conn: &mut Conn, named: &Named) -> Result<Names> {
    let mut names = Names::default();
    for some in chunks(&named.organizations) {
        let rows: Vec<(i64, String)> = organization::table
            .filter(organization::id.eq_any(some))
            .select((organization::id, organization::name))
            .load(conn)?;
        names.organizations.extend(rows);
    }
    for some in chunks(&named.instruments) {
        let rows: Vec<(i64, String)> = instrument::table
            .filter(instrument::id.eq_any(some))
            .select((instrument::id, instrument::name))
            .load(conn)?;
        names.instruments.extend(rows);
    }
    for some in chunks(&named.people) {
        let rows: Vec<(i64, String, Option<String>)> = user_account::table
            .filter(user_account::id.eq_any(some))
            .select((user_account::id, user_account::name, user_account::phone))
            .load(conn)?;
        let contact = |(id, name, phone)| (id, Contact { name, phone });
        names.people.extend(rows.into_iter().map(contact));
    }
    Ok(names)
}

fn chunks(ids: &BTreeSet<i64>) -> Vec<Vec<i64>> {
    let ids: Vec<i64> = ids.iter().copied().collect();
    ids.chunks(CHUNK).map(<[i64]>::to_vec).collect()
}
