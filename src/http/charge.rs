//! `/charges`: what is owed for services, with invoice and payments.

mod table;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::price::{self, LineShape, ServiceLineShape};
use super::reason::{EmptyBody, ReasonBody};
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::charge::{ChargeState, PaymentSource, PaymentState};
use crate::domain::tariff::CustomerClass;
use crate::domain::time::read_date;
use crate::domain::usage::UsageState;
use crate::domain::{
    ChargeId, Fen, Instant, InstrumentId, InvoiceId, OrganizationId, PaymentId, UsageRecordId,
};
use crate::error::AppError;
use crate::operations::charge;
use crate::operations::invoice::Head;
use crate::operations::run::Reply;
use crate::store::charge::{Filter, Whole};
use crate::store::payment::{NewPayment, Payment};

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        get(
            "/charges",
            Action::ChargeList,
            "Charges, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(&[
            "usage_record_id",
            "instrument_id",
            "host_organization_id",
            "payer_organization_id",
            "organization_id",
            "state",
            "open",
            "declared",
            "year",
            "usage_state",
            "invoiced",
            "from",
            "until",
            "updated_since",
            "limit",
            "cursor",
        ])
        .words::<ChargeState>("state")
        .words::<UsageState>("usage_state")
        .answers::<Page<ChargeShape>>(200),
        get("/charges/{id}", Action::ChargeGet, "One charge", get_one).answers::<ChargeShape>(200),
        table::route(),
    ];
    routes.extend(prices());
    routes.extend(payments());
    routes
}

fn prices() -> [Route; 3] {
    [
        post(
            "/charges/{id}/reprice",
            Action::ChargeReprice,
            "Price the charge again by the tariffs of its day, before it is invoiced",
            reprice,
        )
        .takes::<EmptyBody>()
        .answers::<ChargeShape>(200),
        post(
            "/usage-records/{id}/charge",
            Action::UsageRecordCharge,
            "Open the charge of a service that had no price, by the tariffs of its day",
            open,
        )
        .takes::<EmptyBody>()
        .answers::<ChargeShape>(201),
        post(
            "/charges/{id}/invoice",
            Action::ChargeInvoice,
            "Invoice the charge; a number is valid once on the whole platform",
            invoice,
        )
        .takes::<ChargeInvoiceBody>()
        .answers::<ChargeShape>(200),
    ]
}

fn payments() -> [Route; 4] {
    [
        post(
            "/charges/{id}/payments",
            Action::ChargePay,
            "Enter a payment: by the host it is received, by the payer declared",
            pay,
        )
        .takes::<PaymentBody>()
        .answers::<ChargeShape>(201),
        post(
            "/payments/{id}/receive",
            Action::PaymentReceive,
            "The host has what was declared: it counts",
            receive,
        )
        .takes::<EmptyBody>()
        .answers::<ChargeShape>(200),
        post(
            "/payments/{id}/refuse",
            Action::PaymentRefuse,
            "What was declared did not come, and the host says why",
            refuse,
        )
        .takes::<ReasonBody>()
        .answers::<ChargeShape>(200),
        post(
            "/payments/{id}/reverse",
            Action::PaymentReverse,
            "What was received went back, and the host says why",
            reverse,
        )
        .takes::<ReasonBody>()
        .answers::<ChargeShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChargeInvoiceBody {
    invoice_no: String,
    #[serde(deserialize_with = "read_date")]
    issued_on: NaiveDate,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentBody {
    amount_fen: Fen,
    #[serde(deserialize_with = "read_date")]
    paid_on: NaiveDate,
    source: PaymentSource,
}

impl From<ChargeInvoiceBody> for Head {
    fn from(body: ChargeInvoiceBody) -> Self {
        Self {
            invoice_no: body.invoice_no,
            issued_on: body.issued_on,
        }
    }
}

impl From<PaymentBody> for NewPayment {
    fn from(body: PaymentBody) -> Self {
        Self {
            amount_fen: body.amount_fen,
            paid_on: body.paid_on,
            source: body.source,
        }
    }
}

/// A charge. `lines` is the price as it was frozen when the charge was opened.
#[derive(Serialize, ToSchema)]
struct ChargeShape {
    id: ChargeId,
    usage_record_id: UsageRecordId,
    instrument_id: InstrumentId,
    started_at: Instant,
    ended_at: Instant,
    host_organization_id: OrganizationId,
    payer_organization_id: OrganizationId,
    state: ChargeState,
    amount_fen: Fen,
    customer_class: CustomerClass,
    /// The day whose tariffs apply.
    priced_on: NaiveDate,
    lines: Vec<LineShape>,
    services: Vec<ServiceLineShape>,
    invoice: Option<ChargeInvoiceShape>,
    payments: Vec<PaymentShape>,
    /// What the payer says to have paid and the host has neither received nor refused; it does not count.
    declared_fen: Fen,
    paid_payer_fen: Fen,
    paid_voucher_fen: Fen,
    outstanding_fen: Fen,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Serialize, ToSchema)]
struct ChargeInvoiceShape {
    id: InvoiceId,
    invoice_no: String,
    issued_on: NaiveDate,
}

#[derive(Serialize, ToSchema)]
struct PaymentShape {
    id: PaymentId,
    amount_fen: Fen,
    paid_on: NaiveDate,
    source: PaymentSource,
    state: PaymentState,
    /// Why it was refused or reversed.
    reason: Option<String>,
}

/// What came from one source; at most the amount of the charge.
fn paid_by(source: PaymentSource, whole: &Whole) -> Fen {
    sum_of(whole.received().filter(|payment| payment.source == source))
}

/// Each payment is at most 2^53, and a charge has few.
fn sum_of<'a>(payments: impl Iterator<Item = &'a Payment>) -> Fen {
    let amounts = payments.map(|payment| payment.amount_fen.number());
    Fen::new(amounts.fold(0, i64::saturating_add))
}

fn declared(whole: &Whole) -> Fen {
    let is_declared = |payment: &&Payment| payment.state == PaymentState::Declared;
    sum_of(whole.payments.iter().filter(is_declared))
}

impl From<Whole> for ChargeShape {
    fn from(whole: Whole) -> Self {
        let (balance, service) = (whole.balance(), whole.service);
        let declared_fen = declared(&whole);
        let by = |source| paid_by(source, &whole);
        let (paid_payer_fen, paid_voucher_fen) =
            (by(PaymentSource::Payer), by(PaymentSource::Voucher));
        let charge = whole.charge;
        let price = charge.price();
        let (lines, services) = price::by_kind(price.lines);
        Self {
            id: charge.id,
            usage_record_id: charge.usage_record_id,
            instrument_id: service.instrument_id,
            started_at: service.started_at,
            ended_at: service.ended_at,
            host_organization_id: charge.host_organization_id,
            payer_organization_id: charge.payer_organization_id,
            state: balance.state(),
            amount_fen: charge.amount_fen,
            customer_class: price.customer_class,
            priced_on: price.priced_on,
            lines,
            services,
            invoice: whole.invoice.map(|invoice| ChargeInvoiceShape {
                id: invoice.id,
                invoice_no: invoice.invoice_no,
                issued_on: invoice.issued_on,
            }),
            declared_fen,
            paid_payer_fen,
            paid_voucher_fen,
            outstanding_fen: balance.outstanding(),
            payments: whole
                .payments
                .into_iter()
                .map(|payment| PaymentShape {
                    id: payment.id,
                    amount_fen: payment.amount_fen,
                    paid_on: payment.paid_on,
                    source: payment.source,
                    state: payment.state,
                    reason: payment.reason,
                })
                .collect(),
            version: charge.version,
            created_at: charge.created_at,
            updated_at: charge.updated_at,
        }
    }
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    let mut payers: Vec<OrganizationId> = params.all("payer_organization_id")?;
    payers.extend(params.all::<OrganizationId>("organization_id")?);
    Ok(Filter {
        records: params.all("usage_record_id")?,
        hosts: params.all("host_organization_id")?,
        payers,
        states: params.all("state")?,
        instruments: params.all("instrument_id")?,
        from: params.one("from")?,
        until: params.one("until")?,
        is_open: params.one("open")?,
        is_declared: params.one("declared")?,
        years: params.all("year")?,
        usage_states: params.all("usage_state")?,
        is_invoiced: params.one("invoiced")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = charge::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &Whole| (row.charge.updated_at, row.charge.id.number());
    let (start, limit) = (asked.start, asked.limit);
    context.ok(start.found(found, limit, place, ChargeShape::from)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let whole = charge::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(whole.charge.version, ChargeShape::from(whole))
}

fn shown(whole: &Whole) -> Result<Reply, AppError> {
    let reply = reply(200, &ChargeShape::from(whole.clone()))?;
    Ok(reply.of_version(whole.charge.version))
}

/// A charge that came to be; a payment is no resource of its own: it is found with its charge.
fn created(whole: &Whole) -> Result<Reply, AppError> {
    let reply = shown(whole)?.at(format!("{BASE}/charges/{}", whole.charge.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

async fn invoice(context: RequestContext) -> Answer {
    let new = context.body::<ChargeInvoiceBody>().map(Into::into);
    let done = charge::invoice(&context.run(shown)?, context.id("id")?, new).await?;
    context.answer(done, shown)
}

async fn pay(context: RequestContext) -> Answer {
    let new = context.body::<PaymentBody>().map(Into::into);
    let done = charge::pay(&context.run(created)?, context.id("id")?, new).await?;
    context.answer(done, created)
}

async fn receive(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = charge::receive(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn refuse(context: RequestContext) -> Answer {
    let reason = reason(&context);
    let done = charge::refuse(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn reverse(context: RequestContext) -> Answer {
    let reason = reason(&context);
    let done = charge::reverse(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

fn reason(context: &RequestContext) -> Result<Option<String>, AppError> {
    let body = context.body_or_default();
    body.map(|body: ReasonBody| body.reason)
}

async fn reprice(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = charge::reprice(&context.run(shown)?, context.id("id")?, body).await?;
    context.answer(done, shown)
}

async fn open(context: RequestContext) -> Answer {
    let body = context.body_or_default().map(|EmptyBody {}| ());
    let done = charge::open_asked(&context.run(created)?, context.id("id")?, body).await?;
    context.answer(done, created)
}
