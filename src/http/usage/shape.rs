//! The bodies and the shape of usage records.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::usage::{
    ContextChange, Correction, Evidence, GivenMinutes, ServiceContext, UsageFacts, UsageState,
};
use crate::domain::{
    BookingId, Instant, InstrumentId, Minutes, Operator, OrganizationId, Slot, TypedKey,
    UsageRecordId, UserId,
};
use crate::error::{AppError, Code, Fault};
use crate::http::booking::OperatorShape;
use crate::operations::usage::{NewUsage, UsageView};
use crate::store::usage::{Listed, UsageRecord};

/// A service to type in. Absent minutes are 0; when none is given all of the interval is run time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordBody {
    instrument_id: InstrumentId,
    /// The using unit; the host itself for own use.
    organization_id: OrganizationId,
    booking_id: Option<BookingId>,
    /// 1 when absent.
    channel: Option<i64>,
    started_at: Instant,
    ended_at: Instant,
    prepare_minutes: Option<Minutes>,
    run_minutes: Option<Minutes>,
    post_minutes: Option<Minutes>,
    samples: Option<i64>,
    mode: BookingMode,
    purpose: BookingPurpose,
    #[serde(default)]
    statutory: bool,
    /// The class of the service, as rules name it.
    service_class: Option<ServiceClass>,
    /// Number or name of the using unit's project.
    project: Option<String>,
    /// Who set the project.
    project_level: Option<ProjectLevel>,
    operator: Option<Operator>,
    client_reference: Option<TypedKey>,
}

impl RecordBody {
    pub fn into_new(self) -> Result<NewUsage, AppError> {
        let slot = Slot::new(self.started_at, self.ended_at).map_err(|_| {
            let fault = Fault::field("ended_at", Code::not_after_start);
            AppError::Refused(vec![
                fault
                    .limit(self.started_at.to_string())
                    .actual(self.ended_at.to_string()),
            ])
        })?;
        Ok(NewUsage {
            instrument_id: self.instrument_id,
            organization_id: self.organization_id,
            booking_id: self.booking_id,
            facts: UsageFacts {
                channel: self.channel.unwrap_or(1),
                slot,
                minutes: GivenMinutes {
                    prepare: self.prepare_minutes,
                    run: self.run_minutes,
                    post: self.post_minutes,
                },
                samples: self.samples.unwrap_or(0),
                mode: self.mode,
                purpose: self.purpose,
                statutory: self.statutory,
                operator: self.operator,
                client_reference: self.client_reference,
                context: ServiceContext {
                    service_class: self.service_class,
                    project: self.project,
                    project_level: self.project_level,
                },
            },
        })
    }
}

/// A member that was sent, null or not: an absent one is `None`.
fn said<'de, T, D>(sent: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    T::deserialize(sent).map(Some)
}

/// What is corrected; absent fields stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectBody {
    organization_id: Option<OrganizationId>,
    channel: Option<i64>,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    prepare_minutes: Option<Minutes>,
    run_minutes: Option<Minutes>,
    post_minutes: Option<Minutes>,
    samples: Option<i64>,
    mode: Option<BookingMode>,
    purpose: Option<BookingPurpose>,
    statutory: Option<bool>,
    /// Null takes it away, as with the next two.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<ServiceClass>)]
    service_class: Option<Option<ServiceClass>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    project: Option<Option<String>>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<ProjectLevel>)]
    project_level: Option<Option<ProjectLevel>>,
    operator: Option<Operator>,
    client_reference: Option<TypedKey>,
    reason: Option<String>,
}

impl From<CorrectBody> for Correction {
    fn from(body: CorrectBody) -> Self {
        Self {
            organization_id: body.organization_id,
            channel: body.channel,
            started_at: body.started_at,
            ended_at: body.ended_at,
            minutes: GivenMinutes {
                prepare: body.prepare_minutes,
                run: body.run_minutes,
                post: body.post_minutes,
            },
            samples: body.samples,
            mode: body.mode,
            purpose: body.purpose,
            statutory: body.statutory,
            operator: body.operator,
            client_reference: body.client_reference,
            context: ContextChange {
                service_class: body.service_class,
                project: body.project,
                project_level: body.project_level,
            },
            reason: body.reason,
        }
    }
}

/// One version of a usage record. `effective_minutes` is the sum of the three minutes.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageShape {
    id: UsageRecordId,
    record_no: Option<String>,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    host_organization_id: OrganizationId,
    booking_id: Option<BookingId>,
    channel: i64,
    state: UsageState,
    reason: Option<String>,
    started_at: Instant,
    ended_at: Instant,
    prepare_minutes: Minutes,
    run_minutes: Minutes,
    post_minutes: Minutes,
    effective_minutes: Minutes,
    samples: i64,
    mode: BookingMode,
    purpose: BookingPurpose,
    statutory: bool,
    service_class: Option<ServiceClass>,
    project: Option<String>,
    project_level: Option<ProjectLevel>,
    #[schema(value_type = Option<OperatorShape>)]
    operator: Option<serde_json::Value>,
    client_reference: Option<TypedKey>,
    evidence: Evidence,
    entered_at: Option<Instant>,
    entered_by: Option<UserId>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl UsageShape {
    fn of(record: UsageRecord, host_organization_id: OrganizationId) -> Self {
        let effective_minutes = record.effective_minutes();
        Self {
            id: record.id,
            record_no: record.record_no,
            instrument_id: record.instrument_id,
            organization_id: record.organization_id,
            host_organization_id,
            booking_id: record.booking_id,
            channel: record.channel,
            state: record.state,
            reason: record.reason,
            started_at: record.started_at,
            ended_at: record.ended_at,
            prepare_minutes: record.prepare_minutes,
            run_minutes: record.run_minutes,
            post_minutes: record.post_minutes,
            effective_minutes,
            samples: record.samples,
            mode: record.mode,
            purpose: record.purpose,
            statutory: record.statutory,
            service_class: record.service_class,
            project: record.project,
            project_level: record.project_level,
            operator: record.operator.map(crate::store::Json::into_inner),
            client_reference: record.client_reference,
            evidence: record.evidence,
            entered_at: record.entered_at,
            entered_by: record.entered_by,
            version: record.version,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl From<UsageView> for UsageShape {
    fn from(view: UsageView) -> Self {
        Self::of(view.record, view.host_organization_id)
    }
}

impl From<Listed> for UsageShape {
    fn from(listed: Listed) -> Self {
        Self::of(listed.record, listed.host_organization_id)
    }
}
