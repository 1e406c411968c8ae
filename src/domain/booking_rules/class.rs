//! Rules that differ for a class of customers: what is said for small and medium enterprises, else for enterprises, else for all.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::quota::Quota;
use super::{Approval, BookingRules};
use crate::domain::money::Minutes;
use crate::domain::tariff::CustomerClass;

/// What is different for each class.
pub type ClassRules = BTreeMap<CustomerClass, OfClass>;

/// What is different for one class; what is left out is as for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfClass {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_minutes: Option<Minutes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_minutes: Option<Minutes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Vec<Quota>>,
}

impl OfClass {
    fn apply(&self, rules: &mut BookingRules) {
        if let Some(approval) = self.approval {
            rules.approval = approval;
        }
        if let Some(lead_minutes) = self.lead_minutes {
            rules.lead_minutes = lead_minutes;
        }
        if let Some(horizon_days) = self.horizon_days {
            rules.horizon_days = horizon_days;
        }
        if let Some(max_minutes) = self.max_minutes {
            rules.max_minutes = max_minutes;
        }
        if let Some(quotas) = &self.quotas {
            rules.quotas.clone_from(quotas);
        }
    }
}

impl BookingRules {
    /// The rules as they are for a class of customers.
    pub fn of_class(&self, class: CustomerClass) -> Cow<'_, BookingRules> {
        let general = match class {
            CustomerClass::Sme => self.class_rules.get(&CustomerClass::Enterprise),
            CustomerClass::Own | CustomerClass::PublicResearch | CustomerClass::Enterprise => None,
        };
        let own = self.class_rules.get(&class);
        if general.is_none() && own.is_none() {
            return Cow::Borrowed(self);
        }
        let mut rules = self.clone();
        for said in general.into_iter().chain(own) {
            said.apply(&mut rules);
        }
        Cow::Owned(rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_enterprises_fall_back_to_enterprises_and_all_to_the_rest() {
        let json = r#"{"horizon_days": 60, "approval": "manual", "class_rules": {
            "enterprise": {"horizon_days": 30, "max_minutes": 120},
            "sme": {"max_minutes": 240, "approval": "automatic"},
            "own": {"lead_minutes": 0, "quotas": [{"per": "person", "period": "day", "max_bookings": 1}]}}}"#;
        let rules: BookingRules = serde_json::from_str(json).unwrap();
        assert_eq!(rules.validate(), Ok(()));
        let told = |class| {
            let rules = rules.of_class(class);
            (
                rules.horizon_days,
                rules.max_minutes.number(),
                rules.lead_minutes.number(),
                rules.approval,
                rules.quotas.len(),
            )
        };
        use CustomerClass as C;
        assert_eq!(
            told(C::PublicResearch),
            (60, 480, 1440, Approval::Manual, 0)
        );
        assert_eq!(told(C::Enterprise), (30, 120, 1440, Approval::Manual, 0));
        assert_eq!(told(C::Sme), (30, 240, 1440, Approval::Automatic, 0));
        assert_eq!(told(C::Own), (60, 480, 0, Approval::Manual, 1));
    }
}
