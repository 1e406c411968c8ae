//! What a booking says besides its slot, and the document in which the row keeps it: nothing of it is found or sorted by.
//! Documents of earlier forms are read for ever.

use serde::{Deserialize, Serialize};

use crate::domain::Operator;
use crate::domain::service::ServiceItem;
use crate::domain::tariff::Quote;
use crate::domain::{Instant, ServiceId, UserId};
use crate::store::form::Form;
use crate::store::price::StoredPrice;

/// What a booking says besides.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Details {
    pub description: Option<String>,
    /// Who will run the instrument.
    pub operator: Option<Operator>,
    pub samples: Option<i64>,
    /// What is wanted from the price list.
    pub service_items: Vec<ServiceItem>,
    /// The price that was told; none when nothing of it had one.
    pub quote: Option<Quote>,
    /// Why it was rejected, cancelled or moved.
    pub reason: Option<String>,
    /// From when on a cancellation stays late: its user moved it when that had passed.
    pub late_from: Option<Instant>,
    /// Who started the use on the platform; none when nobody did, or before this was kept.
    pub started_by: Option<UserId>,
    pub finished_by: Option<UserId>,
}

/// The document. What it lacks is not said, and what nobody knows any more is passed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    format: Form<1>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<StoredOperator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    samples: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    service_items: Vec<StoredItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quote: Option<StoredPrice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    late_from: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    finished_by: Option<UserId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredOperator {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredItem {
    service_id: ServiceId,
    quantity: i64,
}

impl From<Stored> for Details {
    fn from(stored: Stored) -> Self {
        let operator = |who: StoredOperator| Operator {
            user_id: who.user_id,
            name: who.name,
            phone: who.phone,
        };
        let item = |item: StoredItem| ServiceItem {
            service_id: item.service_id,
            quantity: item.quantity,
        };
        Self {
            description: stored.description,
            operator: stored.operator.map(operator),
            samples: stored.samples,
            service_items: stored.service_items.into_iter().map(item).collect(),
            quote: stored.quote.map(Quote::from),
            reason: stored.reason,
            late_from: stored.late_from,
            started_by: stored.started_by,
            finished_by: stored.finished_by,
        }
    }
}

impl From<Details> for Stored {
    fn from(details: Details) -> Self {
        let operator = |who: Operator| StoredOperator {
            user_id: who.user_id,
            name: who.name,
            phone: who.phone,
        };
        let item = |item: ServiceItem| StoredItem {
            service_id: item.service_id,
            quantity: item.quantity,
        };
        Self {
            format: Form::PRESENT,
            description: details.description,
            operator: details.operator.map(operator),
            samples: details.samples,
            service_items: details.service_items.into_iter().map(item).collect(),
            quote: details.quote.map(StoredPrice::from),
            reason: details.reason,
            late_from: details.late_from,
            started_by: details.started_by,
            finished_by: details.finished_by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tariff::{CustomerClass, Line, TimeLine};
    use crate::domain::{Fen, Minutes};

    /// Every form in which details were ever stored, oldest first. These files never change.
    const GOLDEN: [&str; 2] = [
        include_str!("../../../tests/golden/booking_details.v1.json"),
        include_str!("../../../tests/golden/booking_details.v1-columns.json"),
    ];

    fn details() -> Details {
        Details {
            description: Some("断口形貌".to_owned()),
            operator: Some(Operator {
                name: Some("王五".to_owned()),
                phone: Some("13800000000".to_owned()),
                ..Operator::default()
            }),
            samples: Some(3),
            service_items: vec![ServiceItem {
                service_id: 5.try_into().unwrap(),
                quantity: 2,
            }],
            quote: Some(Quote {
                customer_class: CustomerClass::Sme,
                priced_on: "2026-03-01".parse().unwrap(),
                lines: vec![Line::Time(TimeLine {
                    tariff_id: 9.try_into().unwrap(),
                    minutes: Minutes::new(90),
                    price_fen_per_hour: Fen::new(36_000),
                    amount_fen: Fen::new(54_000),
                })],
                total_fen: Fen::new(54_000),
            }),
            reason: Some("样品未到".to_owned()),
            late_from: None,
            started_by: None,
            finished_by: None,
        }
    }

    #[test]
    fn every_form_there_was_is_read() {
        for text in GOLDEN {
            assert_eq!(
                serde_json::from_str::<Details>(text).unwrap(),
                details(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_present_form_is_this() {
        let written = serde_json::to_string(&details()).unwrap();
        assert_eq!(written, GOLDEN[0].trim_end());
        let nothing = serde_json::to_string(&Details::default()).unwrap();
        assert_eq!(nothing, r#"{"format":1}"#, "what the column is by default");
    }

    #[test]
    fn what_is_missing_or_unknown_is_no_harm() {
        for text in ["{}", r#"{"format":1,"later":{"a":[1]},"reason":null}"#] {
            assert_eq!(
                serde_json::from_str::<Details>(text).unwrap(),
                Details::default()
            );
        }
        let later = serde_json::from_str::<Details>(r#"{"format":2}"#).unwrap_err();
        assert!(later.to_string().contains("form 2"), "{later}");
    }
}
