//! How answers show a price: what time costs and what else was wanted, each in a list of its own, with their total.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::tariff::{CustomerClass, Line, Quote, ServiceLine, TimeLine};
use crate::domain::{Fen, Minutes, ServiceId, TariffId};

/// A price as it was told.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceShape {
    customer_class: CustomerClass,
    /// The day whose tariffs apply.
    priced_on: NaiveDate,
    lines: Vec<LineShape>,
    services: Vec<ServiceLineShape>,
    total_fen: Fen,
}

impl From<Quote> for PriceShape {
    fn from(quote: Quote) -> Self {
        let (lines, services) = by_kind(quote.lines);
        Self {
            customer_class: quote.customer_class,
            priced_on: quote.priced_on,
            lines,
            services,
            total_fen: quote.total_fen,
        }
    }
}

/// The lines of a price by their kinds.
pub fn by_kind(lines: Vec<Line>) -> (Vec<LineShape>, Vec<ServiceLineShape>) {
    let (mut times, mut services) = (Vec::new(), Vec::new());
    for line in lines {
        match line {
            Line::Time(line) => times.push(line.into()),
            Line::Service(line) => services.push(line.into()),
        }
    }
    (times, services)
}

/// Minutes at a rate, rounded half up once, to the fen.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineShape {
    tariff_id: TariffId,
    minutes: Minutes,
    price_fen_per_hour: Fen,
    amount_fen: Fen,
}

impl From<TimeLine> for LineShape {
    fn from(line: TimeLine) -> Self {
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
