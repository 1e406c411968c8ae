//! Invoices. A number is valid once on the whole platform (`InvoiceNo`); a charge stands on one invoice at most
//! (`InvoiceLineCharge`).

use chrono::NaiveDate;
use diesel::prelude::*;

use super::charge::Charge;
use super::schema::{invoice, invoice_line};
use super::{Conn, Result};
use crate::domain::charge::InvoiceNo;
use crate::domain::{ChargeId, EventId, Instant, InvoiceId};

/// One row, without what its charges say.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invoice)]
pub struct Invoice {
    pub id: InvoiceId,
    pub invoice_no: String,
    pub issued_on: NaiveDate,
}

/// Violates `InvoiceNo` when the number was used, `InvoiceLineCharge` when the charge is invoiced.
pub fn insert(
    conn: &mut Conn,
    charge: &Charge,
    number: &InvoiceNo,
    issued_on: NaiveDate,
    event: EventId,
    now: Instant,
) -> Result<InvoiceId> {
    let id: InvoiceId = diesel::insert_into(invoice::table)
        .values((
            invoice::invoice_no.eq(number.as_str()),
            invoice::host_organization_id.eq(charge.host_organization_id),
            invoice::payer_organization_id.eq(charge.payer_organization_id),
            invoice::issued_on.eq(issued_on),
            invoice::event_id.eq(event),
            invoice::created_at.eq(now),
        ))
        .returning(invoice::id)
        .get_result(conn)?;
    diesel::insert_into(invoice_line::table)
        .values((
            invoice_line::charge_id.eq(charge.id),
            invoice_line::invoice_id.eq(id),
            invoice_line::amount_fen.eq(charge.amount_fen),
        ))
        .execute(conn)?;
    Ok(id)
}

pub fn find_of_charge(conn: &mut Conn, charge: ChargeId) -> Result<Option<Invoice>> {
    Ok(invoice_line::table
        .inner_join(invoice::table)
        .filter(invoice_line::charge_id.eq(charge))
        .select(Invoice::as_select())
        .get_result(conn)
        .optional()?)
}

/// The invoices of several charges.
pub fn list_of_charges(conn: &mut Conn, charges: &[ChargeId]) -> Result<Vec<(ChargeId, Invoice)>> {
    Ok(invoice_line::table
        .inner_join(invoice::table)
        .filter(invoice_line::charge_id.eq_any(charges))
        .select((invoice_line::charge_id, Invoice::as_select()))
        .load(conn)?)
}
