//! Usage records: the current version here, replaced ones whole in `usage_record_version`. The database refuses two records
//! at one time on one channel (`UsageOverlap`).

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::{usage_record, usage_record_version};
use super::{Conn, Json, Result};
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{
    BookingId, EventId, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId, UserId,
};

/// One row, whole: also what a replaced version keeps as JSON.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = usage_record)]
pub struct UsageRecord {
    pub id: UsageRecordId,
    pub record_no: Option<String>,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub booking_id: Option<BookingId>,
    pub channel: i64,
    pub started_at: Instant,
    pub ended_at: Instant,
    pub prepare_minutes: Minutes,
    pub run_minutes: Minutes,
    pub post_minutes: Minutes,
    pub samples: i64,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub statutory: bool,
    pub operator: Option<Json<Value>>,
    pub client_reference: Option<String>,
    pub state: UsageState,
    pub reason: Option<String>,
    pub evidence: Evidence,
    pub entered_at: Option<Instant>,
    pub entered_by: Option<UserId>,
    pub version: i64,
    pub event_id: EventId,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What one version of a record says, for insert and update alike; what is `None` becomes NULL.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = usage_record, treat_none_as_null = true)]
pub struct Columns {
    pub record_no: Option<String>,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub booking_id: Option<BookingId>,
    pub channel: i64,
    pub started_at: Instant,
    pub ended_at: Instant,
    pub prepare_minutes: Minutes,
    pub run_minutes: Minutes,
    pub post_minutes: Minutes,
    pub samples: i64,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub statutory: bool,
    pub operator: Option<Json<Value>>,
    pub client_reference: Option<String>,
    pub state: UsageState,
    pub reason: Option<String>,
    pub evidence: Evidence,
    pub entered_at: Option<Instant>,
    pub entered_by: Option<UserId>,
    pub event_id: EventId,
    pub updated_at: Instant,
}

/// Inserts version 1. Violates `UsageOverlap`, `UsageClientReference`, `UsageRecordNo`.
pub fn insert(conn: &mut Conn, first: Columns) -> Result<UsageRecord> {
    let now = first.updated_at;
    Ok(diesel::insert_into(usage_record::table)
        .values((
            first,
            usage_record::version.eq(1_i64),
            usage_record::created_at.eq(now),
        ))
        .get_result(conn)?)
}

/// Keeps the present version whole and writes the next one. Violates as [`insert`].
pub fn update(conn: &mut Conn, present: &UsageRecord, next: Columns) -> Result<UsageRecord> {
    diesel::insert_into(usage_record_version::table)
        .values((
            usage_record_version::usage_record_id.eq(present.id),
            usage_record_version::version.eq(present.version),
            usage_record_version::content.eq(serde_json::to_string(present)?),
            usage_record_version::event_id.eq(present.event_id),
            usage_record_version::replaced_by_event_id.eq(next.event_id),
            usage_record_version::replaced_at.eq(next.updated_at),
        ))
        .execute(conn)?;
    Ok(diesel::update(usage_record::table.find(present.id))
        .set((next, usage_record::version.eq(present.version + 1)))
        .get_result(conn)?)
}

impl UsageRecord {
    /// The columns of the present version, to change some of them.
    pub fn columns(&self) -> Columns {
        Columns {
            record_no: self.record_no.clone(),
            instrument_id: self.instrument_id,
            organization_id: self.organization_id,
            booking_id: self.booking_id,
            channel: self.channel,
            started_at: self.started_at,
            ended_at: self.ended_at,
            prepare_minutes: self.prepare_minutes,
            run_minutes: self.run_minutes,
            post_minutes: self.post_minutes,
            samples: self.samples,
            mode: self.mode,
            purpose: self.purpose,
            statutory: self.statutory,
            operator: self.operator.clone(),
            client_reference: self.client_reference.clone(),
            state: self.state,
            reason: self.reason.clone(),
            evidence: self.evidence,
            entered_at: self.entered_at,
            entered_by: self.entered_by,
            event_id: self.event_id,
            updated_at: self.updated_at,
        }
    }
}

pub fn get(conn: &mut Conn, id: UsageRecordId) -> Result<UsageRecord> {
    Ok(usage_record::table
        .find(id)
        .select(UsageRecord::as_select())
        .first(conn)?)
}
