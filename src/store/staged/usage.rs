//! Usage records and their charges on their way in.

use diesel::prelude::*;

use super::{EventIds, StagedImportId, move_rows};
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{
    ChargeId, Fen, Instant, InstrumentId, Minutes, OrganizationId, TypedKey, UsageRecordId, UserId,
};
use crate::store::price::StoredPrice;
use crate::store::schema::{staged_charge, staged_usage_record};
use crate::store::usage::Columns;
use crate::store::{Conn, Json, Result};

/// Version 1 of a record in finished form.
#[derive(Debug, Insertable)]
#[diesel(table_name = staged_usage_record, treat_none_as_default_value = false)]
pub struct StagedRecord {
    import_id: StagedImportId,
    position: i64,
    usage_record_id: UsageRecordId,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    channel: i64,
    started_at: Instant,
    ended_at: Instant,
    prepare_minutes: Minutes,
    run_minutes: Minutes,
    post_minutes: Minutes,
    samples: i64,
    mode: BookingMode,
    purpose: BookingPurpose,
    statutory: bool,
    operator: Option<Json<serde_json::Value>>,
    client_reference: Option<TypedKey>,
    client_reference_key: Option<String>,
    state: UsageState,
    evidence: Evidence,
    entered_by: Option<UserId>,
    service_class: Option<ServiceClass>,
    project: Option<String>,
    project_level: Option<ProjectLevel>,
}

impl StagedRecord {
    /// The record told by the event at the position; the event that the columns name is not looked at. An imported record
    /// has no number and no booking.
    pub fn of(import: StagedImportId, position: i64, id: UsageRecordId, columns: Columns) -> Self {
        let (client_reference, client_reference_key) = columns.reference.into_columns();
        Self {
            import_id: import,
            position,
            usage_record_id: id,
            instrument_id: columns.instrument_id,
            organization_id: columns.organization_id,
            channel: columns.channel,
            started_at: columns.started_at,
            ended_at: columns.ended_at,
            prepare_minutes: columns.prepare_minutes,
            run_minutes: columns.run_minutes,
            post_minutes: columns.post_minutes,
            samples: columns.samples,
            mode: columns.mode,
            purpose: columns.purpose,
            statutory: columns.statutory,
            operator: columns.operator,
            client_reference,
            client_reference_key,
            state: columns.state,
            evidence: columns.evidence,
            entered_by: columns.entered_by,
            service_class: columns.service_class,
            project: columns.project,
            project_level: columns.project_level,
        }
    }
}

/// The open charge of a record, in finished form.
#[derive(Debug, Insertable)]
#[diesel(table_name = staged_charge, treat_none_as_default_value = false)]
pub struct StagedCharge {
    pub import_id: StagedImportId,
    /// Of the event that tells of the record.
    pub position: i64,
    pub charge_id: ChargeId,
    pub usage_record_id: UsageRecordId,
    pub host_organization_id: OrganizationId,
    pub payer_organization_id: OrganizationId,
    pub amount_fen: Fen,
    pub lines: Json<StoredPrice>,
}

const RECORDS: &str = "INSERT INTO usage_record (id, instrument_id, organization_id, channel, started_at, ended_at, \
    prepare_minutes, run_minutes, post_minutes, samples, mode, purpose, statutory, operator, client_reference, \
    client_reference_key, state, evidence, \
    entered_at, entered_by, service_class, project, project_level, version, event_id, created_at, updated_at) {given} \
    SELECT s.usage_record_id, s.instrument_id, s.organization_id, s.channel, s.started_at, s.ended_at, \
    s.prepare_minutes, s.run_minutes, s.post_minutes, s.samples, s.mode, s.purpose, s.statutory, s.operator, s.client_reference, s.client_reference_key, \
    s.state, s.evidence, i.began_at, s.entered_by, s.service_class, s.project, s.project_level, 1, {event}, i.began_at, i.began_at \
    FROM staged_usage_record s JOIN staged_import i ON i.id = s.import_id \
    WHERE s.import_id = {import} ORDER BY s.position";

const CHARGES: &str = "INSERT INTO charge (id, usage_record_id, host_organization_id, payer_organization_id, amount_fen, lines, \
    state, event_id, version, created_at, updated_at) {given} \
    SELECT s.charge_id, s.usage_record_id, s.host_organization_id, s.payer_organization_id, s.amount_fen, s.lines, \
    'open', {event}, 1, i.began_at, i.began_at FROM staged_charge s JOIN staged_import i ON i.id = s.import_id \
    WHERE s.import_id = {import} ORDER BY s.position";

/// Moves the staged records and their charges in; their events are there. Violates `UsageOverlap`, `UsageClientReference`.
pub fn insert_records(conn: &mut Conn, import: StagedImportId, ids: &EventIds) -> Result<()> {
    move_rows(conn, import, ids, RECORDS)?;
    move_rows(conn, import, ids, CHARGES)?;
    Ok(())
}
