//! What goes in and out of the routes of bookings.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::booking::{
    BookingAction, BookingMode, BookingPurpose, BookingState, RejectReason,
};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::service::ServiceItem;
use crate::domain::usage::{GivenMinutes, ServiceContext};
use crate::domain::{
    BookingId, Instant, InstrumentId, Minutes, Operator, OrganizationId, ServiceId, Slot, TypedKey,
    UsageRecordId, UserId,
};
use crate::error::{AppError, Code, Fault};
use crate::http::price::PriceShape;
use crate::http::problem::ProblemEntry;
use crate::operations::booking::{BookingView, Draft, Finish, Move, Rejection, Submission};

/// A half-open interval `[starts_at, ends_at)`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SlotShape {
    starts_at: Instant,
    ends_at: Instant,
}

impl From<Slot> for SlotShape {
    fn from(slot: Slot) -> Self {
        Self {
            starts_at: slot.starts_at(),
            ends_at: slot.ends_at(),
        }
    }
}

/// A slot from its two ends; an empty one is told beside `faults`.
pub fn slot(starts_at: Instant, ends_at: Instant, faults: &mut Vec<Fault>) -> Option<Slot> {
    let slot = Slot::new(starts_at, ends_at).ok();
    if slot.is_none() {
        let fault = Fault::field("ends_at", Code::not_after_start);
        faults.push(fault.actual(ends_at.to_string()));
    }
    slot
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    instrument_id: InstrumentId,
    starts_at: Instant,
    ends_at: Instant,
    mode: BookingMode,
    purpose: BookingPurpose,
    description: Option<String>,
    operator: Option<Operator>,
    samples: Option<i64>,
    #[serde(default)]
    service_items: Vec<ServiceItemBody>,
    /// Your own number, unique in your organization; at most 64 characters.
    client_reference: Option<TypedKey>,
    /// Only to keep the slot until `held_until`: `submit` asks for it.
    #[serde(default)]
    #[schema(required = false)]
    hold: bool,
}

/// What a hold is completed with; what is left out stays as it was held.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitBody {
    operator: Option<Operator>,
    description: Option<String>,
    samples: Option<i64>,
    service_items: Option<Vec<ServiceItemBody>>,
    client_reference: Option<TypedKey>,
}

impl From<SubmitBody> for Submission {
    fn from(body: SubmitBody) -> Self {
        let items =
            |items: Vec<ServiceItemBody>| items.into_iter().map(ServiceItem::from).collect();
        Self {
            operator: body.operator,
            description: body.description,
            samples: body.samples,
            service_items: body.service_items.map(items),
            client_reference: body.client_reference,
        }
    }
}

/// A service of the instrument that is wanted with the time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceItemBody {
    service_id: ServiceId,
    #[serde(default = "one")]
    quantity: i64,
}

impl From<ServiceItemBody> for ServiceItem {
    fn from(body: ServiceItemBody) -> Self {
        Self {
            service_id: body.service_id,
            quantity: body.quantity,
        }
    }
}

fn one() -> i64 {
    1
}

impl TryFrom<RequestBody> for Draft {
    type Error = AppError;

    fn try_from(body: RequestBody) -> Result<Self, AppError> {
        let mut faults = Vec::new();
        let slot = slot(body.starts_at, body.ends_at, &mut faults);
        let items = body.service_items.into_iter().map(ServiceItem::from);
        match slot {
            Some(slot) => Ok(Draft {
                instrument_id: body.instrument_id,
                slot,
                mode: body.mode,
                purpose: body.purpose,
                description: body.description,
                operator: body.operator,
                samples: body.samples,
                service_items: items.collect(),
                client_reference: body.client_reference,
                is_hold: body.hold,
            }),
            None => Err(AppError::Refused(faults)),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RescheduleBody {
    starts_at: Instant,
    ends_at: Instant,
    /// Another instrument of the same host; it stays where it is when absent.
    instrument_id: Option<InstrumentId>,
    reason: Option<String>,
}

impl From<RescheduleBody> for Move {
    fn from(body: RescheduleBody) -> Self {
        let mut faults = Vec::new();
        let slot = slot(body.starts_at, body.ends_at, &mut faults);
        Self {
            slot: slot.ok_or(faults),
            instrument_id: body.instrument_id,
            reason: body.reason,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectBody {
    reason_code: RejectReason,
    reason: Option<String>,
}

impl From<RejectBody> for Rejection {
    fn from(body: RejectBody) -> Self {
        Self {
            reason_code: body.reason_code,
            reason: body.reason,
        }
    }
}

/// How the use ended. Without minutes all of the interval is run time.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishBody {
    /// When it began, of a booking that nobody started: not in the future, between set-up and end.
    started_at: Option<Instant>,
    /// Not in the future; now when absent.
    ended_at: Option<Instant>,
    prepare_minutes: Option<Minutes>,
    run_minutes: Option<Minutes>,
    post_minutes: Option<Minutes>,
    samples: Option<i64>,
    /// Mandatory testing.
    statutory: Option<bool>,
    /// The class of the service, as rules name it.
    service_class: Option<ServiceClass>,
    /// Number or name of the using unit's project.
    project: Option<String>,
    /// Who set the project.
    project_level: Option<ProjectLevel>,
    /// A record that tells of the use already (`existing_id` of `usage_overlaps`): none is made, the booking ends. When it names
    /// another booking or none, `problem` says `not_recorded`.
    usage_record_id: Option<UsageRecordId>,
}

impl From<FinishBody> for Finish {
    fn from(body: FinishBody) -> Self {
        Self {
            started_at: body.started_at,
            ended_at: body.ended_at,
            minutes: GivenMinutes {
                prepare: body.prepare_minutes,
                run: body.run_minutes,
                post: body.post_minutes,
            },
            samples: body.samples,
            statutory: body.statutory,
            context: ServiceContext {
                service_class: body.service_class,
                project: body.project,
                project_level: body.project_level,
            },
            usage_record_id: body.usage_record_id,
        }
    }
}

/// Who runs the instrument: a person of the platform, or anybody by name.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    /// The telephone number of that person; for the two sides.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl From<Operator> for OperatorShape {
    fn from(operator: Operator) -> Self {
        Self {
            user_id: operator.user_id,
            // Whoever reads is told, if on one of the two sides.
            user_phone: None,
            name: operator.name,
            phone: operator.phone,
        }
    }
}

/// A booking, and what this caller may do with it now.
#[derive(Debug, Serialize, ToSchema)]
pub struct BookingShape {
    id: BookingId,
    booking_no: String,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    host_organization_id: OrganizationId,
    booked_by: UserId,
    channel: i64,
    state: BookingState,
    starts_at: Instant,
    ends_at: Instant,
    blocked_from: Instant,
    blocked_until: Instant,
    mode: BookingMode,
    purpose: BookingPurpose,
    description: Option<String>,
    operator: Option<OperatorShape>,
    samples: Option<i64>,
    #[schema(value_type = Option<Vec<ServiceItemBody>>)]
    service_items: Option<Value>,
    /// The price as told when the slot was won; null when the instrument has no tariff for it.
    quote: Option<PriceShape>,
    client_reference: Option<TypedKey>,
    approval_due_at: Option<Instant>,
    /// Until when the slot is held, while it is not asked for.
    held_until: Option<Instant>,
    /// After this the using unit's cancellation is `late`; null when it cannot be cancelled any more. A move after it does not
    /// change it.
    late_from: Option<Instant>,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    /// `user` or `host`.
    cancelled_by: Option<String>,
    reason_code: Option<String>,
    reason: Option<String>,
    /// What somebody has to look into, such as `not_finished`.
    problem: Option<String>,
    usage_record_ids: Vec<UsageRecordId>,
    /// Fields that are the two units' alone and null for this caller.
    withheld: Vec<&'static str>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    actions: Vec<BookingAction>,
}

impl TryFrom<BookingView> for BookingShape {
    type Error = AppError;

    fn try_from(view: BookingView) -> Result<Self, AppError> {
        let booking = view.booking;
        let details = booking.details.into_inner();
        let items = details.service_items;
        let items = (!items.is_empty()).then_some(items);
        Ok(Self {
            id: booking.id,
            booking_no: booking.booking_no,
            instrument_id: booking.instrument_id,
            organization_id: booking.organization_id,
            host_organization_id: booking.host_organization_id,
            booked_by: booking.booked_by,
            channel: booking.channel,
            state: booking.state,
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            blocked_from: booking.blocked_from,
            blocked_until: booking.blocked_until,
            mode: booking.mode,
            purpose: booking.purpose,
            description: details.description.filter(|_| view.is_of_a_side),
            withheld: match view.is_of_a_side {
                true => Vec::new(),
                false => vec!["description"],
            },
            operator: details.operator.map(OperatorShape::from),
            samples: details.samples,
            service_items: items.map(serde_json::to_value).transpose()?,
            quote: details.quote.map(PriceShape::from),
            client_reference: booking.client_reference,
            approval_due_at: booking
                .approval_due_at
                .filter(|_| booking.held_until.is_none()),
            held_until: booking
                .held_until
                .filter(|_| booking.state == BookingState::Held),
            late_from: view.late_from,
            started_at: booking.started_at,
            ended_at: booking.ended_at,
            cancelled_by: booking.cancelled_by,
            reason_code: booking.reason_code,
            reason: details.reason,
            problem: booking.problem,
            usage_record_ids: view.usage_record_ids,
            version: booking.version,
            created_at: booking.created_at,
            updated_at: booking.updated_at,
            actions: view.actions,
        })
    }
}

/// What a request would meet now.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckShape {
    pub bookable: bool,
    pub errors: Vec<ProblemEntry>,
    pub quote: Option<PriceShape>,
    pub next_free: Vec<SlotShape>,
    /// After this a cancellation would be late; null when the slot could not be judged.
    pub late_from: Option<Instant>,
    /// What stands in the way of nothing, and may later: `holidays_unknown` for a year without a list of holidays.
    pub warnings: Vec<ProblemEntry>,
}
