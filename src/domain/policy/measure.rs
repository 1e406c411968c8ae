//! What a metric can measure, once its table in the pack was read.

use crate::domain::Fen;
use crate::domain::instrument::PurposeType;
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// The words of `user`: whose records count.
    Customers {
        All = "all",
        /// Any unit but the host itself; its related parties too.
        NotHost = "not_host",
        /// Neither the host nor its related party.
        External = "external",
    }
}

/// What a metric measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Minutes of usage records.
    EffectiveMinutes(RecordFilter),
    /// Distinct using units of usage records.
    UsingUnits(RecordFilter),
    /// Counted instruments with at least one effective minute.
    UsedInstruments(RecordFilter),
    /// Fen paid in the year by payers on invoiced charges; voucher-funded parts are not in it.
    PayerIncome(RecordFilter),
    /// The yearly quota, prorated by days in service, rounded down to whole minutes.
    RatedMinutes(RatedHours),
    /// Counted instruments of one sort at the end of the year.
    Instruments(Stock),
    /// A number the unit's inputs carry.
    Count(HostCount),
    /// Answers of external customers, each worth its points.
    Answers(SatisfactionPoints),
}

/// Which usage or income a metric counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFilter {
    pub customers: Customers,
    pub drop_weak_evidence: Option<WeakEvidence>,
}

/// Evidence too weak for an instrument this valuable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeakEvidence {
    pub classes: Vec<Evidence>,
    /// Original value from which those classes are weak; the number itself is.
    pub value_fen_from: Fen,
}

/// Rated hours of a whole year, by purpose type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatedHours {
    pub general: i64,
    pub special: i64,
}

impl RatedHours {
    pub const fn of(&self, purpose: PurposeType) -> i64 {
        match purpose {
            PurposeType::General => self.general,
            PurposeType::Special => self.special,
        }
    }
}

/// Sorts of counted instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    Counted,
    Complete,
    /// Without an approved exemption.
    ShouldBeOpen,
    /// Externally shared, among those that should be open.
    ExternallyShared,
}

/// Numbers that come with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostCount {
    RegistrationsDue,
    RegistrationsOnTime,
    RequestsReceived,
    RequestsAnswered,
}

/// Points of each level of satisfaction.
#[derive(Debug, Clone, PartialEq)]
pub struct SatisfactionPoints(BTreeMap<Satisfaction, BigRational>);

impl SatisfactionPoints {
    /// A level without points is worth none.
    pub const fn new(points: BTreeMap<Satisfaction, BigRational>) -> Self {
        Self(points)
    }

    pub fn of(&self, level: Satisfaction) -> BigRational {
        self.0
            .get(&level)
            .cloned()
            .unwrap_or_else(BigRational::zero)
    }
}

impl Measure {
    pub(super) fn filter(&self) -> Option<&RecordFilter> {
        match self {
            Self::EffectiveMinutes(filter)
            | Self::UsingUnits(filter)
            | Self::UsedInstruments(filter)
            | Self::PayerIncome(filter) => Some(filter),
            Self::RatedMinutes(_) | Self::Instruments(_) | Self::Count(_) | Self::Answers(_) => {
                None
            }
        }
    }

    /// Can be told for a single instrument, as `mean_of_ratios` needs.
    pub(super) const fn is_per_instrument(&self) -> bool {
        matches!(
            self,
            Self::EffectiveMinutes(_) | Self::PayerIncome(_) | Self::RatedMinutes(_)
        )
    }
}
