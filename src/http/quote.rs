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
use crate::operations::quote::{self, Question};

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

async fn ask(context: RequestContext) -> Answer {
    let caller = context.may(Action::QuoteCreate)?;
    let body: QuoteBody = context.json()?;
    let slot = Slot::new(body.starts_at, body.ends_at)
        .map_err(|_| AppError::refused("ends_at", Code::not_after_start))?;
    let question = Question {
        instrument_id: body.instrument_id,
        slot,
        mode: body.mode,
        services: body.service_items.into_iter().map(Into::into).collect(),
    };
    let (customer_class, quote) = quote::ask(&context.app, caller, question).await?;
    let total_fen = quote.as_ref().map(|quote| quote.total_fen);
    let lines = quote.map(|quote| quote.lines).unwrap_or_default();
    let (lines, services) = price::by_kind(lines);
    context.ok(QuoteShape {
        instrument_id: body.instrument_id,
        starts_at: slot.starts_at(),
        ends_at: slot.ends_at(),
        mode: body.mode,
        minutes: slot.minutes(),
        customer_class,
        priced_on: slot.starts_at().local_date(),
        lines,
        services,
        total_fen,
    })
}
