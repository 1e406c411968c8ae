//! What the trail tells of a usage record. Names and free text stay out of the event.

use serde_json::{Value, json};

use crate::domain::access::Action;
use crate::domain::access::BookingTies;
use crate::domain::usage::{UsageFacts, UsageMinutes, UsageState};
use crate::domain::{InstrumentId, Operator, OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::personal;
use crate::store::event::{NewEvent, Subject};
use crate::store::usage::Columns;

/// A version of a record as events tell it: no names, no free text.
pub fn told(
    version: i64,
    state: UsageState,
    (instrument, unit): (InstrumentId, OrganizationId),
    facts: &UsageFacts,
    minutes: UsageMinutes,
) -> Value {
    json!({
        "version": version,
        "state": state,
        "instrument_id": instrument,
        "organization_id": unit,
        "channel": facts.channel,
        "started_at": facts.slot.starts_at(),
        "ended_at": facts.slot.ends_at(),
        "prepare_minutes": minutes.prepare(),
        "run_minutes": minutes.run(),
        "post_minutes": minutes.post(),
        "samples": facts.samples,
        "mode": facts.mode,
        "purpose": facts.purpose,
        "statutory": facts.statutory,
        "service_class": facts.context.service_class,
        "project_level": facts.context.project_level,
    })
}

/// The same of the columns of a version.
pub fn told_columns(version: i64, columns: &Columns) -> Value {
    json!({
        "version": version,
        "state": columns.state,
        "instrument_id": columns.instrument_id,
        "organization_id": columns.organization_id,
        "channel": columns.channel,
        "started_at": columns.started_at,
        "ended_at": columns.ended_at,
        "prepare_minutes": columns.prepare_minutes,
        "run_minutes": columns.run_minutes,
        "post_minutes": columns.post_minutes,
        "samples": columns.samples,
        "mode": columns.mode,
        "purpose": columns.purpose,
        "statutory": columns.statutory,
        "service_class": columns.service_class,
        "project_level": columns.project_level,
    })
}

/// What somebody wrote, which can be erased.
#[derive(Debug, Clone, Copy, Default)]
pub struct Texts<'a> {
    pub operator: Option<&'a Operator>,
    pub project: Option<&'a str>,
    pub reason: Option<&'a str>,
}

impl<'a> Texts<'a> {
    /// Those of a version, with the reason for it.
    pub fn of(facts: &'a UsageFacts, reason: Option<&'a str>) -> Self {
        Self {
            operator: facts.operator.as_ref(),
            project: facts.context.project.as_deref(),
            reason,
        }
    }

    /// The event with them.
    pub fn onto(self, event: NewEvent) -> Result<NewEvent, AppError> {
        if self.operator.is_none() && self.project.is_none() && self.reason.is_none() {
            return Ok(event);
        }
        let mut texts = json!({ "operator": self.operator, "reason": self.reason });
        if let (Some(project), Some(texts)) = (self.project, texts.as_object_mut()) {
            texts.insert("project".to_owned(), project.into());
        }
        Ok(event.personal(personal(texts)?))
    }
}

/// The event of an action on a record, with its erasable texts.
pub fn event(
    actor: &Actor,
    action: Action,
    id: UsageRecordId,
    ties: &BookingTies,
    texts: Texts<'_>,
) -> Result<NewEvent, AppError> {
    let event = actor.event(action, Subject::new("usage_record", id)).of(
        ties.instrument.host_organization_id,
        Some(ties.organization_id),
    );
    texts.onto(event)
}
