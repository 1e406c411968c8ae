//! What counts as income of the days: what was paid in them on invoiced charges, or where the pack says so what was invoiced in
//! them, or what was invoiced of services that ended in them. The part of vouchers is told apart from that of the payer.
//!
//! The conditions are written into the texts as numbers and times, never as anything somebody typed.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Text};

use super::Scope;
use super::service::{Pair, Parts, RecordClass};
use crate::domain::charge::PaymentSource;
use crate::domain::policy::IncomeBy;
use crate::domain::{Fen, UsageRecordId};
use crate::store::{Conn, Result};

/// Income of one class, of the days and of confirmed records of any year. Each amount fits; what they sum to may not, so the
/// database adds up millions of fen and the rest of each.
#[derive(Debug, QueryableByName)]
pub struct IncomeGroup {
    #[diesel(embed)]
    pub class: RecordClass,
    #[diesel(sql_type = Text)]
    pub source: PaymentSource,
    #[diesel(sql_type = BigInt)]
    millions: i64,
    #[diesel(sql_type = BigInt)]
    rest: i64,
}

impl IncomeGroup {
    /// None when it leaves 64 bits.
    pub fn amount(&self) -> Option<Fen> {
        let millions = self.millions.checked_mul(1_000_000)?;
        millions.checked_add(self.rest).map(Fen::new)
    }
}

/// Rows of income as a part of a text, what their columns are called there, and which of them are of the days. By an invoice a
/// voucher's part is what it paid, or what it is to pay of what the payer has not paid.
struct Rows {
    from: String,
    record: &'static str,
    source: &'static str,
    amount: &'static str,
    paid_on: &'static str,
    in_days: String,
}

impl Rows {
    /// Of charges for which `narrowed` holds, where income is told by invoices.
    fn new(scope: &Scope, narrowed: &str) -> Self {
        if scope.income_by == IncomeBy::PaidOn {
            return Self {
                from: paid(scope),
                record: "c.usage_record_id",
                source: "p.source",
                amount: "l.amount_fen",
                paid_on: "p.paid_on",
                in_days: paid_in_days(scope),
            };
        }
        let of_charge = format!(
            "FROM payment_line l JOIN payment p ON p.id = l.payment_id WHERE l.charge_id = c.id AND {}",
            stands(scope)
        );
        Self {
            from: format!(
                "(SELECT b.usage_record_id, b.paid_on, s.source, \
                 CASE WHEN s.source = 'voucher' THEN b.voucher_fen ELSE b.amount_fen - b.voucher_fen END AS amount_fen \
                 FROM (SELECT a.usage_record_id, a.amount_fen, a.paid_on, CASE WHEN a.by_voucher >= a.told THEN a.by_voucher \
                 WHEN a.told > a.amount_fen - a.by_payer THEN a.amount_fen - a.by_payer ELSE a.told END AS voucher_fen \
                 FROM (SELECT c.usage_record_id, il.amount_fen, c.voucher_fen AS told, \
                 COALESCE((SELECT CAST(SUM(l.amount_fen) AS BIGINT) {of_charge} AND p.source = 'voucher'), 0) AS by_voucher, \
                 COALESCE((SELECT CAST(SUM(l.amount_fen) AS BIGINT) {of_charge} AND p.source = 'payer'), 0) AS by_payer, \
                 (SELECT MIN(p.paid_on) {of_charge}) AS paid_on FROM {} WHERE {} AND {narrowed}) a) b \
                 CROSS JOIN (SELECT 'payer' AS source UNION ALL SELECT 'voucher' AS source) s) e",
                invoiced(scope),
                invoiced_in_days(scope)
            ),
            record: "e.usage_record_id",
            source: "e.source",
            amount: "e.amount_fen",
            paid_on: "e.paid_on",
            in_days: "e.amount_fen > 0".to_owned(),
        }
    }
}

/// One pass over the income of the days but that of records `apart`.
pub fn list_income(
    conn: &mut Conn,
    scope: &Scope,
    pairs: Option<&[Pair]>,
    apart: &[UsageRecordId],
) -> Result<Vec<IncomeGroup>> {
    let Parts {
        period,
        record,
        ended_at,
        by_ended_at,
    } = Parts::new(scope, pairs, apart);
    let rows = Rows::new(scope, "c.id > 0");
    let in_days = match scope.income_by {
        IncomeBy::PaidOn | IncomeBy::InvoicedOn => rows.in_days,
        IncomeBy::EndedAt => format!("{} AND {period}", rows.in_days),
    };
    Ok(sql_query(format!(
        "SELECT u.instrument_id, u.organization_id, u.evidence, u.statutory, {ended_at} AS ended_at, \
         {source} AS source, CAST(SUM({amount} / 1000000) AS BIGINT) AS millions, \
         CAST(SUM({amount} % 1000000) AS BIGINT) AS rest \
         FROM {from} JOIN usage_record u ON u.id = {of} WHERE {record} AND {in_days} \
         GROUP BY u.instrument_id, u.organization_id, u.evidence, u.statutory, {source}{by_ended_at}",
        source = rows.source,
        amount = rows.amount,
        from = rows.from,
        of = rows.record,
    ))
    .load(conn)?)
}

/// Income of the days for one record, by source.
#[derive(Debug, Clone, QueryableByName)]
pub struct RecordIncome {
    #[diesel(sql_type = BigInt)]
    pub usage_record_id: UsageRecordId,
    #[diesel(sql_type = Text)]
    pub source: PaymentSource,
    #[diesel(sql_type = BigInt)]
    pub amount_fen: Fen,
    /// The first day on which something of it was paid.
    #[diesel(sql_type = Nullable<Date>)]
    pub paid_on: Option<NaiveDate>,
}

/// The income of the days for these records, whatever their state; where a record's end decides, whenever it ended: the caller
/// knows which version counts ([`Scope::may_earn`]).
pub fn list_income_of(
    conn: &mut Conn,
    scope: &Scope,
    records: &[UsageRecordId],
) -> Result<Vec<RecordIncome>> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = records.iter().map(ToString::to_string).collect();
    let ids = ids.join(", ");
    let rows = Rows::new(scope, &format!("c.usage_record_id IN ({ids})"));
    Ok(sql_query(format!(
        "SELECT {record} AS usage_record_id, {source} AS source, CAST(SUM({amount}) AS BIGINT) AS amount_fen, \
         MIN({paid_on}) AS paid_on FROM {from} WHERE {record} IN ({ids}) AND {in_days} GROUP BY {record}, {source}",
        record = rows.record,
        source = rows.source,
        amount = rows.amount,
        paid_on = rows.paid_on,
        from = rows.from,
        in_days = rows.in_days,
    ))
    .load(conn)?)
}

/// Whether a record `u` that did not end in the days has income of them.
pub(super) fn earns(scope: &Scope) -> String {
    let (rows, in_days) = match scope.income_by {
        IncomeBy::PaidOn => (paid(scope), paid_in_days(scope)),
        IncomeBy::InvoicedOn => (invoiced(scope), invoiced_in_days(scope)),
        IncomeBy::EndedAt => return "u.id < 0".to_owned(),
    };
    format!("EXISTS (SELECT 1 FROM {rows} WHERE c.usage_record_id = u.id AND {in_days})")
}

/// Payments that were received, on invoiced charges. A charge's event is that of its last change: voided after the freeze, it stood
/// then.
fn paid(scope: &Scope) -> String {
    let event = scope.event_number();
    format!(
        "payment p JOIN payment_line l ON l.payment_id = p.id \
         JOIN charge c ON c.id = l.charge_id AND (c.state <> 'voided' OR c.event_id > {event}) {}",
        on_invoice(event)
    )
}

/// Charges with the invoices on which they stand.
fn invoiced(scope: &Scope) -> String {
    format!("charge c {}", on_invoice(scope.event_number()))
}

fn on_invoice(event: i64) -> String {
    format!(
        "JOIN invoice_line il ON il.charge_id = c.id AND (il.annulled_event_id IS NULL OR il.annulled_event_id > {event}) \
         JOIN invoice i ON i.id = il.invoice_id AND i.event_id <= {event}"
    )
}

/// Received at the freeze and not gone back by then.
pub(super) fn stands(scope: &Scope) -> String {
    let event = scope.event_number();
    format!(
        "p.received_event_id <= {event} AND (p.ended_event_id IS NULL OR p.ended_event_id > {event})"
    )
}

/// Paid in the days, received at the freeze and not gone back by then.
fn paid_in_days(scope: &Scope) -> String {
    format!(
        "p.paid_on >= '{}' AND p.paid_on <= '{}' AND {}",
        scope.first_on,
        scope.last_on,
        stands(scope)
    )
}

/// Of a charge that stood at the freeze, invoiced in the days where that decides.
fn invoiced_in_days(scope: &Scope) -> String {
    let event = scope.event_number();
    let stood = format!("(c.state <> 'voided' OR c.event_id > {event})");
    match scope.income_by {
        IncomeBy::InvoicedOn => format!(
            "{stood} AND i.issued_on >= '{}' AND i.issued_on <= '{}'",
            scope.first_on, scope.last_on
        ),
        IncomeBy::PaidOn | IncomeBy::EndedAt => stood,
    }
}
