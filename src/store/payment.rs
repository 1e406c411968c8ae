//! Payments, each of one charge in this first form. What was received counts from the event of its receipt until that of its
//! reversal.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::charge::Charge;
use super::schema::{payment, payment_line};
use super::{Conn, Result};
use crate::domain::charge::{PaymentSource, PaymentState};
use crate::domain::{ChargeId, EventId, Fen, Instant, PaymentId};

/// One row, without whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Payment {
    pub id: PaymentId,
    pub source: PaymentSource,
    pub paid_on: NaiveDate,
    pub amount_fen: Fen,
    pub state: PaymentState,
    /// Why it was refused or reversed.
    pub reason: Option<String>,
}

impl Payment {
    /// It counts: a declaration does not, nor does what went back.
    pub fn is_received(&self) -> bool {
        self.state == PaymentState::Received
    }
}

/// A payment to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPayment {
    pub amount_fen: Fen,
    pub paid_on: NaiveDate,
    pub source: PaymentSource,
}

/// A payment declared or received by this event. That a charge is never paid beyond its amount is for the caller to see to,
/// who has claimed the charge.
pub fn insert(
    conn: &mut Conn,
    charge: &Charge,
    new: NewPayment,
    state: PaymentState,
    event: EventId,
    now: Instant,
) -> Result<PaymentId> {
    let received = (state == PaymentState::Received).then_some(event);
    let id: PaymentId = diesel::insert_into(payment::table)
        .values((
            payment::payer_organization_id.eq(charge.payer_organization_id),
            payment::source.eq(new.source),
            payment::paid_on.eq(new.paid_on),
            payment::amount_fen.eq(new.amount_fen),
            payment::event_id.eq(event),
            payment::created_at.eq(now),
            payment::state.eq(state),
            payment::received_event_id.eq(received),
        ))
        .returning(payment::id)
        .get_result(conn)?;
    diesel::insert_into(payment_line::table)
        .values((
            payment_line::payment_id.eq(id),
            payment_line::charge_id.eq(charge.id),
            payment_line::amount_fen.eq(new.amount_fen),
        ))
        .execute(conn)?;
    Ok(id)
}

/// The host received what was declared.
pub fn update_received(conn: &mut Conn, id: PaymentId, event: EventId) -> Result<()> {
    diesel::update(payment::table.find(id))
        .set((
            payment::state.eq(PaymentState::Received),
            payment::received_event_id.eq(event),
        ))
        .execute(conn)?;
    Ok(())
}

/// The payment was refused or reversed, for this reason.
pub fn update_ended(
    conn: &mut Conn,
    id: PaymentId,
    state: PaymentState,
    reason: Option<&str>,
    event: EventId,
) -> Result<()> {
    diesel::update(payment::table.find(id))
        .set((
            payment::state.eq(state),
            payment::reason.eq(reason),
            payment::ended_event_id.eq(event),
        ))
        .execute(conn)?;
    Ok(())
}

/// The charge that a payment is for.
pub fn get_charge_id(conn: &mut Conn, id: PaymentId) -> Result<ChargeId> {
    Ok(payment_line::table
        .filter(payment_line::payment_id.eq(id))
        .select(payment_line::charge_id)
        .get_result(conn)?)
}

/// The payments of a charge, oldest first.
pub fn list_of_charge(conn: &mut Conn, charge: ChargeId) -> Result<Vec<Payment>> {
    let found = list_of_charges(conn, &[charge])?;
    Ok(found.into_iter().map(|(_, payment)| payment).collect())
}

/// The payments of several charges, oldest first.
pub fn list_of_charges(conn: &mut Conn, charges: &[ChargeId]) -> Result<Vec<(ChargeId, Payment)>> {
    Ok(payment_line::table
        .inner_join(payment::table)
        .filter(payment_line::charge_id.eq_any(charges))
        .select((
            payment_line::charge_id,
            (
                payment::id,
                payment::source,
                payment::paid_on,
                payment_line::amount_fen,
                payment::state,
                payment::reason,
            ),
        ))
        .order(payment::id)
        .load(conn)?)
}
