//! `/quotes`: what a service would cost the caller's organization.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::booking::ServiceItemBody;
use super::context::RequestContext;
use super::price::{self, LineShape, ServiceLineShape};
use super::route::{Route, post};
use crate::domain::access::Action;
use crate::domain::booking::BookingMode;
use crate::domain::tariff::CustomerClass;
use crate::domain::{Fen, Instant, InstrumentId, Minutes, Slot};
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
        let lines = priced.quote.map(|quote| quote.lines);
        let (lines, services) = price::by_kind(lines.unwrap_or_default());
        Self {
            instrument_id: question.instrument_id,
            starts_at: slot.starts_at(),
            ends_at: slot.ends_at(),
            mode: question.mode,
            minutes: slot.minutes(),
            customer_class: priced.customer_class,
            priced_on: slot.starts_at().local_date(),
            lines,
            services,
            total_fen,
        }
    }
}

async fn ask(context: RequestContext) -> Answer {
    let question = context.body::<QuoteBody>().and_then(Question::try_from);
    let priced = quote::ask(&context.app, &context.reader(), question).await?;
    context.ok(QuoteShape::from(priced))
}
