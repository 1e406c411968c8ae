//! In which order a list of instruments stands, and the place of a row in it.

use serde::{Deserialize, Serialize};

use super::Instrument;
use crate::domain::vocabulary::UnknownWord;
use crate::domain::{Fen, Instant, InstrumentId};

crate::vocabulary! {
    /// The fields a list can be sorted by.
    SortField {
        Id = "id",
        Name = "name",
        AssetNo = "asset_no",
        OriginalValue = "original_value_fen",
        CreatedAt = "created_at",
        UpdatedAt = "updated_at",
        /// How well it meets what is looked for, the best first.
        Relevance = "relevance",
        /// The lowest price in force of those that are shared with others.
        Price = "price",
        /// From the place that is named.
        Distance = "distance",
    }
}

impl SortField {
    /// Whether no column holds it: the whole list is ranked before it is cut into pages.
    pub const fn is_ranked(self) -> bool {
        matches!(self, Self::Relevance | Self::Price | Self::Distance)
    }
}

/// A field, `-` before it for the reverse order. Rows equal there stand in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub field: SortField,
    pub is_descending: bool,
}

impl Sort {
    pub const fn ascending(field: SortField) -> Self {
        Self {
            field,
            is_descending: false,
        }
    }
}

impl std::str::FromStr for Sort {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let reversed = text.strip_prefix('-');
        Ok(Self {
            field: reversed.unwrap_or(text).parse()?,
            is_descending: reversed.is_some(),
        })
    }
}

/// What a row holds in the field that a list is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    Id,
    Name(String),
    AssetNo(String),
    OriginalValue(Fen),
    CreatedAt(Instant),
    UpdatedAt(Instant),
    /// Its rank, in the direction of the list.
    Relevance(i64),
    Price(i64),
    Distance(i64),
}

impl Key {
    /// The key of a ranked order.
    pub const fn ranked(field: SortField, rank: i64) -> Self {
        match field {
            SortField::Price => Key::Price(rank),
            SortField::Distance => Key::Distance(rank),
            _ => Key::Relevance(rank),
        }
    }

    /// The rank in a ranked order.
    pub const fn rank(&self) -> Option<i64> {
        match self {
            Key::Relevance(rank) | Key::Price(rank) | Key::Distance(rank) => Some(*rank),
            _ => None,
        }
    }
}

/// The place of a row in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub key: Key,
    pub id: InstrumentId,
}

impl Position {
    pub fn of(row: &Instrument, field: SortField) -> Self {
        let key = match field {
            // Of a ranked order the place is not told by the row.
            SortField::Id | SortField::Relevance | SortField::Price | SortField::Distance => {
                Key::Id
            }
            SortField::Name => Key::Name(row.facts.name.clone()),
            SortField::AssetNo => Key::AssetNo(row.facts.asset_no.to_string()),
            SortField::OriginalValue => Key::OriginalValue(row.facts.original_value_fen),
            SortField::CreatedAt => Key::CreatedAt(row.created_at),
            SortField::UpdatedAt => Key::UpdatedAt(row.updated_at),
        };
        Self { key, id: row.id }
    }

    /// Whether it is a place in a list sorted by this field.
    pub const fn fits(&self, field: SortField) -> bool {
        matches!(
            (&self.key, field),
            (Key::Id, SortField::Id)
                | (Key::Name(_), SortField::Name)
                | (Key::AssetNo(_), SortField::AssetNo)
                | (Key::OriginalValue(_), SortField::OriginalValue)
                | (Key::CreatedAt(_), SortField::CreatedAt)
                | (Key::UpdatedAt(_), SortField::UpdatedAt)
                | (Key::Relevance(_), SortField::Relevance)
                | (Key::Price(_), SortField::Price)
                | (Key::Distance(_), SortField::Distance)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_fits_the_order_it_was_taken_from() {
        let place = Position {
            key: Key::Name("a".to_owned()),
            id: 1.try_into().unwrap(),
        };
        assert!(place.fits(SortField::Name) && !place.fits(SortField::Id));
        assert!("-name".parse::<Sort>().unwrap().is_descending);
        assert!("--name".parse::<Sort>().is_err());
    }
}
