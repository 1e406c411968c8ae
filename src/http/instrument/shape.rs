//! How an instrument looks from outside, whole and in lists: what its host declares, and what the registry says of it.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::exemption::ExemptionShape;
use super::super::impact::ImpactShape;
use super::body::InstrumentBody;
use crate::domain::instrument::InstrumentState;
use crate::domain::{Instant, InstrumentId, OrganizationId, UserId};
use crate::operations::instrument::{Changed, Entry};
use crate::store::instrument::Instrument;

/// An instrument. What is null is not known.
#[derive(Serialize, ToSchema)]
pub struct InstrumentShape {
    id: InstrumentId,
    organization_id: OrganizationId,
    status: InstrumentState,
    /// Why it was returned, suspended or retired.
    state_reason: Option<String>,
    #[serde(flatten)]
    declared: InstrumentBody,
    submitted_at: Option<Instant>,
    listed_at: Option<Instant>,
    suspended_at: Option<Instant>,
    retired_on: Option<NaiveDate>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    /// Only for the host, its administration and the auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    manager_ids: Option<Vec<UserId>>,
    /// The newest request; only for the host, its administration and the auditors.
    #[serde(skip_serializing_if = "Option::is_none")]
    sharing_exemption: Option<ExemptionShape>,
}

/// An instrument after a change, and the bookings that this hits.
#[derive(Serialize, ToSchema)]
pub struct ChangedInstrumentShape {
    #[serde(flatten)]
    instrument: InstrumentShape,
    #[serde(flatten)]
    impact: ImpactShape,
}

impl From<Changed> for ChangedInstrumentShape {
    fn from(changed: Changed) -> Self {
        Self {
            instrument: changed.entry.into(),
            impact: changed.impact.into(),
        }
    }
}

impl From<Instrument> for InstrumentShape {
    fn from(row: Instrument) -> Self {
        let standing = row.standing;
        Self {
            id: row.id,
            organization_id: row.organization_id,
            status: standing.state,
            state_reason: standing.state_reason,
            declared: row.facts.into(),
            submitted_at: standing.submitted_at,
            listed_at: standing.listed_at,
            suspended_at: standing.suspended_at,
            retired_on: standing.retired_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
            manager_ids: None,
            sharing_exemption: None,
        }
    }
}

impl From<Entry> for InstrumentShape {
    fn from(entry: Entry) -> Self {
        let (managers, exemption) = match entry.inside {
            Some(inside) => (Some(inside.managers), inside.exemption),
            None => (None, None),
        };
        Self {
            manager_ids: managers,
            sharing_exemption: exemption.map(ExemptionShape::from),
            ..Self::from(entry.instrument)
        }
    }
}
