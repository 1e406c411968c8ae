//! How a price is stored: with the booking it was promised with and with the charge it was frozen for, as one document.
//! Documents of earlier forms are read for ever.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::{Json, Result};
use crate::domain::tariff::{CustomerClass, Line, Quote, ServiceLine, TimeLine};
use crate::domain::{Fen, Minutes, ServiceId, TariffId};

/// A price as a document. Form 1 has one list of typed lines; before it, time and services were two lists, and at first there
/// was time alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AnyForm")]
pub struct StoredPrice {
    format: Form<1>,
    customer_class: CustomerClass,
    priced_on: NaiveDate,
    lines: Vec<StoredLine>,
    total_fen: Fen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum StoredLine {
    Time(StoredTime),
    Service(StoredService),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredTime {
    tariff_id: TariffId,
    minutes: Minutes,
    price_fen_per_hour: Fen,
    amount_fen: Fen,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredService {
    service_id: ServiceId,
    test_item: String,
    unit: String,
    quantity: i64,
    price_fen: Fen,
    amount_fen: Fen,
}

impl StoredPrice {
    /// A price as a column keeps it.
    pub fn of(quote: Quote) -> Result<Json<Self>> {
        Ok(Json::of(Self::from(quote))?)
    }
}

/// A document of any form there was.
#[derive(Deserialize)]
struct AnyForm {
    /// Read so that a later form is refused.
    #[serde(default, rename = "format")]
    _format: Form<1>,
    customer_class: CustomerClass,
    priced_on: NaiveDate,
    lines: Vec<AnyLine>,
    #[serde(default)]
    services: Vec<StoredService>,
    total_fen: Fen,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyLine {
    Typed(StoredLine),
    Time(StoredTime),
}

impl From<AnyForm> for StoredPrice {
    fn from(any: AnyForm) -> Self {
        let lines = any.lines.into_iter().map(|line| match line {
            AnyLine::Typed(line) => line,
            AnyLine::Time(time) => StoredLine::Time(time),
        });
        let services = any.services.into_iter().map(StoredLine::Service);
        Self {
            format: Form::PRESENT,
            customer_class: any.customer_class,
            priced_on: any.priced_on,
            lines: lines.chain(services).collect(),
            total_fen: any.total_fen,
        }
    }
}

impl From<Quote> for StoredPrice {
    fn from(quote: Quote) -> Self {
        Self {
            format: Form::PRESENT,
            customer_class: quote.customer_class,
            priced_on: quote.priced_on,
            lines: quote.lines.into_iter().map(StoredLine::from).collect(),
            total_fen: quote.total_fen,
        }
    }
}

impl From<StoredPrice> for Quote {
    fn from(stored: StoredPrice) -> Self {
        Self {
            customer_class: stored.customer_class,
            priced_on: stored.priced_on,
            lines: stored.lines.into_iter().map(Line::from).collect(),
            total_fen: stored.total_fen,
        }
    }
}

impl From<Line> for StoredLine {
    fn from(line: Line) -> Self {
        match line {
            Line::Time(line) => Self::Time(StoredTime {
                tariff_id: line.tariff_id,
                minutes: line.minutes,
                price_fen_per_hour: line.price_fen_per_hour,
                amount_fen: line.amount_fen,
            }),
            Line::Service(line) => Self::Service(StoredService {
                service_id: line.service_id,
                test_item: line.test_item,
                unit: line.unit,
                quantity: line.quantity,
                price_fen: line.price_fen,
                amount_fen: line.amount_fen,
            }),
        }
    }
}

impl From<StoredLine> for Line {
    fn from(stored: StoredLine) -> Self {
        match stored {
            StoredLine::Time(line) => Self::Time(TimeLine {
                tariff_id: line.tariff_id,
                minutes: line.minutes,
                price_fen_per_hour: line.price_fen_per_hour,
                amount_fen: line.amount_fen,
            }),
            StoredLine::Service(line) => Self::Service(ServiceLine {
                service_id: line.service_id,
                test_item: line.test_item,
                unit: line.unit,
                quantity: line.quantity,
                price_fen: line.price_fen,
                amount_fen: line.amount_fen,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every form in which a price was ever stored, oldest first. These files never change.
    const GOLDEN: [&str; 3] = [
        include_str!("../../tests/golden/price.v0-time-only.json"),
        include_str!("../../tests/golden/price.v0.json"),
        include_str!("../../tests/golden/price.v1.json"),
    ];

    fn quote(has_services: bool) -> Quote {
        let time = Line::Time(TimeLine {
            tariff_id: 9.try_into().unwrap(),
            minutes: Minutes::new(90),
            price_fen_per_hour: Fen::new(36_000),
            amount_fen: Fen::new(54_000),
        });
        let service = Line::Service(ServiceLine {
            service_id: 5.try_into().unwrap(),
            test_item: "拉伸".to_owned(),
            unit: "样".to_owned(),
            quantity: 3,
            price_fen: Fen::new(12_000),
            amount_fen: Fen::new(36_000),
        });
        let (lines, total) = match has_services {
            true => (vec![time, service], 90_000),
            false => (vec![time], 54_000),
        };
        Quote {
            customer_class: CustomerClass::Sme,
            priced_on: "2026-03-01".parse().unwrap(),
            lines,
            total_fen: Fen::new(total),
        }
    }

    #[test]
    fn every_form_there_was_is_read() {
        let read = |text: &str| Quote::from(serde_json::from_str::<StoredPrice>(text).unwrap());
        assert_eq!(GOLDEN.map(read), [false, true, true].map(quote));
    }

    #[test]
    fn the_present_form_is_this() {
        let written = serde_json::to_string(&StoredPrice::from(quote(true))).unwrap();
        assert_eq!(written, GOLDEN[2].trim_end());
    }

    #[test]
    fn a_later_form_is_not_guessed_at() {
        let later = GOLDEN[2].replace("\"format\":1", "\"format\":2");
        let refusal = serde_json::from_str::<StoredPrice>(&later).unwrap_err();
        assert!(refusal.to_string().contains("form 2"), "{refusal}");
        let known = GOLDEN[2].replace("\"format\":1", "\"format\":1,\"new\":true");
        assert!(
            serde_json::from_str::<StoredPrice>(&known).is_ok(),
            "a field nobody knows is no harm"
        );
    }
}
