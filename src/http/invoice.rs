//! `/invoices`: what a host has invoiced, for one charge or many, and its annulment.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Asked, Start};
use super::params::Params;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::charge::{InvoiceNo, InvoiceState};
use crate::domain::time::read_date;
use crate::domain::{ChargeId, Fen, Instant, InvoiceId, OrganizationId};
use crate::error::AppError;
use crate::operations::invoice::{self, Annulment, Head, NewInvoice};
use crate::operations::run::Reply;
use crate::store::invoice::{Filter, WholeInvoice};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/invoices",
            Action::InvoiceList,
            "Invoices, newest first",
            list,
        )
        .parameters(&[
            "charge_id",
            "host_organization_id",
            "payer_organization_id",
            "organization_id",
            "invoice_no",
            "state",
            "limit",
            "cursor",
        ])
        .words::<InvoiceState>("state")
        .answers::<Page<InvoiceShape>>(200),
        post(
            "/invoices",
            Action::InvoiceCreate,
            "Invoice charges of one payer; a number is valid once on the whole platform",
            create,
        )
        .takes::<InvoiceBody>()
        .answers::<InvoiceShape>(201)
        .ignores_version(),
        get("/invoices/{id}", Action::InvoiceGet, "One invoice", get_one)
            .answers::<InvoiceShape>(200),
        post(
            "/invoices/{id}/annul",
            Action::InvoiceAnnul,
            "Take an invoice back, and say why: its charges are free again, its number stays used",
            annul,
        )
        .takes::<AnnulBody>()
        .answers::<InvoiceShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvoiceBody {
    invoice_no: String,
    #[serde(deserialize_with = "read_date")]
    issued_on: NaiveDate,
    /// Charges of one payer and one host, at most 500.
    charge_ids: Vec<ChargeId>,
}

/// Why, and the number of the red-letter invoice where one was issued.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnnulBody {
    reason: Option<String>,
    red_letter_no: Option<String>,
}

impl From<InvoiceBody> for NewInvoice {
    fn from(body: InvoiceBody) -> Self {
        Self {
            head: Head {
                invoice_no: body.invoice_no,
                issued_on: body.issued_on,
            },
            charge_ids: body.charge_ids,
        }
    }
}

impl From<AnnulBody> for Annulment {
    fn from(body: AnnulBody) -> Self {
        Self {
            reason: body.reason,
            red_letter_no: body.red_letter_no,
        }
    }
}

/// An invoice. What it said of its charges stays when it is annulled.
#[derive(Serialize, ToSchema)]
struct InvoiceShape {
    id: InvoiceId,
    invoice_no: String,
    issued_on: NaiveDate,
    state: InvoiceState,
    host_organization_id: OrganizationId,
    payer_organization_id: OrganizationId,
    amount_fen: Fen,
    lines: Vec<InvoiceLineShape>,
    annulled_at: Option<Instant>,
    /// Why it was annulled.
    reason: Option<String>,
    red_letter_no: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Serialize, ToSchema)]
struct InvoiceLineShape {
    charge_id: ChargeId,
    amount_fen: Fen,
}

impl From<WholeInvoice> for InvoiceShape {
    fn from(whole: WholeInvoice) -> Self {
        let WholeInvoice { invoice, lines } = whole;
        // The sum was checked when the invoice was entered.
        let amounts = lines.iter().map(|line| line.amount_fen.number());
        Self {
            id: invoice.id,
            state: invoice.state(),
            invoice_no: invoice.invoice_no,
            issued_on: invoice.issued_on,
            host_organization_id: invoice.host_organization_id,
            payer_organization_id: invoice.payer_organization_id,
            amount_fen: Fen::new(amounts.fold(0, i64::saturating_add)),
            lines: lines
                .into_iter()
                .map(|line| InvoiceLineShape {
                    charge_id: line.charge_id,
                    amount_fen: line.amount_fen,
                })
                .collect(),
            annulled_at: invoice.annulled_at,
            reason: invoice.annul_reason,
            red_letter_no: invoice.red_letter_no,
            version: invoice.version,
            created_at: invoice.created_at,
            updated_at: invoice.updated_at,
        }
    }
}

fn filter(params: &Params, start: &Start, limit: i64) -> Result<Filter, AppError> {
    let mut payers: Vec<OrganizationId> = params.all("payer_organization_id")?;
    payers.extend(params.all::<OrganizationId>("organization_id")?);
    let numbers: Vec<String> = params.all("invoice_no")?;
    let numbers: Result<Vec<_>, _> = numbers.iter().map(|text| InvoiceNo::parse(text)).collect();
    Ok(Filter {
        hosts: params.all("host_organization_id")?,
        payers,
        states: params.all("state")?,
        numbers: numbers.map_err(|fault| AppError::Malformed(vec![fault]))?,
        charges: params.all("charge_id")?,
        below: start.below(),
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let asked = Asked::of(&context, filter).await;
    let found = invoice::list(&context.app, &context.reader(), asked.filter).await?;
    let place = |row: &WholeInvoice| (row.invoice.updated_at, row.invoice.id.number());
    let (start, limit) = (asked.start, asked.limit);
    context.ok(start.found(found, limit, place, InvoiceShape::from)?)
}

async fn get_one(context: RequestContext) -> Answer {
    let whole = invoice::get(&context.app, &context.reader(), context.id("id")?).await?;
    context.ok_versioned(whole.invoice.version, InvoiceShape::from(whole))
}

fn shown(whole: &WholeInvoice) -> Result<Reply, AppError> {
    let reply = reply(200, &InvoiceShape::from(whole.clone()))?;
    Ok(reply.of_version(whole.invoice.version))
}

fn created(whole: &WholeInvoice) -> Result<Reply, AppError> {
    let reply = shown(whole)?.at(format!("{BASE}/invoices/{}", whole.invoice.id));
    Ok(Reply {
        status: 201,
        ..reply
    })
}

async fn create(context: RequestContext) -> Answer {
    let new = context.body::<InvoiceBody>().map(Into::into);
    let done = invoice::create(&context.run(created)?, new).await?;
    context.answer(done, created)
}

async fn annul(context: RequestContext) -> Answer {
    let annulment = context.body_or_default().map(|body: AnnulBody| body.into());
    let done = invoice::annul(&context.run(shown)?, context.id("id")?, annulment).await?;
    context.answer(done, shown)
}
