//! How much instruments were used lately, and by how many units.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamp};

use crate::domain::{Instant, InstrumentId, Minutes};
use crate::store::{Conn, Result};

/// The confirmed use of an instrument.
#[derive(Debug, Clone, QueryableByName)]
pub struct RecentUse {
    #[diesel(sql_type = BigInt)]
    pub instrument_id: InstrumentId,
    /// Effective ones.
    #[diesel(sql_type = BigInt)]
    pub minutes: Minutes,
    /// Using units.
    #[diesel(sql_type = BigInt)]
    pub units: i64,
}

/// What ended after one moment, and not after another; of those that were used. By the index `usage_record_confirmed`.
pub fn list_recent_use(
    conn: &mut Conn,
    ids: &[InstrumentId],
    (after, until): (Instant, Instant),
) -> Result<Vec<RecentUse>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let query = sql_query(format!(
        "SELECT instrument_id, CAST(SUM(prepare_minutes + run_minutes + post_minutes) AS BIGINT) AS minutes, \
         COUNT(DISTINCT organization_id) AS units FROM usage_record WHERE instrument_id IN ({}) AND ended_at > $1 \
         AND ended_at <= $2 AND state = 'confirmed' GROUP BY instrument_id",
        ids.join(", ")
    ));
    let query = query
        .bind::<Timestamp, _>(after)
        .bind::<Timestamp, _>(until);
    Ok(query.load(conn)?)
}
