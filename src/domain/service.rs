//! Services of an instrument: what is tested, how, by which method standard, at which price.

use serde::{Deserialize, Serialize};

use super::fault::Faults;
use super::tariff::PRICE_FEN_PER_HOUR_MAX;
use super::{Fen, ServiceId};
use crate::domain::Fault;

/// One item of the price list, as its host declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFacts {
    pub test_item: String,
    pub test_condition: Option<String>,
    /// The standard the method follows: `GB/T 16594-2008`.
    pub method_standard: Option<String>,
    /// What the price is for: a sample, an hour.
    pub unit: String,
    pub price_fen: Fen,
}

impl ServiceFacts {
    pub fn validate(&self) -> Result<(), Vec<Fault>> {
        let mut faults = Faults::new();
        faults.text("test_item", &self.test_item, 100);
        faults.optional_text("test_condition", self.test_condition.as_deref(), 200);
        faults.optional_text("method_standard", self.method_standard.as_deref(), 100);
        faults.text("unit", &self.unit, 20);
        let price = self.price_fen.number();
        faults.range("price_fen", price, 0, PRICE_FEN_PER_HOUR_MAX);
        faults.into_result()
    }
}

/// A service of the instrument that is wanted with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceItem {
    pub service_id: ServiceId,
    pub quantity: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_a_name_a_unit_and_a_price() {
        let item = |name: &str, unit: &str, price: i64| {
            let facts = ServiceFacts {
                test_item: name.to_owned(),
                test_condition: None,
                method_standard: None,
                unit: unit.to_owned(),
                price_fen: Fen::new(price),
            };
            facts.validate().err().map_or(0, |faults| faults.len())
        };
        assert_eq!(item("拉伸", "样", 0), 0);
        assert_eq!(item(" ", "", -1), 3);
        assert_eq!(item("拉伸", "样", PRICE_FEN_PER_HOUR_MAX + 1), 1);
    }
}
