//! How a replaced version of a usage record is stored: whole, as one document. Documents of earlier forms are read for ever.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::UsageRecord;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{
    BookingId, EventId, Instant, InstrumentId, Minutes, OrganizationId, TypedKey, UsageRecordId,
    UserId,
};
use crate::store::Json;
use crate::store::form::Form;

/// A version as a document. Before form 1 the documents had no number. What a document lacks is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVersion {
    #[serde(default)]
    format: Form<1>,
    id: UsageRecordId,
    record_no: Option<String>,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    booking_id: Option<BookingId>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service_class: Option<ServiceClass>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_level: Option<ProjectLevel>,
    operator: Option<Json<Value>>,
    client_reference: Option<String>,
    state: UsageState,
    reason: Option<String>,
    evidence: Evidence,
    entered_at: Option<Instant>,
    entered_by: Option<UserId>,
    version: i64,
    event_id: EventId,
    created_at: Instant,
    updated_at: Instant,
}

impl From<&UsageRecord> for StoredVersion {
    fn from(record: &UsageRecord) -> Self {
        Self {
            format: Form::PRESENT,
            id: record.id,
            record_no: record.record_no.clone(),
            instrument_id: record.instrument_id,
            organization_id: record.organization_id,
            booking_id: record.booking_id,
            channel: record.channel,
            started_at: record.started_at,
            ended_at: record.ended_at,
            prepare_minutes: record.prepare_minutes,
            run_minutes: record.run_minutes,
            post_minutes: record.post_minutes,
            samples: record.samples,
            mode: record.mode,
            purpose: record.purpose,
            statutory: record.statutory,
            service_class: record.service_class,
            project: record.project.clone(),
            project_level: record.project_level,
            operator: record.operator.clone(),
            client_reference: record.client_reference.clone().map(String::from),
            state: record.state,
            reason: record.reason.clone(),
            evidence: record.evidence,
            entered_at: record.entered_at,
            entered_by: record.entered_by,
            version: record.version,
            event_id: record.event_id,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl From<StoredVersion> for UsageRecord {
    fn from(stored: StoredVersion) -> Self {
        Self {
            id: stored.id,
            record_no: stored.record_no,
            instrument_id: stored.instrument_id,
            organization_id: stored.organization_id,
            booking_id: stored.booking_id,
            channel: stored.channel,
            started_at: stored.started_at,
            ended_at: stored.ended_at,
            prepare_minutes: stored.prepare_minutes,
            run_minutes: stored.run_minutes,
            post_minutes: stored.post_minutes,
            samples: stored.samples,
            mode: stored.mode,
            purpose: stored.purpose,
            statutory: stored.statutory,
            service_class: stored.service_class,
            project: stored.project,
            project_level: stored.project_level,
            operator: stored.operator,
            client_reference: stored.client_reference.map(TypedKey::from),
            state: stored.state,
            reason: stored.reason,
            evidence: stored.evidence,
            entered_at: stored.entered_at,
            entered_by: stored.entered_by,
            version: stored.version,
            event_id: stored.event_id,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form in which a version was ever stored, oldest first. These files never change.
    const GOLDEN: [&str; 2] = [
        include_str!("../../../tests/golden/usage_version.v0.json"),
        include_str!("../../../tests/golden/usage_version.v1.json"),
    ];

    fn record() -> UsageRecord {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        UsageRecord {
            id: 7.try_into().unwrap(),
            record_no: Some("U20260000007".to_owned()),
            instrument_id: 3.try_into().unwrap(),
            organization_id: 4.try_into().unwrap(),
            booking_id: Some(8.try_into().unwrap()),
            channel: 2,
            started_at: at("2026-02-10T09:00:00+08:00"),
            ended_at: at("2026-02-10T10:30:00+08:00"),
            prepare_minutes: Minutes::new(10),
            run_minutes: Minutes::new(70),
            post_minutes: Minutes::new(5),
            samples: 3,
            mode: BookingMode::Guided,
            purpose: BookingPurpose::Research,
            statutory: false,
            service_class: None,
            project: None,
            project_level: None,
            operator: Some(Json::of(serde_json::json!({"name": "李四"})).unwrap()),
            client_reference: Some("LIMS-9".into()),
            state: UsageState::Disputed,
            reason: Some("只用了一小时".to_owned()),
            evidence: Evidence::Manual,
            entered_at: Some(at("2026-02-10T11:00:00+08:00")),
            entered_by: Some(6.try_into().unwrap()),
            version: 2,
            event_id: 90.try_into().unwrap(),
            created_at: at("2026-02-10T11:00:00+08:00"),
            updated_at: at("2026-02-11T08:00:00+08:00"),
        }
    }

    #[test]
    fn every_form_there_was_is_read() {
        for stored in GOLDEN {
            let version: StoredVersion = serde_json::from_str(stored).unwrap();
            assert_eq!(UsageRecord::from(version), record(), "{stored}");
        }
    }

    #[test]
    fn class_and_project_are_kept() {
        let told = UsageRecord {
            service_class: Some(ServiceClass::Medical),
            project: Some("2026-08".to_owned()),
            project_level: Some(ProjectLevel::National),
            ..record()
        };
        let written = serde_json::to_string(&StoredVersion::from(&told)).unwrap();
        let version: StoredVersion = serde_json::from_str(&written).unwrap();
        assert_eq!(UsageRecord::from(version), told);
    }

    #[test]
    fn the_present_form_is_this() {
        let written = serde_json::to_string(&StoredVersion::from(&record())).unwrap();
        assert_eq!(written, GOLDEN[1].trim_end());
    }
}
