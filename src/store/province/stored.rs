//! Services as they are stored, with their money and reviews, as an import would tell them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::domain::charge::{PaymentSource, PaymentState};
use crate::domain::review::Satisfaction;
use crate::domain::{ChargeId, Fen, UsageRecordId};
use crate::store::schema::{
    charge, invoice, invoice_line, payment, payment_line, review, usage_record,
};
use crate::store::usage::UsageRecord;
use crate::store::{Conn, Result};

/// The service that is charged on the invoice of this number.
pub fn find_invoiced(
    conn: &mut Conn,
    number: &str,
) -> Result<Option<(UsageRecordId, Option<String>)>> {
    Ok(invoice::table
        .inner_join(invoice_line::table.on(invoice_line::invoice_id.eq(invoice::id)))
        .inner_join(charge::table.on(charge::id.eq(invoice_line::charge_id)))
        .inner_join(usage_record::table.on(usage_record::id.eq(charge::usage_record_id)))
        .filter(invoice::invoice_no.eq(number))
        .select((usage_record::id, usage_record::record_no))
        .order(usage_record::id)
        .first(conn)
        .optional()?)
}

/// A stored service with its money, as an import would tell it.
#[derive(Debug, Clone)]
pub struct StoredService {
    pub record: UsageRecord,
    pub amount_fen: Fen,
    /// The part that a voucher is to pay.
    pub voucher_fen: Fen,
    pub invoice: Option<(String, NaiveDate)>,
    /// In the order of payment.
    pub payments: Vec<(NaiveDate, PaymentSource, Fen)>,
    pub satisfaction: Option<Satisfaction>,
}

/// The services among these record numbers that are stored.
pub fn list_services(
    conn: &mut Conn,
    record_nos: &[String],
) -> Result<BTreeMap<String, StoredService>> {
    let records: Vec<UsageRecord> = usage_record::table
        .filter(usage_record::record_no.eq_any(record_nos))
        .select(UsageRecord::as_select())
        .load(conn)?;
    if records.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<UsageRecordId> = records.iter().map(|record| record.id).collect();
    let mut money = list_money(conn, &ids)?;
    let answers: Vec<(UsageRecordId, Satisfaction)> = review::table
        .filter(review::usage_record_id.eq_any(&ids))
        .select((review::usage_record_id, review::satisfaction))
        .load(conn)?;
    let mut answers: BTreeMap<_, _> = answers.into_iter().collect();
    let services = records.into_iter().filter_map(|record| {
        let money = money.remove(&record.id).unwrap_or_default();
        let service = StoredService {
            amount_fen: money.amount_fen,
            voucher_fen: money.voucher_fen,
            invoice: money.invoice,
            payments: money.payments,
            satisfaction: answers.remove(&record.id),
            record,
        };
        Some((service.record.record_no.clone()?, service))
    });
    Ok(services.collect())
}

/// The charge of a record, with its invoice and payments.
#[derive(Default)]
struct Money {
    amount_fen: Fen,
    voucher_fen: Fen,
    invoice: Option<(String, NaiveDate)>,
    payments: Vec<(NaiveDate, PaymentSource, Fen)>,
}

fn list_money(
    conn: &mut Conn,
    records: &[UsageRecordId],
) -> Result<BTreeMap<UsageRecordId, Money>> {
    let charges: Vec<(ChargeId, UsageRecordId, Fen, Fen)> = charge::table
        .filter(charge::usage_record_id.eq_any(records))
        .filter(charge::state.ne("voided"))
        .select((
            charge::id,
            charge::usage_record_id,
            charge::amount_fen,
            charge::voucher_fen,
        ))
        .load(conn)?;
    let ids: Vec<ChargeId> = charges.iter().map(|(id, ..)| *id).collect();
    let invoices: Vec<(ChargeId, String, NaiveDate)> = invoice::table
        .inner_join(invoice_line::table.on(invoice_line::invoice_id.eq(invoice::id)))
        .filter(invoice_line::charge_id.eq_any(&ids))
        .filter(invoice_line::annulled_event_id.is_null())
        .select((
            invoice_line::charge_id,
            invoice::invoice_no,
            invoice::issued_on,
        ))
        .load(conn)?;
    let payments: Vec<(ChargeId, NaiveDate, PaymentSource, Fen)> = payment::table
        .inner_join(payment_line::table.on(payment_line::payment_id.eq(payment::id)))
        .filter(payment_line::charge_id.eq_any(&ids))
        .filter(payment::state.eq(PaymentState::Received))
        .select((
            payment_line::charge_id,
            payment::paid_on,
            payment::source,
            payment_line::amount_fen,
        ))
        .order(payment::id)
        .load(conn)?;
    let mut of_charge: BTreeMap<ChargeId, Money> = BTreeMap::new();
    for (charge, invoice_no, issued_on) in invoices {
        of_charge.entry(charge).or_default().invoice = Some((invoice_no, issued_on));
    }
    for (charge, paid_on, source, amount) in payments {
        let money = of_charge.entry(charge).or_default();
        money.payments.push((paid_on, source, amount));
    }
    let money = charges
        .into_iter()
        .map(|(id, record, amount_fen, voucher_fen)| {
            let known = of_charge.remove(&id).unwrap_or_default();
            (
                record,
                Money {
                    amount_fen,
                    voucher_fen,
                    ..known
                },
            )
        });
    Ok(money.collect())
}
