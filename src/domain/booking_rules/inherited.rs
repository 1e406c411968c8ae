//! Booking rules of which each field is an instrument's own, else its unit's, else the service's. What was read can be sent
//! back: a field that is named as inherited and says what it inherits stays inherited, any other value makes it one's own.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Approval, BookingRules, ClassRules, Holidays, Quota, SpecialDays, WeeklyHours};
use crate::domain::booking::BookingMode;
use crate::domain::money::Minutes;

/// A field that stands there says something: null is no value of any.
fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

macro_rules! rule_fields {
    ($($variant:ident $field:ident = $name:literal: $type:ty),+ $(,)?) => {
        crate::vocabulary! {
            /// A field of booking rules.
            RuleField { $($variant = $name),+ }
        }

        /// Booking rules as somebody says them: what is left out is inherited.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct SaidRules {
            $(#[serde(deserialize_with = "said")]
            pub $field: Option<$type>,)+
            /// The fields that are inherited where they say what they inherit.
            #[serde(deserialize_with = "said")]
            pub inherited: Option<Vec<RuleField>>,
        }

        impl From<BookingRules> for SaidRules {
            /// Every field is one's own.
            fn from(rules: BookingRules) -> Self {
                Self {
                    $($field: Some(rules.$field),)+
                    inherited: None,
                }
            }
        }

        impl SaidRules {
            /// The rules in force over those that are inherited.
            pub fn over(&self, base: &BookingRules) -> RulesInForce {
                let mut own = Vec::new();
                let may_inherit = |field| self.inherited.as_ref().is_some_and(|all| all.contains(&field));
                let rules = BookingRules {
                    $($field: match &self.$field {
                        Some(said) if *said != base.$field || !may_inherit(RuleField::$variant) => {
                            own.push(RuleField::$variant);
                            said.clone()
                        }
                        _ => base.$field.clone(),
                    },)+
                };
                RulesInForce { rules, own }
            }
        }

        impl RulesInForce {
            /// The same own fields over other inherited ones.
            pub fn rebased(&self, base: &BookingRules) -> RulesInForce {
                let rules = BookingRules {
                    $($field: match self.own.contains(&RuleField::$variant) {
                        true => self.rules.$field.clone(),
                        false => base.$field.clone(),
                    },)+
                };
                RulesInForce { rules, own: self.own.clone() }
            }
        }
    };
}

rule_fields! {
    Approval approval = "approval": Approval,
    ApprovalDueWorkingDays approval_due_working_days = "approval_due_working_days": u32,
    WeeklyHours weekly_hours = "weekly_hours": Vec<WeeklyHours>,
    Holidays holidays = "holidays": Holidays,
    SpecialDays special_days = "special_days": Vec<SpecialDays>,
    SlotMinutes slot_minutes = "slot_minutes": Minutes,
    MinMinutes min_minutes = "min_minutes": Minutes,
    MaxMinutes max_minutes = "max_minutes": Minutes,
    LeadMinutes lead_minutes = "lead_minutes": Minutes,
    HorizonDays horizon_days = "horizon_days": u32,
    SetupMinutes setup_minutes = "setup_minutes": Minutes,
    CleanupMinutes cleanup_minutes = "cleanup_minutes": Minutes,
    CancelBeforeMinutes cancel_before_minutes = "cancel_before_minutes": Minutes,
    NoShowAfterMinutes no_show_after_minutes = "no_show_after_minutes": Minutes,
    Modes modes = "modes": Vec<BookingMode>,
    GapMinutes gap_minutes = "gap_minutes": Minutes,
    ChangeBeforeMinutes change_before_minutes = "change_before_minutes": Minutes,
    Quotas quotas = "quotas": Vec<Quota>,
    ClassRules class_rules = "class_rules": ClassRules,
    HoldMinutes hold_minutes = "hold_minutes": Minutes,
}

/// The rules as they apply, and which of their fields are one's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesInForce {
    pub rules: BookingRules,
    /// In the order of the fields.
    pub own: Vec<RuleField>,
}

impl RulesInForce {
    /// Where nobody has said anything.
    pub fn inheriting(base: &BookingRules) -> Self {
        Self {
            rules: base.clone(),
            own: Vec::new(),
        }
    }

    /// The fields that are not one's own.
    pub fn inherited(&self) -> Vec<RuleField> {
        let all = RuleField::ALL.iter().copied();
        all.filter(|field| !self.own.contains(field)).collect()
    }
}

/// A document as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownRules {
    #[serde(flatten)]
    pub rules: BookingRules,
    pub inherited: Vec<RuleField>,
}

impl From<RulesInForce> for ShownRules {
    fn from(in_force: RulesInForce) -> Self {
        Self {
            inherited: in_force.inherited(),
            rules: in_force.rules,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> BookingRules {
        BookingRules {
            min_minutes: Minutes::new(60),
            ..BookingRules::default()
        }
    }

    #[test]
    fn what_is_left_out_is_inherited_and_what_was_read_stays_so() {
        let said = SaidRules {
            horizon_days: Some(30),
            ..SaidRules::default()
        };
        let in_force = said.over(&unit());
        assert_eq!(in_force.own, [RuleField::HorizonDays]);
        assert_eq!(in_force.rules.min_minutes, Minutes::new(60));
        assert_eq!(in_force.inherited().len(), RuleField::ALL.len() - 1);

        let sent_back = SaidRules {
            inherited: Some(in_force.inherited()),
            ..SaidRules::from(in_force.rules.clone())
        };
        assert_eq!(sent_back.over(&unit()), in_force);
        let edited = SaidRules {
            lead_minutes: Some(Minutes::new(60)),
            ..sent_back
        };
        let expected = [RuleField::LeadMinutes, RuleField::HorizonDays];
        assert_eq!(edited.over(&unit()).own, expected);
        let all_own = SaidRules::from(unit()).over(&unit());
        assert_eq!(all_own.own, RuleField::ALL);
    }

    #[test]
    fn inherited_fields_follow_and_own_ones_stay() {
        let said = SaidRules {
            horizon_days: Some(30),
            ..SaidRules::default()
        };
        let later = said.over(&unit()).rebased(&BookingRules::default());
        assert_eq!(later.rules.min_minutes, BookingRules::default().min_minutes);
        assert_eq!((later.rules.horizon_days, later.own.len()), (30, 1));
    }
}
