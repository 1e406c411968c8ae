//! Why a slot cannot be booked: one variant for each code of the contract, with what a person needs to choose better.

use super::BookingMode;
use crate::domain::closure::ClosureKind;
use crate::domain::fault::FaultValue;
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
            | Self::TooFarAhead { latest_at: at, .. } => Some((*at).into()),
            Self::NotAligned {
                slot_minutes: limit,
                ..
            }
            | Self::TooShort { limit, .. }
            | Self::TooLong { limit, .. } => Some(limit.into()),
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
            | Self::NotAligned { actual, .. } => Some((*actual).into()),
            Self::TooShort { actual, .. } | Self::TooLong { actual, .. } => Some(actual.into()),
            Self::ClosedForMaintenance { starts_at, .. } => Some((*starts_at).into()),
            Self::PublicHoliday { on, .. } => Some((*on).into()),
            Self::OutsideOpeningHours { missing, .. } => Some((*missing).into()),
        }
    }
}

impl From<BookingRefusal> for Fault {
    fn from(refusal: BookingRefusal) -> Self {
        Fault {
            limit: refusal.limit(),
            actual: refusal.actual(),
            ..Fault::rule(refusal.code())
        }
    }
}
