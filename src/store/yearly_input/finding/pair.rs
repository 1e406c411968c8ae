//! The records of what was found between two units: one query for many pairs, as many as their records fit into the memory of.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::{MINUTES, in_year};
use crate::domain::finding::{CANDIDATES_MAX, FindingRule, Found};
use crate::domain::{InstrumentId, UsageRecordId};
use crate::store::yearly_input::Scope;
use crate::store::{Conn, Result};

/// What one query asks at most: pairs, and records by what was found.
const PAIRS_MAX: usize = 500;
const RECORDS_MAX: i64 = 5 * CANDIDATES_MAX;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = BigInt)]
    id: UsageRecordId,
}

/// Gives what was found between two units by one rule its records, by id, and says where there are more of them.
pub fn read_records_of_two(
    conn: &mut Conn,
    scope: &Scope,
    (rule, found): (FindingRule, &mut [Found]),
) -> Result<()> {
    let mut rest = found;
    while !rest.is_empty() {
        let next = first(rest);
        let (some, others) = rest.split_at_mut(next);
        read(conn, scope, (rule, some))?;
        rest = others;
    }
    Ok(())
}

/// How many of them the next query asks.
fn first(found: &[Found]) -> usize {
    let (mut pairs, mut records) = (0_usize, 0_i64);
    let fits = |one: &&Found| {
        pairs = pairs.saturating_add(one.durations.len().max(1));
        records = records.saturating_add(one.records.min(CANDIDATES_MAX));
        pairs <= PAIRS_MAX && records <= RECORDS_MAX
    };
    found.iter().take_while(fits).count().max(1)
}

fn read(conn: &mut Conn, scope: &Scope, (rule, found): (FindingRule, &mut [Found])) -> Result<()> {
    let mut pairs = Vec::new();
    let mut by_place = BTreeMap::new();
    for (place, one) in (0_i64..).zip(found) {
        pairs.extend(pairs_of(place, one));
        by_place.insert(place, one);
    }
    if pairs.is_empty() {
        return Ok(());
    }
    let charged = "EXISTS (SELECT 1 FROM charge c WHERE c.usage_record_id = u.id AND c.state <> 'voided' AND c.amount_fen > 0)";
    let which = match rule {
        FindingRule::CircularTrade | FindingRule::RelatedCustomer => charged.to_owned(),
        FindingRule::UsageWithoutIncome => "u.state = 'confirmed'".to_owned(),
        _ => format!("u.instrument_id = p.instrument AND {MINUTES} = p.minutes"),
    };
    let rows: Vec<Row> = sql_query(format!(
        "WITH pair(place, host, customer, instrument, minutes) AS (VALUES {}) \
         SELECT n.place, n.id FROM (SELECT CAST(p.place AS BIGINT) AS place, u.id AS id, \
         ROW_NUMBER() OVER (PARTITION BY p.place ORDER BY u.id) AS number FROM pair p JOIN usage_record u \
         ON u.host_organization_id = p.host AND u.organization_id = p.customer WHERE {} AND {which}) n \
         WHERE n.number <= {} ORDER BY n.place, n.id",
        pairs.join(", "),
        in_year(scope),
        CANDIDATES_MAX + 1
    ))
    .load(conn)?;
    for row in rows {
        if let Some(one) = by_place.get_mut(&row.place) {
            one.record_ids.push(row.id);
        }
    }
    for one in by_place.into_values() {
        one.is_cut |= super::cut(&mut one.record_ids);
    }
    Ok(())
}

/// Whose records at whom, as rows of the query's table; nothing where it is not about two.
fn pairs_of(place: i64, found: &Found) -> Vec<String> {
    let Some(other) = found.counterpart_id else {
        return Vec::new();
    };
    let (host, instrument) = (
        found.organization_id,
        found.instrument_id.map_or(0, InstrumentId::number),
    );
    match found.rule {
        FindingRule::CircularTrade => vec![
            format!("({place}, {host}, {other}, 0, 0)"),
            format!("({place}, {other}, {host}, 0, 0)"),
        ],
        FindingRule::RelatedCustomer | FindingRule::UsageWithoutIncome => {
            vec![format!("({place}, {host}, {other}, 0, 0)")]
        }
        _ => {
            let minutes = found.durations.iter();
            minutes
                .map(|minutes| format!("({place}, {host}, {other}, {instrument}, {minutes})"))
                .collect()
        }
    }
}
