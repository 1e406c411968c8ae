//! Services with charges, invoices, payments and reviews, written with ids of their own, a batch at a time.

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::charge::{PaymentSource, PaymentState};
use crate::domain::policy::{ProjectLevel, ServiceClass};
use crate::domain::review::Satisfaction;
use crate::domain::tariff::Quote;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{
    ChargeId, EventId, Fen, Instant, InstrumentId, InvoiceId, Minutes, OrganizationId, PaymentId,
    UsageRecordId,
};
use crate::store::bulk::{insert_all, reserve_ids};
use crate::store::price::StoredPrice;
use crate::store::schema::{
    charge, invoice, invoice_line, payment, payment_line, review, usage_record,
};
use crate::store::usage::Columns;
use crate::store::{Conn, Json, Result, StoreError};

/// A service with its money, to be written with ids of its own.
#[derive(Debug, Clone)]
pub struct NewService {
    pub record: Columns,
    pub host: OrganizationId,
    pub charge: Option<NewCharge>,
    pub satisfaction: Option<Satisfaction>,
}

/// What was charged for a service, invoiced and paid.
#[derive(Debug, Clone)]
pub struct NewCharge {
    pub price: Quote,
    /// The part that a voucher is to pay.
    pub voucher_fen: Fen,
    pub invoice: Option<Invoiced>,
    pub payments: Vec<Paid>,
}

/// Number and day.
type Invoiced = (String, NaiveDate);
/// Day, source, amount.
type Paid = (NaiveDate, PaymentSource, Fen);

#[derive(Insertable)]
#[diesel(table_name = usage_record, treat_none_as_default_value = false)]
struct RecordRow {
    id: UsageRecordId,
    record_no: Option<String>,
    instrument_id: InstrumentId,
    organization_id: OrganizationId,
    channel: i64,
    started_at: Instant,
    ended_at: Instant,
    prepare_minutes: Minutes,
    run_minutes: Minutes,
    post_minutes: Minutes,
    samples: i64,
    mode: BookingMode,
    purpose: BookingPurpose,
    statutory: bool,
    service_class: Option<ServiceClass>,
    project: Option<String>,
    project_level: Option<ProjectLevel>,
    state: UsageState,
    evidence: Evidence,
    version: i64,
    event_id: EventId,
    created_at: Instant,
    updated_at: Instant,
}

impl RecordRow {
    /// What the province's file does not tell stays NULL.
    fn new(id: UsageRecordId, record: Columns) -> Self {
        Self {
            id,
            record_no: record.record_no,
            instrument_id: record.instrument_id,
            organization_id: record.organization_id,
            channel: record.channel,
            started_at: record.started_at,
            ended_at: record.ended_at,
            prepare_minutes: record.prepare_minutes,
            run_minutes: record.run_minutes,
            post_minutes: record.post_minutes,
            samples: record.samples,
            mode: record.mode,
            purpose: record.purpose,
            statutory: record.statutory,
            service_class: record.service_class,
            project: record.project,
            project_level: record.project_level,
            state: record.state,
            evidence: record.evidence,
            version: 1,
            event_id: record.event_id,
            created_at: record.updated_at,
            updated_at: record.updated_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = charge, treat_none_as_default_value = false)]
struct ChargeRow {
    id: ChargeId,
    usage_record_id: UsageRecordId,
    host_organization_id: OrganizationId,
    payer_organization_id: OrganizationId,
    amount_fen: Fen,
    voucher_fen: Fen,
    lines: Json<StoredPrice>,
    state: &'static str,
    event_id: EventId,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Insertable)]
#[diesel(table_name = invoice, treat_none_as_default_value = false)]
struct InvoiceRow {
    id: InvoiceId,
    invoice_no: String,
    host_organization_id: OrganizationId,
    payer_organization_id: OrganizationId,
    issued_on: NaiveDate,
    event_id: EventId,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Insertable)]
#[diesel(table_name = invoice_line, treat_none_as_default_value = false)]
struct InvoiceLineRow {
    charge_id: ChargeId,
    invoice_id: InvoiceId,
    amount_fen: Fen,
}

#[derive(Insertable)]
#[diesel(table_name = payment, treat_none_as_default_value = false)]
struct PaymentRow {
    id: PaymentId,
    payer_organization_id: OrganizationId,
    source: PaymentSource,
    paid_on: NaiveDate,
    amount_fen: Fen,
    event_id: EventId,
    created_at: Instant,
    state: PaymentState,
    received_event_id: EventId,
}

#[derive(Insertable)]
#[diesel(table_name = payment_line, treat_none_as_default_value = false)]
struct PaymentLineRow {
    payment_id: PaymentId,
    charge_id: ChargeId,
    amount_fen: Fen,
}

#[derive(Insertable)]
#[diesel(table_name = review, treat_none_as_default_value = false)]
struct ReviewRow {
    usage_record_id: UsageRecordId,
    organization_id: OrganizationId,
    satisfaction: Satisfaction,
    event_id: EventId,
    created_at: Instant,
}

/// The rows of a batch, table by table.
#[derive(Default)]
struct Batch {
    records: Vec<RecordRow>,
    charges: Vec<ChargeRow>,
    invoices: Vec<InvoiceRow>,
    invoice_lines: Vec<InvoiceLineRow>,
    payments: Vec<PaymentRow>,
    payment_lines: Vec<PaymentLineRow>,
    reviews: Vec<ReviewRow>,
}

/// Ids in stock for one table.
struct Ids(std::vec::IntoIter<i64>);

impl Ids {
    fn reserve(conn: &mut Conn, table: &'static str, count: usize) -> Result<Self> {
        Ok(Self(reserve_ids(conn, table, count)?.into_iter()))
    }

    /// Runs out only when fewer were reserved than are used: then the row is refused as one that is not there.
    fn next<T: TryFrom<i64>>(&mut self) -> Result<T> {
        let id = self.0.next().and_then(|id| T::try_from(id).ok());
        id.ok_or(StoreError::NotFound)
    }
}

/// Writes services with their charges, invoices, payments and reviews, or nothing of them. Violates `UsageOverlap`, `UsageRecordNo`, `InvoiceNo`.
pub fn insert_services(conn: &mut Conn, services: &[NewService]) -> Result<()> {
    let charges = services
        .iter()
        .filter_map(|service| service.charge.as_ref());
    let (mut charge_count, mut invoice_count, mut payment_count) = (0, 0, 0);
    for charge in charges {
        charge_count += 1;
        invoice_count += usize::from(charge.invoice.is_some());
        payment_count += charge.payments.len();
    }
    let mut record_ids = Ids::reserve(conn, "usage_record", services.len())?;
    let mut charge_ids = Ids::reserve(conn, "charge", charge_count)?;
    let mut invoice_ids = Ids::reserve(conn, "invoice", invoice_count)?;
    let mut payment_ids = Ids::reserve(conn, "payment", payment_count)?;
    let mut batch = Batch::default();
    for service in services {
        let id = record_ids.next()?;
        let charge = service.charge.clone();
        if let Some(charge) = charge {
            let charge_id = charge_ids.next()?;
            batch.add_charge(
                id,
                charge_id,
                service,
                charge,
                &mut invoice_ids,
                &mut payment_ids,
            )?;
        }
        batch.add_record(id, service);
    }
    // After a refusal what is in the way can still be read.
    conn.batch_execute("SAVEPOINT services")?;
    let written = batch.write(conn);
    match &written {
        Ok(()) => conn.batch_execute("RELEASE SAVEPOINT services")?,
        Err(StoreError::Violated(_)) => conn.batch_execute("ROLLBACK TO SAVEPOINT services")?,
        Err(_) => {}
    }
    written
}

/// Charges a stored service anew, with invoice and payments. Violates as [`insert_services`].
pub fn insert_charge(conn: &mut Conn, record: UsageRecordId, service: &NewService) -> Result<()> {
    let Some(charge) = service.charge.clone() else {
        return Ok(());
    };
    let mut ids = Ids::reserve(conn, "charge", 1)?;
    let (mut invoices, mut payments) = ids_of_money(conn, &charge)?;
    let mut batch = Batch::default();
    let id = ids.next()?;
    batch.add_charge(record, id, service, charge, &mut invoices, &mut payments)?;
    batch.write(conn)
}

/// Says anew which part of a charge a voucher is to pay.
pub fn update_voucher(conn: &mut Conn, charge: ChargeId, voucher_fen: Fen) -> Result<()> {
    diesel::update(charge::table.find(charge))
        .set(charge::voucher_fen.eq(voucher_fen))
        .execute(conn)?;
    Ok(())
}

/// Adds what a service's charge tells of invoice and payments to a charge that stands.
pub fn insert_money(conn: &mut Conn, charge: ChargeId, service: &NewService) -> Result<()> {
    let Some(told) = service.charge.clone() else {
        return Ok(());
    };
    let (mut invoices, mut payments) = ids_of_money(conn, &told)?;
    let mut batch = Batch::default();
    let (amount_fen, money) = (told.price.total_fen, (told.invoice, told.payments));
    let ids = (&mut invoices, &mut payments);
    batch.add_money(charge, amount_fen, service, money, ids)?;
    batch.write(conn)
}

fn ids_of_money(conn: &mut Conn, charge: &NewCharge) -> Result<(Ids, Ids)> {
    let invoices = usize::from(charge.invoice.is_some());
    let invoices = Ids::reserve(conn, "invoice", invoices)?;
    Ok((
        invoices,
        Ids::reserve(conn, "payment", charge.payments.len())?,
    ))
}

impl Batch {
    fn add_record(&mut self, id: UsageRecordId, service: &NewService) {
        let record = service.record.clone();
        if let Some(satisfaction) = service.satisfaction {
            self.reviews.push(ReviewRow {
                usage_record_id: id,
                organization_id: record.organization_id,
                satisfaction,
                event_id: record.event_id,
                created_at: record.updated_at,
            });
        }
        self.records.push(RecordRow::new(id, record));
    }

    fn add_charge(
        &mut self,
        usage_record_id: UsageRecordId,
        charge_id: ChargeId,
        service: &NewService,
        charge: NewCharge,
        invoice_ids: &mut Ids,
        payment_ids: &mut Ids,
    ) -> Result<()> {
        let (event_id, now) = (service.record.event_id, service.record.updated_at);
        let payer = service.record.organization_id;
        let amount_fen = charge.price.total_fen;
        self.charges.push(ChargeRow {
            id: charge_id,
            usage_record_id,
            host_organization_id: service.host,
            payer_organization_id: payer,
            amount_fen,
            voucher_fen: charge.voucher_fen,
            lines: StoredPrice::of(charge.price.clone())?,
            state: if charge.invoice.is_some() {
                "invoiced"
            } else {
                "open"
            },
            event_id,
            version: 1,
            created_at: now,
            updated_at: now,
        });
        let NewCharge {
            invoice, payments, ..
        } = charge;
        self.add_money(
            charge_id,
            amount_fen,
            service,
            (invoice, payments),
            (invoice_ids, payment_ids),
        )
    }

    fn add_money(
        &mut self,
        charge_id: ChargeId,
        charged_fen: Fen,
        service: &NewService,
        (invoice, payments): (Option<Invoiced>, Vec<Paid>),
        (invoice_ids, payment_ids): (&mut Ids, &mut Ids),
    ) -> Result<()> {
        let (event_id, now) = (service.record.event_id, service.record.updated_at);
        let payer = service.record.organization_id;
        if let Some((invoice_no, issued_on)) = invoice {
            let invoice_id = invoice_ids.next()?;
            self.invoices.push(InvoiceRow {
                id: invoice_id,
                invoice_no,
                host_organization_id: service.host,
                payer_organization_id: payer,
                issued_on,
                event_id,
                version: 1,
                created_at: now,
                updated_at: now,
            });
            self.invoice_lines.push(InvoiceLineRow {
                charge_id,
                invoice_id,
                amount_fen: charged_fen,
            });
        }
        for (paid_on, source, amount_fen) in payments {
            let payment_id = payment_ids.next()?;
            self.payments.push(PaymentRow {
                id: payment_id,
                payer_organization_id: payer,
                source,
                paid_on,
                amount_fen,
                event_id,
                created_at: now,
                // What a host reports as paid it has received.
                state: PaymentState::Received,
                received_event_id: event_id,
            });
            self.payment_lines.push(PaymentLineRow {
                payment_id,
                charge_id,
                amount_fen,
            });
        }
        Ok(())
    }

    fn write(&self, conn: &mut Conn) -> Result<()> {
        insert_all!(conn, usage_record::table, &self.records);
        insert_all!(conn, charge::table, &self.charges);
        insert_all!(conn, invoice::table, &self.invoices);
        insert_all!(conn, invoice_line::table, &self.invoice_lines);
        insert_all!(conn, payment::table, &self.payments);
        insert_all!(conn, payment_line::table, &self.payment_lines);
        for row in &self.reviews {
            diesel::insert_into(review::table)
                .values(row)
                .execute(conn)?;
        }
        Ok(())
    }
}
