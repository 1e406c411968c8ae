//! `/charges`: what is owed for services, with invoice and payments.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::feed::Start;
use super::quote::{LineShape, ServiceLineShape};
use super::route::{Route, get, post};
use crate::domain::access::{Action, Reach};
use crate::domain::charge::{ChargeState, PaymentSource};
use crate::domain::tariff::CustomerClass;
use crate::domain::time::read_date;
use crate::domain::{ChargeId, Fen, Instant, OrganizationId, PaymentId, UsageRecordId};
use crate::error::AppError;
use crate::operations::charge;
use crate::store;
use crate::store::charge::{Filter, Whole};
use crate::store::payment::{NewPayment, Payment};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/charges",
            Action::ChargeList,
            "Charges, newest first, or with updated_since in the order of change",
            list,
        )
        .parameters(&[
            "usage_record_id",
            "host_organization_id",
            "payer_organization_id",
            "state",
            "updated_since",
            "limit",
            "cursor",
        ])
        .answers::<Page<ChargeShape>>(200),
        get("/charges/{id}", Action::ChargeGet, "One charge", get_one).answers::<ChargeShape>(200),
        post(
            "/charges/{id}/invoice",
            Action::ChargeInvoice,
            "Invoice the charge; a number is valid once on the whole platform",
            invoice,
        )
        .takes::<InvoiceBody>()
        .answers::<ChargeShape>(200),
        post(
            "/charges/{id}/payments",
            Action::ChargePay,
            "Enter a payment, never beyond what is outstanding",
            pay,
        )
        .takes::<PaymentBody>()
        .answers::<ChargeShape>(201),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvoiceBody {
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

/// A charge. `lines` is the price as it was frozen when the charge was opened.
#[derive(Serialize, ToSchema)]
struct ChargeShape {
    id: ChargeId,
    usage_record_id: UsageRecordId,
    host_organization_id: OrganizationId,
    payer_organization_id: OrganizationId,
    state: ChargeState,
    amount_fen: Fen,
    customer_class: CustomerClass,
    /// The day whose tariffs apply.
    priced_on: NaiveDate,
    lines: Vec<LineShape>,
    services: Vec<ServiceLineShape>,
    invoice: Option<InvoiceShape>,
    payments: Vec<PaymentShape>,
    paid_payer_fen: Fen,
    paid_voucher_fen: Fen,
    outstanding_fen: Fen,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Serialize, ToSchema)]
struct InvoiceShape {
    invoice_no: String,
    issued_on: NaiveDate,
}

#[derive(Serialize, ToSchema)]
struct PaymentShape {
    id: PaymentId,
    amount_fen: Fen,
    paid_on: NaiveDate,
    source: PaymentSource,
}

/// What came from one source; at most the amount of the charge.
fn paid_by(source: PaymentSource, payments: &[Payment]) -> Fen {
    let amounts = payments
        .iter()
        .filter(|payment| payment.source == source)
        .map(|payment| payment.amount_fen.number());
    Fen::new(amounts.sum())
}

impl From<Whole> for ChargeShape {
    fn from(whole: Whole) -> Self {
        let balance = whole.balance();
        let charge = whole.charge;
        let price = charge.lines.into_inner();
        Self {
            id: charge.id,
            usage_record_id: charge.usage_record_id,
            host_organization_id: charge.host_organization_id,
            payer_organization_id: charge.payer_organization_id,
            state: balance.state(),
            amount_fen: charge.amount_fen,
            customer_class: price.customer_class,
            priced_on: price.priced_on,
            lines: price.lines.into_iter().map(LineShape::from).collect(),
            services: price.services.into_iter().map(Into::into).collect(),
            invoice: whole.invoice.map(|invoice| InvoiceShape {
                invoice_no: invoice.invoice_no,
                issued_on: invoice.issued_on,
            }),
            paid_payer_fen: paid_by(PaymentSource::Payer, &whole.payments),
            paid_voucher_fen: paid_by(PaymentSource::Voucher, &whole.payments),
            outstanding_fen: balance.outstanding(),
            payments: whole
                .payments
                .into_iter()
                .map(|payment| PaymentShape {
                    id: payment.id,
                    amount_fen: payment.amount_fen,
                    paid_on: payment.paid_on,
                    source: payment.source,
                })
                .collect(),
            version: charge.version,
            created_at: charge.created_at,
            updated_at: charge.updated_at,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let reach = Reach::of(context.may(Action::ChargeGet)?, Action::ChargeGet);
    let params = context.params()?;
    let start = Start::of(&context, &params).await?;
    let limit = params.limit()?;
    let filter = Filter {
        reach,
        records: params.all("usage_record_id")?,
        hosts: params.all("host_organization_id")?,
        payers: params.all("payer_organization_id")?,
        states: params.all("state")?,
        changed_after: start.changed_after(),
        below: start.below(),
        limit: limit + 1,
    };
    let read =
        move |conn: &mut store::Conn| store::charge::list(conn, &filter).map_err(AppError::from);
    let rows = context.app.store.read(read).await?;
    let place = |row: &Whole| (row.charge.updated_at, row.charge.id.number());
    context.ok(start.found(rows, limit, place, ChargeShape::from)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let caller = context.caller()?;
    let whole = charge::get(&context.app, caller, context.id("id")?).await?;
    answer(&context, whole)
}

async fn invoice(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::ChargeInvoice).await?;
    let body: InvoiceBody = context.json()?;
    let (act, version) = (context.actor()?, context.version()?);
    let whole = charge::invoice(
        &context.app,
        &act,
        id,
        version,
        &body.invoice_no,
        body.issued_on,
    )
    .await?;
    answer(&context, whole)
}

async fn pay(context: RequestContext) -> Answer {
    let id = admitted(&context, Action::ChargePay).await?;
    let body: PaymentBody = context.json()?;
    let new = NewPayment {
        amount_fen: body.amount_fen,
        paid_on: body.paid_on,
        source: body.source,
    };
    let whole = charge::pay(&context.app, &context.actor()?, id, context.version()?, new).await?;
    let version = whole.charge.version;
    context.created_versioned(
        format!("/api/v1/charges/{id}"),
        version,
        ChargeShape::from(whole),
    )
}

/// The charge of the path: 404 and 403 before anything else is looked at.
async fn admitted(context: &RequestContext, action: Action) -> Result<ChargeId, AppError> {
    let caller = context.caller()?;
    let id: ChargeId = context.id("id")?;
    charge::admit(&context.app, caller, id, action).await?;
    Ok(id)
}

fn answer(context: &RequestContext, whole: Whole) -> Answer {
    context.ok_versioned(whole.charge.version, ChargeShape::from(whole))
}
