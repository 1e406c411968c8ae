//! Confirmed records of the days one by one, for packs that ask more of a service than its class.

use diesel::prelude::*;
use diesel::sql_query;

use super::income::earns;
use super::service::{Parts, RecordId};
use super::{PAGE_ROWS, Scope};
use crate::domain::UsageRecordId;
use crate::store::usage::{self, UsageRecord};
use crate::store::{Conn, Result};

/// Gives the current records up to the freeze that ended in the days or have income of them, page by page in the order of ids.
pub fn each_record<E: From<crate::store::StoreError>>(
    conn: &mut Conn,
    scope: &Scope,
    mut take: impl FnMut(&mut Conn, Vec<UsageRecord>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let mut after = 0;
    loop {
        let records = list(conn, scope, after).map_err(E::from)?;
        let Some(last) = records.last() else {
            return Ok(());
        };
        after = last.id.number();
        take(conn, records)?;
    }
}

fn list(conn: &mut Conn, scope: &Scope, after: i64) -> Result<Vec<UsageRecord>> {
    let Parts { period, record, .. } = Parts::new(scope, None, &[]);
    let ids: Vec<RecordId> = sql_query(format!(
        "SELECT u.id FROM usage_record u WHERE u.id > {after} AND {record} \
         AND ({period} OR {earns}) \
         ORDER BY u.id LIMIT {PAGE_ROWS}",
        earns = earns(scope),
    ))
    .load(conn)?;
    let ids: Vec<UsageRecordId> = ids.into_iter().map(|row| row.id).collect();
    usage::list_of(conn, &ids)
}
