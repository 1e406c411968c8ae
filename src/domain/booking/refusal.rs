//! Why a slot cannot be booked: one variant for each code of the contract, with what a person needs to choose better.

use chrono::NaiveDate;
use serde::Serialize;

use super::BookingMode;
use crate::domain::closure::ClosureKind;
use crate::domain::money::Minutes;
use crate::domain::time::{Instant, Slot};

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

/// A limit or an actual value as JSON shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Measure {
    Minutes(Minutes),
    At(Instant),
    On(NaiveDate),
    Slot(Slot),
    Slots(Vec<Slot>),
    Mode(BookingMode),
    Modes(Vec<BookingMode>),
}

impl BookingRefusal {
    /// The code of the contract.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InstrumentNotBookable => "instrument_not_bookable",
            Self::NotExternallyShared => "not_externally_shared",
            Self::ModeNotOffered { .. } => "mode_not_offered",
            Self::InThePast { .. } => "in_the_past",
            Self::TooSoon { .. } => "too_soon",
            Self::TooFarAhead { .. } => "too_far_ahead",
            Self::NotAligned { .. } => "not_aligned",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::ClosedForMaintenance { .. } => "closed_for_maintenance",
            Self::PublicHoliday { .. } => "public_holiday",
            Self::OutsideOpeningHours { .. } => "outside_opening_hours",
        }
    }

    /// What the rule demands.
    pub fn limit(&self) -> Option<Measure> {
        match self {
            Self::InstrumentNotBookable | Self::NotExternallyShared => None,
            Self::ModeNotOffered { offered, .. } => Some(Measure::Modes(offered.clone())),
            Self::InThePast { now: at, .. }
            | Self::TooSoon {
                earliest_at: at, ..
            }
            | Self::TooFarAhead { latest_at: at, .. } => Some(Measure::At(*at)),
            Self::NotAligned {
                slot_minutes: limit,
                ..
            }
            | Self::TooShort { limit, .. }
            | Self::TooLong { limit, .. } => Some(Measure::Minutes(*limit)),
            Self::ClosedForMaintenance { ends_at, .. } => ends_at.map(Measure::At),
            Self::PublicHoliday { .. } => None,
            Self::OutsideOpeningHours { open, .. } => Some(Measure::Slots(open.clone())),
        }
    }

    /// What the request has instead.
    pub fn actual(&self) -> Option<Measure> {
        match self {
            Self::InstrumentNotBookable | Self::NotExternallyShared => None,
            Self::ModeNotOffered { actual, .. } => Some(Measure::Mode(*actual)),
            Self::InThePast { actual, .. }
            | Self::TooSoon { actual, .. }
            | Self::TooFarAhead { actual, .. }
            | Self::NotAligned { actual, .. } => Some(Measure::At(*actual)),
            Self::TooShort { actual, .. } | Self::TooLong { actual, .. } => {
                Some(Measure::Minutes(*actual))
            }
            Self::ClosedForMaintenance { starts_at, .. } => Some(Measure::At(*starts_at)),
            Self::PublicHoliday { on, .. } => Some(Measure::On(*on)),
            Self::OutsideOpeningHours { missing, .. } => Some(Measure::Slot(*missing)),
        }
    }
}
