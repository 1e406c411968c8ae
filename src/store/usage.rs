//! Usage records: the current version here, replaced ones whole in `usage_record_version`. The database refuses two records
//! at one time on one channel (`UsageOverlap`).

mod page;
mod recent;
mod version;

pub use page::{Filter, Listed, list, list_all};
pub use recent::{RecentUse, list_recent_use};
pub use version::StoredVersion;

use diesel::prelude::*;
use serde_json::Value;

use super::schema::{booking, usage_record, usage_record_version};
use super::{Conn, Json, Result, StoreError};
use crate::domain::access::BookingTies;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::usage::{Evidence, ServiceContext, UsageMinutes, UsageState};
use crate::domain::{
    BookingId, EventId, Instant, InstrumentId, Minutes, OrganizationId, Slot, TypedKey,
    UsageRecordId, UserId,
};

type Backend = <Conn as Connection>::Backend;

/// One row, whole.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
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
    pub service_class: Option<ServiceClass>,
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
    pub operator: Option<Json<Value>>,
    pub client_reference: Option<TypedKey>,
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

/// A unit's own reference with its folded form, by which it is unique and found.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = usage_record, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct Reference {
    pub client_reference: Option<TypedKey>,
    client_reference_key: Option<String>,
}

impl Reference {
    pub(super) fn into_columns(self) -> (Option<TypedKey>, Option<String>) {
        (self.client_reference, self.client_reference_key)
    }
}

impl From<Option<TypedKey>> for Reference {
    fn from(client_reference: Option<TypedKey>) -> Self {
        Self {
            client_reference_key: client_reference.as_ref().map(TypedKey::folded),
            client_reference,
        }
    }
}

/// What one version of a record says, for insert and update alike; what is `None` becomes NULL.
#[derive(Debug, Clone, Insertable, AsChangeset)]
#[diesel(table_name = usage_record, treat_none_as_null = true, treat_none_as_default_value = false)]
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
    pub service_class: Option<ServiceClass>,
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
    pub operator: Option<Json<Value>>,
    #[diesel(embed)]
    pub reference: Reference,
    pub state: UsageState,
    pub reason: Option<String>,
    pub evidence: Evidence,
    pub entered_at: Option<Instant>,
    pub entered_by: Option<UserId>,
    pub event_id: EventId,
    pub updated_at: Instant,
}

/// Keeps the present version whole and writes the next one. Violates as [`insert`].
pub fn update(conn: &mut Conn, present: &UsageRecord, next: Columns) -> Result<UsageRecord> {
    diesel::insert_into(usage_record_version::table)
        .values((
            usage_record_version::usage_record_id.eq(present.id),
            usage_record_version::version.eq(present.version),
            usage_record_version::content.eq(Json::of(StoredVersion::from(present))?),
            usage_record_version::event_id.eq(present.event_id),
            usage_record_version::replaced_by_event_id.eq(next.event_id),
            usage_record_version::replaced_at.eq(next.updated_at),
        ))
        .execute(conn)?;
    Ok(diesel::update(usage_record::table.find(present.id))
        .set((next, usage_record::version.eq(present.version + 1)))
        .returning(<UsageRecord as Selectable<Backend>>::construct_selection())
        .get_result(conn)?)
}

impl UsageRecord {
    /// What counts as used: preparation, run and post-processing. They lie within an interval of 31 days, so their sum
    /// cannot overflow.
    pub fn effective_minutes(&self) -> Minutes {
        let parts = [self.prepare_minutes, self.run_minutes, self.post_minutes];
        UsageMinutes::stored(parts).effective()
    }

    /// What the service was for beyond its purpose.
    pub fn context(&self) -> ServiceContext {
        ServiceContext {
            service_class: self.service_class,
            project: self.project.clone(),
            project_level: self.project_level,
        }
    }

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
            service_class: self.service_class,
            project: self.project.clone(),
            project_level: self.project_level,
            operator: self.operator.clone(),
            reference: self.client_reference.clone().into(),
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
        .get_result(conn)?)
}

/// The records with these ids, in their order.
pub fn list_of(conn: &mut Conn, ids: &[UsageRecordId]) -> Result<Vec<UsageRecord>> {
    Ok(usage_record::table
        .filter(usage_record::id.eq_any(ids))
        .select(UsageRecord::as_select())
        .order(usage_record::id)
        .load(conn)?)
}

/// The first record that stands of a booking.
pub fn find_first_of(conn: &mut Conn, booking: BookingId) -> Result<Option<UsageRecordId>> {
    Ok(usage_record::table
        .filter(usage_record::booking_id.eq(booking))
        .filter(usage_record::state.ne(UsageState::Voided))
        .select(usage_record::id)
        .order(usage_record::id)
        .first(conn)
        .optional()?)
}

/// Takes the id of the next record, so that the event appended before it can name it. Fits [`insert`] alone.
pub fn reserve_id(conn: &mut Conn) -> Result<UsageRecordId> {
    let reserved = super::bulk::reserve(conn, "usage_record", 1)?.pop();
    reserved.ok_or(StoreError::NotFound)
}

/// Inserts version 1 under an id of [`reserve_id`]. Violates `UsageOverlap`, `UsageClientReference`, `UsageRecordNo`.
pub fn insert(conn: &mut Conn, id: UsageRecordId, first: Columns) -> Result<UsageRecord> {
    let now = first.updated_at;
    Ok(diesel::insert_into(usage_record::table)
        .values((
            usage_record::id.eq(id),
            first,
            usage_record::version.eq(1_i64),
            usage_record::created_at.eq(now),
        ))
        .returning(<UsageRecord as Selectable<Backend>>::construct_selection())
        .get_result(conn)?)
}

/// Who is tied to a record, as seen by `user`, if it is one.
pub fn get_ties(
    conn: &mut Conn,
    record: &UsageRecord,
    user: Option<UserId>,
) -> Result<BookingTies> {
    let booked_by = match record.booking_id {
        Some(booking) => booking::table
            .find(booking)
            .select(booking::booked_by)
            .get_result(conn)
            .optional()?,
        None => None,
    };
    Ok(BookingTies {
        instrument: super::instrument::get_ties(conn, record.instrument_id, user)?,
        organization_id: record.organization_id,
        booked_by,
        operator: None,
    })
}

/// The replaced versions of a record, newest first.
pub fn list_replaced(conn: &mut Conn, present: &UsageRecord) -> Result<Vec<UsageRecord>> {
    let versions: Vec<Json<StoredVersion>> = usage_record_version::table
        .filter(
            usage_record_version::usage_record_id
                .eq(present.id)
                .and(usage_record_version::version.lt(present.version)),
        )
        .select(usage_record_version::content)
        .order(usage_record_version::version.desc())
        .load(conn)?;
    let whole = |version: Json<StoredVersion>| version.into_inner().into();
    Ok(versions.into_iter().map(whole).collect())
}

/// Where a record was to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub instrument_id: InstrumentId,
    pub channel: i64,
    pub slot: Slot,
    /// The record itself, when it is corrected.
    pub except: Option<UsageRecordId>,
}

/// The first unvoided record in this time.
pub fn find_overlap(conn: &mut Conn, target: &Target) -> Result<Option<UsageRecord>> {
    let mut query = usage_record::table
        .filter(usage_record::instrument_id.eq(target.instrument_id))
        .filter(usage_record::channel.eq(target.channel))
        .filter(usage_record::started_at.lt(target.slot.ends_at()))
        .filter(usage_record::ended_at.gt(target.slot.starts_at()))
        .filter(usage_record::state.ne(UsageState::Voided))
        .select(UsageRecord::as_select())
        .order(usage_record::started_at)
        .into_boxed();
    if let Some(except) = target.except {
        query = query.filter(usage_record::id.ne(except));
    }
    Ok(query.first(conn).optional()?)
}

/// The record of a using unit with this reference of its own.
pub fn find_by_client_reference(
    conn: &mut Conn,
    unit: OrganizationId,
    reference: &TypedKey,
) -> Result<Option<UsageRecord>> {
    Ok(usage_record::table
        .filter(
            usage_record::organization_id
                .eq(unit)
                .and(usage_record::client_reference_key.eq(reference.folded())),
        )
        .select(UsageRecord::as_select())
        .get_result(conn)
        .optional()?)
}

/// When an unvoided record has a channel of its instrument.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Busy {
    pub id: UsageRecordId,
    pub channel: i64,
    pub started_at: Instant,
    pub ended_at: Instant,
}

/// The unvoided records of an instrument in this time, by their beginning.
pub fn list_busy(
    conn: &mut Conn,
    instrument: InstrumentId,
    (from, until): (Instant, Instant),
) -> Result<Vec<Busy>> {
    Ok(usage_record::table
        .filter(usage_record::instrument_id.eq(instrument))
        .filter(usage_record::started_at.lt(until))
        .filter(usage_record::ended_at.gt(from))
        .filter(usage_record::state.ne(UsageState::Voided))
        .select((
            usage_record::id,
            usage_record::channel,
            usage_record::started_at,
            usage_record::ended_at,
        ))
        .order(usage_record::started_at)
        .load(conn)?)
}

/// References of a using unit that begin with zeros; of many, some.
pub fn list_zero_padded(conn: &mut Conn, unit: OrganizationId) -> Result<Vec<TypedKey>> {
    Ok(usage_record::table
        .filter(usage_record::organization_id.eq(unit))
        .filter(usage_record::client_reference_key.like("0%"))
        .select(usage_record::client_reference.assume_not_null())
        .limit(10_000)
        .load(conn)?)
}

/// The records of a using unit with one of these references of its own, folded.
pub fn list_referred(
    conn: &mut Conn,
    unit: OrganizationId,
    references: &[String],
) -> Result<Vec<(String, UsageRecordId)>> {
    let mut found = Vec::new();
    for some in references.chunks(1_000) {
        let records = usage_record::table
            .filter(usage_record::organization_id.eq(unit))
            .filter(usage_record::client_reference_key.eq_any(some))
            .select((
                usage_record::client_reference_key.assume_not_null(),
                usage_record::id,
            ))
            .load::<(String, UsageRecordId)>(conn)?;
        found.extend(records);
    }
    Ok(found)
}
