//! What a metric can measure, once its table in the pack was read.

use super::award::Exclusion;
use super::condition::Condition;
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
        /// The host itself.
        Host = "host",
        /// Any unit but the host itself; its related parties too.
        NotHost = "not_host",
        /// The host or its related party.
        Internal = "internal",
        /// The host's related party.
        Related = "related",
        /// Neither the host nor its related party.
        External = "external",
    }
}

/// What a metric measures.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Of usage records and what was paid for them.
    Records(Tally, RecordFilter),
    /// The yearly quota, prorated by days in service, rounded down to whole minutes.
    RatedMinutes(RatedHours),
    /// Days in service within the year, both ends included.
    DaysInService,
    /// Original value, in fen.
    OriginalValue,
    /// Counted instruments of one sort at the end of the year.
    Instruments(Stock),
    /// A number the unit's inputs carry.
    Count(HostCount),
    /// Answers of external customers, each worth its points.
    Answers(SatisfactionPoints),
    /// A number that units report for themselves or for an instrument.
    Reported(String),
    /// Other metrics, each times its weight.
    Sum(Vec<(BigRational, Measure)>),
}

/// What is added up over usage records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Preparation, run and post-processing.
    EffectiveMinutes,
    PrepareMinutes,
    RunMinutes,
    PostMinutes,
    Records,
    Samples,
    /// Distinct using units.
    UsingUnits,
    /// Instruments with at least one effective minute.
    Instruments,
    /// Fen paid in the year by payers on invoiced charges; voucher-funded parts are not in it.
    PayerIncome,
    /// Fen that vouchers paid.
    VoucherIncome,
    /// Both.
    Income,
}

impl Tally {
    pub const fn is_money(self) -> bool {
        matches!(self, Self::PayerIncome | Self::VoucherIncome | Self::Income)
    }
}

/// Which usage or income a metric counts.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordFilter {
    pub customers: Customers,
    pub drop_weak_evidence: Option<WeakEvidence>,
    /// `where`; `None`: all.
    pub only: Option<Condition>,
    pub exclude: Vec<Exclusion>,
}

impl RecordFilter {
    /// All records of some customers.
    pub const fn of(customers: Customers) -> Self {
        Self {
            customers,
            drop_weak_evidence: None,
            only: None,
            exclude: Vec::new(),
        }
    }
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

impl HostCount {
    pub const fn is_of_requests(self) -> bool {
        matches!(self, Self::RequestsReceived | Self::RequestsAnswered)
    }
}

/// Points of each level of satisfaction.
#[derive(Debug, Clone, PartialEq)]
pub struct SatisfactionPoints(BTreeMap<Satisfaction, BigRational>);

impl SatisfactionPoints {
    /// A level without points is worth none.
    pub const fn new(points: BTreeMap<Satisfaction, BigRational>) -> Self {
        Self(points)
    }

    /// The most that an answer brings.
    pub fn most(&self) -> BigRational {
        self.0
            .values()
            .max()
            .cloned()
            .unwrap_or_else(BigRational::zero)
    }

    /// The least above 0 that an answer brings.
    pub fn least(&self) -> BigRational {
        let some = self.0.values().filter(|points| !points.is_zero()).min();
        some.cloned().unwrap_or_else(BigRational::zero)
    }

    pub fn of(&self, level: Satisfaction) -> BigRational {
        self.0
            .get(&level)
            .cloned()
            .unwrap_or_else(BigRational::zero)
    }
}

impl Measure {
    /// What it counts of records, if it counts records.
    pub const fn of_records(&self) -> Option<(Tally, &RecordFilter)> {
        match self {
            Self::Records(tally, filter) => Some((*tally, filter)),
            _ => None,
        }
    }

    /// Itself, or what it is a sum of.
    pub fn parts(&self) -> Vec<&Measure> {
        match self {
            Self::Sum(parts) => parts.iter().map(|(_, part)| part).collect(),
            one => vec![one],
        }
    }

    /// Fen, and nothing but fen. Whether a reported number is money only its name tells.
    pub fn is_money(&self) -> bool {
        match self {
            Self::Records(tally, _) => tally.is_money(),
            Self::OriginalValue => true,
            Self::Reported(name) => name.ends_with("_fen"),
            Self::Sum(parts) => parts.iter().all(|(_, part)| part.is_money()),
            _ => false,
        }
    }

    /// Whether it counts a part of what another counts, so that it never exceeds it.
    pub fn is_part_of(&self, whole: &Self) -> bool {
        match (self, whole) {
            (Self::Records(own, _), Self::Records(other, filter)) => {
                own == other && *filter == RecordFilter::of(Customers::All)
            }
            (
                Self::Instruments(Stock::ExternallyShared),
                Self::Instruments(Stock::ShouldBeOpen),
            ) => true,
            (Self::Instruments(_), Self::Instruments(Stock::Counted)) => true,
            (
                Self::Count(HostCount::RegistrationsOnTime),
                Self::Count(HostCount::RegistrationsDue),
            )
            | (
                Self::Count(HostCount::RequestsAnswered),
                Self::Count(HostCount::RequestsReceived),
            ) => true,
            _ => false,
        }
    }

    /// Can be told for a single instrument, as `mean_of_ratios` needs.
    pub fn is_per_instrument(&self) -> bool {
        match self {
            Self::Records(tally, _) => !matches!(tally, Tally::UsingUnits),
            Self::Sum(parts) => parts.iter().all(|(_, part)| part.is_per_instrument()),
            Self::RatedMinutes(_)
            | Self::DaysInService
            | Self::OriginalValue
            | Self::Instruments(_)
            | Self::Reported(_) => true,
            Self::Count(_) | Self::Answers(_) => false,
        }
    }
}
