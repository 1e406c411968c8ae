//! Bookings. The database is the judge of a slot: inserting or moving one into another's time violates `BookingOverlap`.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::booking;
use super::{Conn, Json, Result};
use crate::domain::booking::{BookingMode, BookingPurpose, BookingState};
use crate::domain::tariff::Quote;
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId, Slot, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = booking)]
pub struct Booking {
    pub id: BookingId,
    pub booking_no: String,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub host_organization_id: OrganizationId,
    pub booked_by: UserId,
    pub channel: i64,
    pub state: BookingState,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub blocked_from: Instant,
    pub blocked_until: Instant,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub description: Option<String>,
    pub operator: Option<Json<Value>>,
    pub samples: Option<i64>,
    pub service_items: Option<Json<Value>>,
    pub quote: Option<Json<Quote>>,
    pub client_reference: Option<String>,
    pub approval_due_at: Option<Instant>,
    pub answered_at: Option<Instant>,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub cancelled_by: Option<String>,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub problem: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// A booking to insert.
#[derive(Debug, Clone)]
pub struct NewBooking {
    pub booking_no: String,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub host_organization_id: OrganizationId,
    pub booked_by: UserId,
    pub channel: i64,
    pub state: BookingState,
    pub slot: Slot,
    pub blocked: Slot,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    pub description: Option<String>,
    pub operator: Option<Value>,
    pub samples: Option<i64>,
    pub service_items: Option<Value>,
    pub quote: Option<Quote>,
    pub client_reference: Option<String>,
    pub approval_due_at: Option<Instant>,
    pub answered_at: Option<Instant>,
    pub now: Instant,
}

/// Violates `BookingOverlap` when the channel is taken, `BookingClientReference` when the reference was used.
pub fn insert(conn: &mut Conn, new: NewBooking) -> Result<Booking> {
    Ok(diesel::insert_into(booking::table)
        .values((
            (
                booking::booking_no.eq(new.booking_no),
                booking::instrument_id.eq(new.instrument_id),
                booking::organization_id.eq(new.organization_id),
                booking::host_organization_id.eq(new.host_organization_id),
                booking::booked_by.eq(new.booked_by),
                booking::channel.eq(new.channel),
                booking::state.eq(new.state),
                booking::starts_at.eq(new.slot.starts_at()),
                booking::ends_at.eq(new.slot.ends_at()),
                booking::blocked_from.eq(new.blocked.starts_at()),
                booking::blocked_until.eq(new.blocked.ends_at()),
            ),
            (
                booking::mode.eq(new.mode),
                booking::purpose.eq(new.purpose),
                booking::description.eq(new.description),
                booking::operator.eq(new.operator.map(Json::of).transpose()?),
                booking::samples.eq(new.samples),
                booking::service_items.eq(new.service_items.map(Json::of).transpose()?),
                booking::quote.eq(new.quote.map(Json::of).transpose()?),
                booking::client_reference.eq(new.client_reference),
                booking::approval_due_at.eq(new.approval_due_at),
                booking::answered_at.eq(new.answered_at),
                booking::version.eq(1_i64),
                booking::created_at.eq(new.now),
                booking::updated_at.eq(new.now),
            ),
        ))
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: BookingId) -> Result<Booking> {
    Ok(booking::table
        .find(id)
        .select(Booking::as_select())
        .first(conn)?)
}
