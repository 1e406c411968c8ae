//! Why a slot cannot be booked: one variant for each code of the contract, with what a person needs to choose better.

use super::BookingMode;
use crate::domain::closure::ClosureKind;
use crate::domain::fault::{FaultValue, Period};
use crate::domain::money::Minutes;
use crate::domain::time::{Instant, Slot};
use crate::domain::{Code, Fault};
use chrono::NaiveDate;

/// A broken rule of the instrument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookingRefusal {
    #[error("the instrument takes no bookings")]
    InstrumentNotBookable,
    #[error("the instrument is not shared with this organization")]
    NotExternallyShared,
    #[error("the mode is not offered")]
    ModeNotOffered {
        offered: Vec<BookingMode>,
        actual: BookingMode,
    },
    #[error("the start is in the past")]
    InThePast { now: Instant, actual: Instant },
    #[error("the start is too soon")]
    TooSoon {
        earliest_at: Instant,
        actual: Instant,
    },
    #[error("the start is too far ahead")]
    TooFarAhead { latest_at: Instant, actual: Instant },
    /// `actual` is the first of start and end that lies off the grid from local midnight.
    #[error("the times are not on the grid")]
    NotAligned {
        slot_minutes: Minutes,
        actual: Instant,
    },
    #[error("the slot is too short")]
    TooShort { limit: Minutes, actual: Minutes },
    #[error("the slot is too long")]
    TooLong { limit: Minutes, actual: Minutes },
    #[error("the instrument is closed")]
    ClosedForMaintenance {
        starts_at: Instant,
        /// None: until further notice.
        ends_at: Option<Instant>,
        kind: ClosureKind,
        public_reason: Option<String>,
    },
    /// The first touched day that is closed because of its festival.
    #[error("the instrument is closed on a public holiday")]
    PublicHoliday { on: NaiveDate, festival: String },
    /// The first part of the slot that is not open, and the open spans of the day on which it begins.
    #[error("the slot is not within opening hours")]
    OutsideOpeningHours { missing: Slot, open: Vec<Slot> },
    /// With this booking, of what the quota limits: bookings or minutes. A quota of what is ahead has no end.
    #[error("a quota is used up")]
    QuotaExceeded {
        limit: i64,
        actual: i64,
        period_from: Instant,
        period_until: Option<Instant>,
    },
    #[error("another booking of the person is too near")]
    GapTooShort { limit: Minutes, actual: Minutes },
    /// From `locked_from` on its user keeps the start and may only extend.
    #[error("the start cannot be moved any more")]
    ChangeLocked {
        locked_from: Instant,
        actual: Instant,
    },
}

impl BookingRefusal {
    /// The code of the contract.
    pub const fn code(&self) -> Code {
        match self {
            Self::InstrumentNotBookable => Code::instrument_not_bookable,
            Self::NotExternallyShared => Code::not_externally_shared,
            Self::ModeNotOffered { .. } => Code::mode_not_offered,
            Self::InThePast { .. } => Code::in_the_past,
            Self::TooSoon { .. } => Code::too_soon,
            Self::TooFarAhead { .. } => Code::too_far_ahead,
            Self::NotAligned { .. } => Code::not_aligned,
            Self::TooShort { .. } => Code::too_short,
            Self::TooLong { .. } => Code::too_long,
            Self::ClosedForMaintenance { .. } => Code::closed_for_maintenance,
            Self::PublicHoliday { .. } => Code::public_holiday,
            Self::OutsideOpeningHours { .. } => Code::outside_opening_hours,
            Self::QuotaExceeded { .. } => Code::quota_exceeded,
            Self::GapTooShort { .. } => Code::gap_too_short,
            Self::ChangeLocked { .. } => Code::change_locked,
        }
    }

    /// What the rule demands.
    pub fn limit(&self) -> Option<FaultValue> {
        match self {
            Self::InstrumentNotBookable | Self::NotExternallyShared => None,
            Self::ModeNotOffered { offered, .. } => Some(offered.clone().into()),
            Self::InThePast { now: at, .. }
            | Self::TooSoon {
                earliest_at: at, ..
            }
            | Self::TooFarAhead { latest_at: at, .. }
            | Self::ChangeLocked {
                locked_from: at, ..
            } => Some((*at).into()),
            Self::QuotaExceeded { limit, .. } => Some((*limit).into()),
            Self::NotAligned {
                slot_minutes: limit,
                ..
            }
            | Self::TooShort { limit, .. }
            | Self::TooLong { limit, .. }
            | Self::GapTooShort { limit, .. } => Some(limit.into()),
            Self::ClosedForMaintenance { ends_at, .. } => ends_at.map(Into::into),
            Self::PublicHoliday { .. } => None,
            Self::OutsideOpeningHours { open, .. } => Some(open.clone().into()),
        }
    }

    /// What the request has instead.
    pub fn actual(&self) -> Option<FaultValue> {
        match self {
            Self::InstrumentNotBookable | Self::NotExternallyShared => None,
            Self::ModeNotOffered { actual, .. } => Some((*actual).into()),
            Self::InThePast { actual, .. }
            | Self::TooSoon { actual, .. }
            | Self::TooFarAhead { actual, .. }
            | Self::NotAligned { actual, .. }
            | Self::ChangeLocked { actual, .. } => Some((*actual).into()),
            Self::QuotaExceeded { actual, .. } => Some((*actual).into()),
            Self::TooShort { actual, .. }
            | Self::TooLong { actual, .. }
            | Self::GapTooShort { actual, .. } => Some(actual.into()),
            Self::ClosedForMaintenance { starts_at, .. } => Some((*starts_at).into()),
            Self::PublicHoliday { on, .. } => Some((*on).into()),
            Self::OutsideOpeningHours { missing, .. } => Some((*missing).into()),
        }
    }
}

impl BookingRefusal {
    /// The time that a quota speaks of.
    fn period(&self) -> Option<Period> {
        match self {
            Self::QuotaExceeded {
                period_from: from,
                period_until: until,
                ..
            } => Some(Period {
                from: *from,
                until: *until,
            }),
            _ => None,
        }
    }
}

impl From<BookingRefusal> for Fault {
    fn from(refusal: BookingRefusal) -> Self {
        Fault {
            period: refusal.period().map(Box::new),
            limit: refusal.limit(),
            actual: refusal.actual(),
            ..Fault::rule(refusal.code())
        }
    }
}
