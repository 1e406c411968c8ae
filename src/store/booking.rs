//! Bookings. The database is the judge of a slot: inserting or moving one into another's time violates `BookingOverlap`.
//! Rows and what changes them stand here, what a booking says besides in `details`, who blocks what in `blocking`, who
//! has how much in `counted`, lists in `listing` and `page`.

mod blocking;
mod counted;
mod details;
pub mod feed;
mod listing;
mod page;

pub use blocking::{Blocking, list_blocking};
pub use counted::{Counted, Scope, Whose, count_holds, list_counted};
pub use details::Details;
pub use listing::{
    claim_reminder, list_overdue, list_standing, list_standing_instruments, list_standing_of_host,
    list_unfinished, list_unreminded, list_unstarted, list_usage_record_ids,
};
pub use page::{Filter, list};

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Timestamp};

use super::prepared::on_each;
use super::schema::booking;
use super::yearly_run::AfterFreezes;
use super::{Conn, Json, Result, StoreError};
use crate::domain::booking::{BookingMode, BookingPurpose, BookingState, Person, operator_of};
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId, Slot, TypedKey, UserId};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
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
    pub client_reference: Option<TypedKey>,
    pub approval_due_at: Option<Instant>,
    pub answered_at: Option<Instant>,
    /// Whatever moves came later: what the year's requests are counted by.
    pub first_answered_at: Option<Instant>,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub cancelled_by: Option<String>,
    pub reason_code: Option<String>,
    pub problem: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Of what was never asked for: until when its slot is or was held.
    pub held_until: Option<Instant>,
    pub details: Json<Details>,
}

impl Booking {
    /// The booked slot. The database keeps `starts_at < ends_at`.
    pub fn slot(&self) -> Result<Slot> {
        slot_of(self.starts_at, self.ends_at)
    }

    /// What it blocks: set-up, the slot and clean-up.
    pub fn blocked(&self) -> Result<Slot> {
        slot_of(self.blocked_from, self.blocked_until)
    }

    /// Who runs the instrument without its host.
    pub fn operator(&self) -> Option<UserId> {
        operator_of(self.mode, self.details.operator.as_ref(), self.booked_by)
    }

    /// Whose booking it is, where rules look at the person.
    pub fn person(&self) -> Person {
        let named = self.details.operator.as_ref();
        Person::of(named, self.booked_by, self.organization_id)
    }

    /// What can change, as it is, to change some of it.
    pub fn changes(&self) -> Changes {
        Changes {
            instrument_id: self.instrument_id,
            channel: self.channel,
            state: self.state,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            blocked_from: self.blocked_from,
            blocked_until: self.blocked_until,
            client_reference: self.client_reference.clone(),
            approval_due_at: self.approval_due_at,
            held_until: self.held_until,
            answered_at: self.answered_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
            cancelled_by: self.cancelled_by.clone(),
            reason_code: self.reason_code.clone(),
            problem: self.problem.clone(),
            details: Details::clone(&self.details),
        }
    }
}

fn slot_of(starts_at: Instant, ends_at: Instant) -> Result<Slot> {
    Slot::new(starts_at, ends_at).map_err(|empty| {
        let cause = diesel::result::Error::DeserializationError(Box::new(empty));
        StoreError::Database(cause)
    })
}

/// What an action may change of a booking; what is `None` becomes NULL.
#[derive(Debug, Clone, AsChangeset)]
#[diesel(table_name = booking, treat_none_as_null = true)]
pub struct Changes {
    pub instrument_id: InstrumentId,
    pub channel: i64,
    pub state: BookingState,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub blocked_from: Instant,
    pub blocked_until: Instant,
    pub client_reference: Option<TypedKey>,
    pub approval_due_at: Option<Instant>,
    pub held_until: Option<Instant>,
    pub answered_at: Option<Instant>,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub cancelled_by: Option<String>,
    pub reason_code: Option<String>,
    pub problem: Option<String>,
    #[diesel(skip_update)]
    pub details: Details,
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
    pub details: Details,
    pub client_reference: Option<TypedKey>,
    pub approval_due_at: Option<Instant>,
    /// Of a hold: until when; it is due then, too.
    pub held_until: Option<Instant>,
    pub answered_at: Option<Instant>,
    /// When it comes to be, after every freeze that did not see it: what yearly runs count by time.
    pub stamp: Instant,
}

/// Violates `BookingOverlap` when the channel is taken, `BookingClientReference` when the reference was used. The caller
/// holds `Lock::RecordsShared`.
pub fn insert(conn: &mut Conn, new: NewBooking) -> Result<Booking> {
    let stamp = new.stamp;
    let operator = new.details.operator.as_ref();
    let person = Person::of(operator, new.booked_by, new.organization_id).user_id();
    let row = diesel::insert_into(booking::table).values((
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
            booking::details.eq(Json::of(new.details)?),
            booking::client_reference_key.eq(new.client_reference.as_ref().map(TypedKey::folded)),
            booking::client_reference.eq(new.client_reference),
            booking::approval_due_at.eq(new.approval_due_at),
            booking::answered_at.eq(new.answered_at),
            booking::first_answered_at.eq(new.answered_at.map(|_| stamp)),
            booking::version.eq(1_i64),
            booking::created_at.eq(stamp),
            booking::updated_at.eq(stamp),
            booking::person_id.eq(person),
            booking::held_until.eq(new.held_until),
        ),
    ));
    Ok(on_each!(conn, |own| row
        .returning(Booking::as_returning())
        .get_result(own))?)
}

pub fn get(conn: &mut Conn, id: BookingId) -> Result<Booking> {
    let found = booking::table.find(id);
    Ok(on_each!(conn, |own| found
        .select(Booking::as_select())
        .get_result(own))?)
}

/// The instrument of a booking: what an action locks before it reads the booking itself.
pub fn get_instrument_id(conn: &mut Conn, id: BookingId) -> Result<InstrumentId> {
    let found = booking::table.find(id).select(booking::instrument_id);
    Ok(on_each!(conn, |own| found.get_result(own))?)
}

/// The instruments that some bookings are on, in no order.
pub fn list_instrument_ids(conn: &mut Conn, ids: &[BookingId]) -> Result<Vec<InstrumentId>> {
    Ok(booking::table
        .filter(booking::id.eq_any(ids))
        .select(booking::instrument_id)
        .distinct()
        .load(conn)?)
}

/// The booking of an organization under its own reference.
pub fn find_by_reference(
    conn: &mut Conn,
    organization: OrganizationId,
    reference: &TypedKey,
) -> Result<Option<BookingId>> {
    Ok(booking::table
        .filter(
            booking::organization_id
                .eq(organization)
                .and(booking::client_reference_key.eq(reference.folded())),
        )
        .select(booking::id)
        .get_result(conn)
        .optional()?)
}

/// Whether a unit ever booked an instrument.
pub fn has_booked(conn: &mut Conn, instrument: InstrumentId, unit: OrganizationId) -> Result<bool> {
    let own = booking::table.filter(
        booking::instrument_id
            .eq(instrument)
            .and(booking::organization_id.eq(unit)),
    );
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

/// Whether a booking is in progress on this channel.
pub fn is_channel_in_use(conn: &mut Conn, instrument: InstrumentId, channel: i64) -> Result<bool> {
    let running = booking::table.filter(
        booking::instrument_id
            .eq(instrument)
            .and(booking::channel.eq(channel))
            .and(booking::state.eq(BookingState::InProgress)),
    );
    Ok(diesel::select(diesel::dsl::exists(running)).get_result(conn)?)
}

/// The channels of these instruments on which a booking is in progress.
pub fn list_running_channels(
    conn: &mut Conn,
    instruments: &[InstrumentId],
) -> Result<Vec<(InstrumentId, i64)>> {
    if instruments.is_empty() {
        return Ok(Vec::new());
    }
    Ok(booking::table
        .filter(booking::instrument_id.eq_any(instruments))
        .filter(booking::state.eq(BookingState::InProgress))
        .select((booking::instrument_id, booking::channel))
        .load(conn)?)
}

/// Writes the version after `present`. Violates `BookingOverlap` when the time or channel is another's; `Contended` when
/// `present` is no longer what stands there. Stamped after every freeze that did not see it.
pub fn update(conn: &mut Conn, present: &Booking, next: Changes, now: Instant) -> Result<Booking> {
    let stamp = AfterFreezes(now);
    let unchanged = booking::table.filter(
        booking::id
            .eq(present.id)
            .and(booking::version.eq(present.version)),
    );
    let is_first_answer = present.first_answered_at.is_none() && next.answered_at.is_some();
    let first_answered_at =
        diesel::dsl::case_when(is_first_answer.into_sql::<Bool>(), stamp.nullable())
            .otherwise(present.first_answered_at.into_sql::<Nullable<Timestamp>>());
    let details = Json::of(next.details.clone())?;
    let operator = next.details.operator.as_ref();
    let person = Person::of(operator, present.booked_by, present.organization_id).user_id();
    let reference_key = next.client_reference.as_ref().map(TypedKey::folded);
    let changed = diesel::update(unchanged).set((
        next,
        booking::details.eq(details),
        booking::person_id.eq(person),
        booking::client_reference_key.eq(reference_key),
        booking::first_answered_at.eq(first_answered_at),
        booking::version.eq(present.version + 1),
        booking::updated_at.eq(stamp),
    ));
    let updated = on_each!(conn, |own| changed
        .returning(Booking::as_returning())
        .get_result(own))
    .optional()?;
    updated.ok_or(StoreError::Contended)
}

/// Takes bookings that change their channels off every real one, so that they can be put on the new ones in any order.
pub fn update_channel_away(conn: &mut Conn, id: BookingId) -> Result<()> {
    diesel::update(booking::table.find(id))
        .set(booking::channel.eq(-id.number()))
        .execute(conn)?;
    Ok(())
}
