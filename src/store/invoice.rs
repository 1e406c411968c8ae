//! Invoices, each for charges of one host and one payer. A number is valid once on the whole platform (`InvoiceNo`); a charge
//! stands on one invoice at most that is not annulled (`InvoiceLineCharge`).

mod page;

pub use page::{Filter, list};

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::charge::Charge;
use super::schema::{invoice, invoice_line};
use super::{Conn, Result, StoreError, bulk};
use crate::domain::charge::{InvoiceNo, InvoiceState};
use crate::domain::{ChargeId, EventId, Fen, Instant, InvoiceId, OrganizationId};

/// One row, without what its charges say.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invoice)]
pub struct Invoice {
    pub id: InvoiceId,
    pub invoice_no: String,
    pub host_organization_id: OrganizationId,
    pub payer_organization_id: OrganizationId,
    pub issued_on: NaiveDate,
    pub annulled_at: Option<Instant>,
    pub annul_reason: Option<String>,
    /// The number of the red-letter invoice that took this one back.
    pub red_letter_no: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What an invoice says of one charge; kept when it is annulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvoiceLine {
    pub charge_id: ChargeId,
    pub amount_fen: Fen,
}

/// An invoice with its lines, in the order of their charges.
#[derive(Debug, Clone)]
pub struct WholeInvoice {
    pub invoice: Invoice,
    pub lines: Vec<InvoiceLine>,
}

/// Why an invoice is annulled, and by which event.
#[derive(Debug, Clone, Copy)]
pub struct Annulled<'a> {
    pub reason: Option<&'a str>,
    pub red_letter_no: Option<&'a InvoiceNo>,
    pub event: EventId,
    pub now: Instant,
}

impl Invoice {
    pub fn state(&self) -> InvoiceState {
        match self.annulled_at {
            None => InvoiceState::Issued,
            Some(_) => InvoiceState::Annulled,
        }
    }
}

/// An id that an invoice will get; its event is appended before the row.
pub fn reserve_id(conn: &mut Conn) -> Result<InvoiceId> {
    let reserved = bulk::reserve(conn, "invoice", 1)?.pop();
    reserved.ok_or(StoreError::NotFound)
}

/// Inserts an invoice for charges of one host and one payer, under an id of [`reserve_id`]. Violates `InvoiceNo` when the number was used,
/// `InvoiceLineCharge` when a charge is invoiced; not found without charges.
pub fn insert(
    conn: &mut Conn,
    id: InvoiceId,
    charges: &[&Charge],
    (number, issued_on): (&InvoiceNo, NaiveDate),
    event: EventId,
    now: Instant,
) -> Result<()> {
    let first = charges.first().ok_or(StoreError::NotFound)?;
    diesel::insert_into(invoice::table)
        .values((
            invoice::id.eq(id),
            invoice::invoice_no.eq(number.as_str()),
            invoice::host_organization_id.eq(first.host_organization_id),
            invoice::payer_organization_id.eq(first.payer_organization_id),
            invoice::issued_on.eq(issued_on),
            invoice::event_id.eq(event),
            invoice::version.eq(1_i64),
            invoice::created_at.eq(now),
            invoice::updated_at.eq(now),
        ))
        .execute(conn)?;
    for charge in charges {
        diesel::insert_into(invoice_line::table)
            .values((
                invoice_line::charge_id.eq(charge.id),
                invoice_line::invoice_id.eq(id),
                invoice_line::amount_fen.eq(charge.amount_fen),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Makes the next version of an invoice and holds the row until the action ends.
pub fn claim(conn: &mut Conn, id: InvoiceId, now: Instant) -> Result<Invoice> {
    diesel::update(invoice::table.find(id))
        .set((
            invoice::version.eq(invoice::version + 1),
            invoice::updated_at.eq(now),
        ))
        .execute(conn)?;
    get(conn, id)
}

fn get(conn: &mut Conn, id: InvoiceId) -> Result<Invoice> {
    Ok(invoice::table
        .find(id)
        .select(Invoice::as_select())
        .get_result(conn)?)
}

/// Annuls a claimed invoice: its lines no longer count. Violates `InvoiceRedLetterNo` when that number was used.
pub fn update_annulled(conn: &mut Conn, id: InvoiceId, annulled: Annulled<'_>) -> Result<()> {
    diesel::update(invoice::table.find(id))
        .set((
            invoice::annulled_at.eq(annulled.now),
            invoice::annul_reason.eq(annulled.reason),
            invoice::red_letter_no.eq(annulled.red_letter_no.map(InvoiceNo::as_str)),
        ))
        .execute(conn)?;
    diesel::update(invoice_line::table.filter(invoice_line::invoice_id.eq(id)))
        .set(invoice_line::annulled_event_id.eq(annulled.event))
        .execute(conn)?;
    Ok(())
}

/// Whether a number is that of an invoice or of a red-letter invoice.
pub fn is_number_used(conn: &mut Conn, number: &InvoiceNo) -> Result<bool> {
    let used = invoice::table.filter(
        invoice::invoice_no
            .eq(number.as_str())
            .or(invoice::red_letter_no.eq(number.as_str())),
    );
    Ok(used.count().get_result::<i64>(conn)? > 0)
}

pub fn get_whole(conn: &mut Conn, id: InvoiceId) -> Result<WholeInvoice> {
    let invoice = get(conn, id)?;
    whole(conn, invoice)
}

/// An invoice with its lines.
pub fn whole(conn: &mut Conn, invoice: Invoice) -> Result<WholeInvoice> {
    let lines = lines_of(conn, &[invoice.id])?.remove(&invoice.id);
    Ok(WholeInvoice {
        invoice,
        lines: lines.unwrap_or_default(),
    })
}

fn lines_of(
    conn: &mut Conn,
    invoices: &[InvoiceId],
) -> Result<BTreeMap<InvoiceId, Vec<InvoiceLine>>> {
    let rows: Vec<(InvoiceId, ChargeId, Fen)> = invoice_line::table
        .filter(invoice_line::invoice_id.eq_any(invoices))
        .select((
            invoice_line::invoice_id,
            invoice_line::charge_id,
            invoice_line::amount_fen,
        ))
        .order((invoice_line::invoice_id, invoice_line::charge_id))
        .load(conn)?;
    let mut lines: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (invoice, charge_id, amount_fen) in rows {
        lines.entry(invoice).or_default().push(InvoiceLine {
            charge_id,
            amount_fen,
        });
    }
    Ok(lines)
}

/// The invoice on which a charge stands.
pub fn find_of_charge(conn: &mut Conn, charge: ChargeId) -> Result<Option<Invoice>> {
    let found = list_of_charges(conn, &[charge])?;
    Ok(found.into_iter().next().map(|(_, invoice)| invoice))
}

/// The invoices on which several charges stand.
pub fn list_of_charges(conn: &mut Conn, charges: &[ChargeId]) -> Result<Vec<(ChargeId, Invoice)>> {
    Ok(invoice_line::table
        .inner_join(invoice::table)
        .filter(invoice_line::charge_id.eq_any(charges))
        .filter(invoice_line::annulled_event_id.is_null())
        .select((invoice_line::charge_id, Invoice::as_select()))
        .load(conn)?)
}
