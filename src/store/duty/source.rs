//! What duties are made from: the entries of a host in the registry, exemptions, confirmed use; and how all of it stands, so
//! that nothing is made anew that did not change.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Nullable, Timestamp};

use crate::domain::access::Reach;
use crate::domain::exemption::{ExemptionState, ShareMode};
use crate::domain::instrument::{InstrumentState, PurposeType};
use crate::domain::{Fen, Instant, InstrumentId, Minutes, OrganizationId, TypedKey};
use crate::store::drive::hosts_within;
use crate::store::schema::{instrument, organization, sharing_exemption};
use crate::store::{Conn, Result};

/// An entry of the registry, as far as duties follow from it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = instrument)]
pub struct EntryRow {
    pub id: InstrumentId,
    pub asset_no: TypedKey,
    pub name: String,
    pub original_value_fen: Fen,
    pub state: InstrumentState,
    pub share_mode: Option<ShareMode>,
    pub purpose_type: PurposeType,
    pub accepted_on: Option<NaiveDate>,
    pub enabled_on: Option<NaiveDate>,
    pub submitted_at: Option<Instant>,
    pub listed_at: Option<Instant>,
    pub retired_on: Option<NaiveDate>,
    pub updated_at: Instant,
}

/// The entries of a host.
pub fn list_entries(conn: &mut Conn, host: OrganizationId) -> Result<Vec<EntryRow>> {
    Ok(instrument::table
        .filter(instrument::organization_id.eq(host))
        .select(EntryRow::as_select())
        .order(instrument::id)
        .load(conn)?)
}

/// The instruments of a host that it need not share.
pub fn list_exempt(conn: &mut Conn, host: OrganizationId) -> Result<BTreeSet<InstrumentId>> {
    let exempt = sharing_exemption::table
        .inner_join(instrument::table.on(instrument::id.eq(sharing_exemption::instrument_id)))
        .filter(instrument::organization_id.eq(host))
        .filter(sharing_exemption::state.eq(ExemptionState::Approved))
        .select(sharing_exemption::instrument_id)
        .load(conn)?;
    Ok(exempt.into_iter().collect())
}

#[derive(QueryableByName)]
struct UseRow {
    #[diesel(sql_type = BigInt)]
    instrument_id: InstrumentId,
    #[diesel(sql_type = BigInt)]
    minutes: Minutes,
    #[diesel(sql_type = Nullable<Timestamp>)]
    first_at: Option<Instant>,
}

/// The confirmed use of a host's instruments that ended after one moment, and not after another: effective minutes, and
/// the end of the first record that has one. By the index `usage_record_host_ended`.
pub fn list_uses(
    conn: &mut Conn,
    host: OrganizationId,
    (after, until): (Instant, Instant),
) -> Result<Vec<(InstrumentId, Minutes, Instant)>> {
    let rows: Vec<UseRow> = sql_query(format!(
        "SELECT instrument_id, CAST(SUM(prepare_minutes + run_minutes + post_minutes) AS BIGINT) AS minutes, \
         MIN(ended_at) AS first_at FROM usage_record WHERE host_organization_id = {host} AND ended_at > $1 AND ended_at <= $2 \
         AND state = 'confirmed' AND prepare_minutes + run_minutes + post_minutes > 0 GROUP BY instrument_id"
    ))
    .bind::<Timestamp, _>(after)
    .bind::<Timestamp, _>(until)
    .load(conn)?;
    let known = |row: UseRow| Some((row.instrument_id, row.minutes, row.first_at?));
    Ok(rows.into_iter().filter_map(known).collect())
}

/// How the registry of a host stands: the newest event of an entry, how many entries there are, and how many of them need not
/// be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub organization_id: OrganizationId,
    pub newest: i64,
    pub entries: i64,
    pub exempt: i64,
}

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = BigInt)]
    organization_id: OrganizationId,
    #[diesel(sql_type = BigInt)]
    newest: i64,
    #[diesel(sql_type = BigInt)]
    entries: i64,
    #[diesel(sql_type = BigInt)]
    exempt: i64,
}

/// That of these hosts, or of all that `reach` reaches.
pub fn list_standing(
    conn: &mut Conn,
    reach: &Reach,
    asked: &[OrganizationId],
) -> Result<Vec<Standing>> {
    let mut hosts = organization::table
        .filter(organization::is_host)
        .select(organization::id)
        .order(organization::id)
        .into_boxed();
    if !asked.is_empty() {
        hosts = hosts.filter(organization::id.eq_any(asked));
    }
    let mut hosts: Vec<OrganizationId> = hosts.load(conn)?;
    if !reach.everything {
        let supervised: BTreeSet<OrganizationId> = match reach.region {
            Some(region) => hosts_within!(region).load(conn)?.into_iter().collect(),
            None => BTreeSet::new(),
        };
        hosts.retain(|host| reach.host == Some(*host) || supervised.contains(host));
    }
    let mut found = Vec::with_capacity(hosts.len());
    for some in hosts.chunks(500) {
        let ids: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<StandingRow> = sql_query(format!(
            "SELECT o.id AS organization_id, COALESCE(MAX(i.event_id), 0) AS newest, COUNT(i.id) AS entries, \
             (SELECT COUNT(*) FROM sharing_exemption e JOIN instrument x ON x.id = e.instrument_id \
             WHERE x.organization_id = o.id AND e.state = 'approved') AS exempt \
             FROM organization o LEFT JOIN instrument i ON i.organization_id = o.id WHERE o.id IN ({}) \
             GROUP BY o.id ORDER BY o.id",
            ids.join(", ")
        ))
        .load(conn)?;
        found.extend(rows.into_iter().map(|row| Standing {
            organization_id: row.organization_id,
            newest: row.newest,
            entries: row.entries,
            exempt: row.exempt,
        }));
    }
    Ok(found)
}
