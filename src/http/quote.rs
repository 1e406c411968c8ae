//! `/quotes`: what a service would cost the caller's organization.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::booking::ServiceItemBody;
use super::context::RequestContext;
use super::route::{Route, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::tariff::{CustomerClass, QuoteLine, ServiceLine};
use crate::domain::{Fen, Instant, InstrumentId, Minutes, ServiceId, Slot, TariffId};
use crate::error::{AppError, Code};
use crate::operations::quote::{self, Priced, Question};

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/quotes",
            Action::QuoteCreate,
            "What a service would cost, without effect",
            ask,
        )
        .takes::<QuoteBody>()
        .answers::<QuoteShape>(200),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuoteBody {
    instrument_id: InstrumentId,
    starts_at: Instant,
    ends_at: Instant,
    mode: BookingMode,
    /// What else is wanted from the price list.
    #[serde(default)]
    service_items: Vec<ServiceItemBody>,
}

/// A price; `total_fen` is null where the instrument has none for this customer, which is not a price of zero.
#[derive(Serialize, ToSchema)]
struct QuoteShape {
    instrument_id: InstrumentId,
    starts_at: Instant,
    ends_at: Instant,
    mode: BookingMode,
    minutes: Minutes,
    customer_class: CustomerClass,
    /// The day whose tariffs apply.
    priced_on: NaiveDate,
    lines: Vec<LineShape>,
    services: Vec<ServiceLineShape>,
    total_fen: Option<Fen>,
}

/// Minutes at a rate, rounded half up once, to the fen.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineShape {
    tariff_id: TariffId,
    minutes: Minutes,
    price_fen_per_hour: Fen,
    amount_fen: Fen,
}

impl From<QuoteLine> for LineShape {
    fn from(line: QuoteLine) -> Self {
        Self {
            tariff_id: line.tariff_id,
            minutes: line.minutes,
            price_fen_per_hour: line.price_fen_per_hour,
            amount_fen: line.amount_fen,
        }
    }
}

/// So many of an item of the price list, at its price.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLineShape {
    service_id: ServiceId,
    test_item: String,
    /// What the price is for.
    unit: String,
    quantity: i64,
    price_fen: Fen,
    amount_fen: Fen,
}

impl From<ServiceLine> for ServiceLineShape {
    fn from(line: ServiceLine) -> Self {
        Self {
            service_id: line.service_id,
            test_item: line.test_item,
            unit: line.unit,
            quantity: line.quantity,
            price_fen: line.price_fen,
            amount_fen: line.amount_fen,
        }
    }
}

impl TryFrom<QuoteBody> for Question {
    type Error = AppError;

    fn try_from(body: QuoteBody) -> Result<Self, AppError> {
        let slot = Slot::new(body.starts_at, body.ends_at)
            .map_err(|_| AppError::refused("ends_at", Code::not_after_start))?;
        Ok(Self {
            instrument_id: body.instrument_id,
            slot,
            mode: body.mode,
            services: body.service_items.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<Priced> for QuoteShape {
    fn from(priced: Priced) -> Self {
        let question = priced.question;
        let slot = question.slot;
        let total_fen = priced.quote.as_ref().map(|quote| quote.total_fen);
        let (lines, services) = priced
            .quote
            .map(|quote| (quote.lines, quote.services))
            .unwrap_or_default();
        Self {
            instrument_id: question.instrument_id,
            starts_at: slot.starts_at(),
            ends_at: slot.ends_at(),
            mode: question.mode,
            minutes: slot.minutes(),
            customer_class: priced.customer_class,
            priced_on: slot.starts_at().local_date(),
            lines: lines.into_iter().map(LineShape::from).collect(),
            services: services.into_iter().map(Into::into).collect(),
            total_fen,
        }
    }
}

async fn ask(context: RequestContext) -> Answer {
    let question = context.body::<QuoteBody>().and_then(Question::try_from);
    let priced = quote::ask(&context.app, &context.reader(), question).await?;
    context.ok(QuoteShape::from(priced))
}
