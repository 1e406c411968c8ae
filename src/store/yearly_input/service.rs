//! Usage and answers of the year, summed by instrument, using unit and class. Whether a using unit was related is
//! not summed: the caller knows the pairs whose relation changed and asks for all of those at once, moment by moment.
//!
//! The conditions are written into the texts as numbers and times, never as anything somebody typed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamp};

use super::income::earns;
use super::{Scope, Side};
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use crate::domain::{EventId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::store::schema::{review, usage_record, usage_record_version};
use crate::store::usage::{StoredVersion, UsageRecord};
use crate::store::{Conn, Json, Result};

/// A host and one of its using units.
pub type Pair = (OrganizationId, OrganizationId);

/// What the records of one group have in common; `ended_at` only where pairs were asked for.
#[derive(Debug, QueryableByName)]
pub struct RecordClass {
    #[diesel(sql_type = BigInt)]
    pub instrument_id: InstrumentId,
    #[diesel(sql_type = BigInt)]
    pub organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    pub evidence: Evidence,
    #[diesel(sql_type = Bool)]
    pub statutory: bool,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub ended_at: Option<Instant>,
}

/// Confirmed usage of one class.
#[derive(Debug, QueryableByName)]
pub struct UsageGroup {
    #[diesel(embed)]
    pub class: RecordClass,
    #[diesel(sql_type = BigInt)]
    pub effective_minutes: Minutes,
    #[diesel(sql_type = BigInt)]
    pub prepare_minutes: Minutes,
    #[diesel(sql_type = BigInt)]
    pub post_minutes: Minutes,
    #[diesel(sql_type = BigInt)]
    pub records: i64,
    #[diesel(sql_type = BigInt)]
    pub samples: i64,
}

/// Answers of one level in confirmed records of the year.
#[derive(Debug, QueryableByName)]
pub struct AnswerGroup {
    #[diesel(sql_type = BigInt)]
    pub instrument_id: InstrumentId,
    #[diesel(sql_type = BigInt)]
    pub organization_id: OrganizationId,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub ended_at: Option<Instant>,
    #[diesel(sql_type = Text)]
    pub satisfaction: Satisfaction,
    #[diesel(sql_type = BigInt)]
    pub answers: i64,
}

/// The parts of a text that the scope and the pairs decide.
pub(super) struct Parts {
    pub period: String,
    /// Conditions on the record alone.
    pub record: String,
    pub ended_at: &'static str,
    pub by_ended_at: &'static str,
}

impl Parts {
    pub fn new(scope: &Scope, pairs: Option<&[Pair]>, apart: &[UsageRecordId]) -> Self {
        let moment = |instant: Instant| instant.naive_utc().format("%Y-%m-%d %H:%M:%S").to_string();
        let mut record = format!(
            "u.state = 'confirmed' AND u.event_id <= {}",
            scope.event_number()
        );
        if !apart.is_empty() {
            let ids: Vec<String> = apart.iter().map(ToString::to_string).collect();
            record.push_str(&format!(" AND u.id NOT IN ({})", ids.join(", ")));
        }
        if let Some(pairs) = pairs {
            let pairs: Vec<_> = pairs
                .iter()
                .map(|(host, user)| format!("({host}, {user})"))
                .collect();
            record.push_str(&format!(
                " AND ((SELECT i.organization_id FROM instrument i WHERE i.id = u.instrument_id), u.organization_id) \
                 IN (VALUES {})",
                pairs.join(", ")
            ));
        }
        Self {
            period: format!(
                "u.ended_at > '{}' AND u.ended_at <= '{}'",
                moment(scope.period.starts_at()),
                moment(scope.period.ends_at())
            ),
            record,
            // A column is taken as it is: a cast would make a number of it on SQLite. PostgreSQL wants the type of a NULL.
            ended_at: if pairs.is_some() {
                "u.ended_at"
            } else {
                "CAST(NULL AS TIMESTAMP)"
            },
            by_ended_at: if pairs.is_some() { ", u.ended_at" } else { "" },
        }
    }
}

/// Confirmed records. On SQLite by the index that holds all that is summed, in the order of the groups: the planner may take it for
/// slower than an index of days, which is several times as slow.
pub(super) const fn confirmed_rows(conn: &Conn) -> &'static str {
    match conn {
        Conn::Sqlite(_) => "usage_record u INDEXED BY usage_record_confirmed",
        Conn::Postgres(_) => "usage_record u",
    }
}

/// The end of a record as every one's is compared. On SQLite a column of times looks like one of numbers, so that each text would be
/// tried as a number; the sign takes that from it.
pub(super) const fn ended_at_alone(conn: &Conn) -> &'static str {
    match conn {
        Conn::Sqlite(_) => "+u.ended_at",
        Conn::Postgres(_) => "u.ended_at",
    }
}

/// One pass over the year's records but those `apart`.
pub fn list_usage(
    conn: &mut Conn,
    scope: &Scope,
    pairs: Option<&[Pair]>,
    apart: &[UsageRecordId],
) -> Result<Vec<UsageGroup>> {
    let Parts {
        period,
        record,
        ended_at,
        by_ended_at,
    } = Parts::new(scope, pairs, apart);
    let period = period.replace("u.ended_at", ended_at_alone(conn));
    Ok(sql_query(format!(
        "SELECT u.instrument_id, u.organization_id, u.evidence, u.statutory, {ended_at} AS ended_at, \
         CAST(SUM(u.prepare_minutes + u.run_minutes + u.post_minutes) AS BIGINT) AS effective_minutes, \
         CAST(SUM(u.prepare_minutes) AS BIGINT) AS prepare_minutes, \
         CAST(SUM(u.post_minutes) AS BIGINT) AS post_minutes, \
         COUNT(*) AS records, CAST(SUM(u.samples) AS BIGINT) AS samples \
         FROM {} WHERE {record} AND {period} \
         GROUP BY u.instrument_id, u.organization_id, u.evidence, u.statutory{by_ended_at}",
        confirmed_rows(conn)
    ))
    .load(conn)?)
}

/// The answers in confirmed records of the year but those `apart`.
pub fn list_answers(
    conn: &mut Conn,
    scope: &Scope,
    pairs: Option<&[Pair]>,
    apart: &[UsageRecordId],
) -> Result<Vec<AnswerGroup>> {
    let Parts {
        period,
        record,
        ended_at,
        by_ended_at,
    } = Parts::new(scope, pairs, apart);
    Ok(sql_query(format!(
        "SELECT u.instrument_id, u.organization_id, {ended_at} AS ended_at, r.satisfaction, \
         COUNT(*) AS answers FROM review r JOIN usage_record u ON u.id = r.usage_record_id \
         WHERE {record} AND {period} AND r.event_id <= {} \
         GROUP BY u.instrument_id, u.organization_id, r.satisfaction{by_ended_at}",
        scope.event_number()
    ))
    .load(conn)?)
}

/// The answer in one record.
pub fn find_answer(
    conn: &mut Conn,
    scope: &Scope,
    record: UsageRecordId,
) -> Result<Option<Satisfaction>> {
    Ok(review::table
        .filter(
            review::usage_record_id
                .eq(record)
                .and(review::event_id.le(scope.event_number())),
        )
        .select(review::satisfaction)
        .get_result(conn)
        .optional()?)
}

/// The answers in these records.
pub fn list_answers_of(
    conn: &mut Conn,
    scope: &Scope,
    records: &[UsageRecordId],
) -> Result<BTreeMap<UsageRecordId, Satisfaction>> {
    let answers: Vec<(UsageRecordId, Satisfaction)> = review::table
        .filter(
            review::usage_record_id
                .eq_any(records)
                .and(review::event_id.le(scope.event_number())),
        )
        .select((review::usage_record_id, review::satisfaction))
        .load(conn)?;
    Ok(answers.into_iter().collect())
}

/// The versions that stood at the freeze and were replaced since, by record id.
pub fn list_replaced(conn: &mut Conn, scope: &Scope) -> Result<Vec<UsageRecord>> {
    let versions: Vec<Json<StoredVersion>> = usage_record_version::table
        .filter(
            usage_record_version::event_id
                .le(scope.event_number())
                .and(usage_record_version::replaced_by_event_id.gt(scope.event_number())),
        )
        .select(usage_record_version::content)
        .order(usage_record_version::usage_record_id)
        .load(conn)?;
    let whole = |version: Json<StoredVersion>| version.into_inner().into();
    Ok(versions.into_iter().map(whole).collect())
}

/// A record written or changed since the freeze that ends in the year, or did then: its id, present version and number.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct RecordRow {
    pub id: UsageRecordId,
    pub version: i64,
    pub event_id: EventId,
    pub record_no: Option<String>,
}

/// The records whose present version is later than the freeze, by id.
pub fn list_changed(conn: &mut Conn, scope: &Scope) -> Result<Vec<RecordRow>> {
    let in_year = usage_record::ended_at
        .gt(scope.period.starts_at())
        .and(usage_record::ended_at.le(scope.period.ends_at()));
    let replaced = usage_record_version::table
        .filter(
            usage_record_version::event_id
                .le(scope.event_number())
                .and(usage_record_version::replaced_by_event_id.gt(scope.event_number())),
        )
        .select(usage_record_version::usage_record_id);
    Ok(usage_record::table
        .filter(usage_record::event_id.gt(scope.event_number()))
        .filter(in_year.or(usage_record::id.eq_any(replaced)))
        .select((
            usage_record::id,
            usage_record::version,
            usage_record::event_id,
            usage_record::record_no,
        ))
        .order(usage_record::id)
        .load(conn)?)
}

/// The records of a host's instruments, or those that a using unit has or was charged for, as they were at the freeze, that end in
/// the days or have income of them, by id, after `after`.
pub fn list_records(
    conn: &mut Conn,
    scope: &Scope,
    side: Side,
    after: Option<UsageRecordId>,
    limit: i64,
) -> Result<Vec<UsageRecord>> {
    let of_side = match side {
        Side::Host(host) => {
            format!("u.instrument_id IN (SELECT id FROM instrument WHERE organization_id = {host})")
        }
        Side::User(user) => format!(
            "(u.organization_id = {user} OR u.id IN (SELECT usage_record_id FROM charge WHERE payer_organization_id = {user}))"
        ),
    };
    let ids: Vec<RecordId> = sql_query(format!(
        "SELECT u.id FROM usage_record u WHERE u.id > {after} \
         AND {of_side} \
         AND ({period} OR EXISTS (SELECT 1 FROM usage_record_version v WHERE v.usage_record_id = u.id \
         AND v.event_id <= {event} AND v.replaced_by_event_id > {event}) \
         OR {earns}) \
         AND (u.event_id <= {event} OR EXISTS (SELECT 1 FROM usage_record_version v WHERE v.usage_record_id = u.id \
         AND v.event_id <= {event})) ORDER BY u.id LIMIT {limit}",
        after = after.map_or(0, UsageRecordId::number),
        period = Parts::new(scope, None, &[]).period,
        event = scope.event_number(),
        earns = earns(scope),
    ))
    .load(conn)?;
    ids.into_iter()
        .map(|row| get_record(conn, scope, row.id))
        .collect()
}

#[derive(QueryableByName)]
pub(super) struct RecordId {
    #[diesel(sql_type = BigInt)]
    pub id: UsageRecordId,
}

/// A record as it was at the freeze.
pub fn get_record(conn: &mut Conn, scope: &Scope, id: UsageRecordId) -> Result<UsageRecord> {
    let event = scope.event_number();
    let replaced: Option<Json<StoredVersion>> = usage_record_version::table
        .filter(
            usage_record_version::usage_record_id
                .eq(id)
                .and(usage_record_version::event_id.le(event))
                .and(usage_record_version::replaced_by_event_id.gt(event)),
        )
        .select(usage_record_version::content)
        .get_result(conn)
        .optional()?;
    match replaced {
        Some(version) => Ok(version.into_inner().into()),
        None => crate::store::usage::get(conn, id),
    }
}
