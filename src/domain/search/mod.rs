//! The search for instruments: an index of their texts in memory (`index`), what a query asks for (`query`), how texts become
//! words (`text`), which phrases mean the same (`synonyms`), and how many are of which kind (`facet`), how alike two are (`likeness`). The index proposes and
//! ranks; who may see what is decided by the list that asks it.

mod facet;
mod index;
mod likeness;
mod posting;
mod query;
mod ranking;
mod synonyms;
#[cfg(test)]
mod tests;
mod text;

pub use facet::{Count, Facet};
pub use index::{Hit, Index, Matches};
pub use synonyms::{NotAGroup, Synonyms};

use super::booking::BookingMode;
use super::exemption::ShareMode;
use super::instrument::Point;
use super::{CategoryCode, InstrumentId, OrganizationId, RegionCode};

/// Where a text of an instrument stands, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    Name,
    Model,
    NameEn,
    AssetNo,
    Category,
    Standard,
    Service,
    Maker,
    Unit,
    Functions,
    Place,
    /// The wider classes of its category.
    Class,
}

impl Field {
    pub(self) const ALL: [Field; 12] = [
        Field::Name,
        Field::Model,
        Field::NameEn,
        Field::AssetNo,
        Field::Category,
        Field::Standard,
        Field::Service,
        Field::Maker,
        Field::Unit,
        Field::Functions,
        Field::Place,
        Field::Class,
    ];

    /// How much a word that is met here tells.
    pub(self) const fn weight(self) -> u32 {
        match self {
            Field::Name => 100,
            Field::Model => 95,
            Field::NameEn => 90,
            Field::AssetNo => 80,
            Field::Category => 60,
            Field::Standard => 55,
            Field::Service => 50,
            Field::Maker | Field::Unit => 40,
            Field::Functions => 30,
            Field::Place => 20,
            Field::Class => 10,
        }
    }

    pub(self) const fn bit(self) -> u16 {
        match self {
            Field::Name => 1,
            Field::Model => 1 << 1,
            Field::NameEn => 1 << 2,
            Field::AssetNo => 1 << 3,
            Field::Category => 1 << 4,
            Field::Standard => 1 << 5,
            Field::Service => 1 << 6,
            Field::Maker => 1 << 7,
            Field::Unit => 1 << 8,
            Field::Functions => 1 << 9,
            Field::Place => 1 << 10,
            Field::Class => 1 << 11,
        }
    }
}

/// A code or an id with what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    pub value: T,
    pub name: String,
}

/// What is known of an instrument to find it by.
#[derive(Debug, Clone)]
pub struct Document {
    pub id: InstrumentId,
    pub organization: Named<OrganizationId>,
    pub category: Named<CategoryCode>,
    pub region: Named<RegionCode>,
    pub share_mode: Option<ShareMode>,
    pub modes: Vec<BookingMode>,
    /// The standards its services follow.
    pub methods: Vec<String>,
    pub point: Option<Point>,
    pub texts: Vec<(Field, String)>,
}
