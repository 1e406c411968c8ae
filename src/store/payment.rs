//! Payments, each of one charge in this first form.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::charge::Charge;
use super::schema::{payment, payment_line};
use super::{Conn, Result};
use crate::domain::charge::PaymentSource;
use crate::domain::{ChargeId, EventId, Fen, Instant, PaymentId};

/// One row, without whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = payment)]
pub struct Payment {
    pub id: PaymentId,
    pub source: PaymentSource,
    pub paid_on: NaiveDate,
    pub amount_fen: Fen,
}

/// A payment to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPayment {
    pub amount_fen: Fen,
    pub paid_on: NaiveDate,
    pub source: PaymentSource,
}

/// That a charge is never paid beyond its amount is for the caller to see to, who has claimed the charge.
pub fn insert(
    conn: &mut Conn,
    charge: &Charge,
    new: NewPayment,
    event: EventId,
    now: Instant,
) -> Result<Payment> {
    let id: PaymentId = diesel::insert_into(payment::table)
        .values((
            payment::payer_organization_id.eq(charge.payer_organization_id),
            payment::source.eq(new.source),
            payment::paid_on.eq(new.paid_on),
            payment::amount_fen.eq(new.amount_fen),
            payment::event_id.eq(event),
            payment::created_at.eq(now),
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
    Ok(Payment {
        id,
        source: new.source,
        paid_on: new.paid_on,
        amount_fen: new.amount_fen,
    })
}

/// The payments of a charge, oldest first.
pub fn list_of_charge(conn: &mut Conn, charge: ChargeId) -> Result<Vec<Payment>> {
    Ok(payment_line::table
        .inner_join(payment::table)
        .filter(payment_line::charge_id.eq(charge))
        .select((
            payment::id,
            payment::source,
            payment::paid_on,
            payment_line::amount_fen,
        ))
        .order(payment::id)
        .load(conn)?)
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
            ),
        ))
        .order(payment::id)
        .load(conn)?)
}
