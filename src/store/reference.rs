//! The tables every installation starts with: regions, categories, disciplines, the calendar, published test items. Filled
//! from files, row by row and in no order of their own; nothing is ever deleted, because records refer to old codes.

use std::collections::HashSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::{category, public_holiday, region, subject, test_item};
use super::{Conn, Result};
use crate::domain::calendar::DayKind;
use crate::domain::region::RegionLevel;
use crate::domain::{Fen, RegionCode};

/// An administrative region or a zone that only statistics know.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = region, primary_key(code), treat_none_as_null = true)]
pub struct Region {
    pub code: String,
    pub parent: Option<String>,
    pub level: RegionLevel,
    pub name: String,
    /// Whether GB/T 2260 has the code.
    pub gbt2260: bool,
}

/// A class of the six-digit instrument classification.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = category, primary_key(code), treat_none_as_null = true)]
pub struct Category {
    pub code: String,
    pub parent: Option<String>,
    pub name: String,
}

/// A first-level discipline of GB/T 13745.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = subject, primary_key(code))]
pub struct Discipline {
    pub code: String,
    pub name: String,
}

/// A day that is not what its weekday says.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = public_holiday, primary_key(holiday_on))]
pub struct Holiday {
    pub holiday_on: NaiveDate,
    pub kind: DayKind,
    pub festival: String,
}

/// A published test item with its price.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Insertable, AsChangeset)]
#[diesel(table_name = test_item, primary_key(name, test_condition), treat_none_as_null = true)]
pub struct TestItem {
    pub name: String,
    pub test_condition: String,
    /// The price list's own code; a few items have none.
    pub code: Option<String>,
    pub method_standard: Option<String>,
    pub price_fen: Fen,
}

/// What loading a file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub inserted: usize,
    pub updated: usize,
    pub unchanged: usize,
}

/// A table that is filled from a file.
pub trait Reference: Sized {
    /// Inserts the rows whose key is new and updates those that differ; leaves all others alone.
    fn load(conn: &mut Conn, rows: &[Self]) -> Result<Counts>;
}

macro_rules! reference {
    ($($row:ty: $table:ident by |$known:ident| $key:expr $(, then $follow:path)?);+ $(;)?) => {$(
        impl Reference for $row {
            fn load(conn: &mut Conn, rows: &[Self]) -> Result<Counts> {
                let mut counts = Counts::default();
                for $known in rows {
                    let found = $table::table.find($key).get_result::<$row>(conn).optional()?;
                    match found {
                        Some(found) if found == *$known => counts.unchanged += 1,
                        Some(_) => {
                            diesel::update($table::table.find($key)).set($known).execute(conn)?;
                            counts.updated += 1;
                        }
                        None => {
                            diesel::insert_into($table::table).values($known).execute(conn)?;
                            counts.inserted += 1;
                        }
                    }
                }
                $(if counts.inserted + counts.updated > 0 {
                    $follow(conn)?;
                })?
                Ok(counts)
            }
        }
    )+};
}

reference! {
    Region: region by |row| &row.code;
    Category: category by |row| &row.code;
    Discipline: subject by |row| &row.code;
    Holiday: public_holiday by |row| row.holiday_on, then super::calendar::refresh;
    TestItem: test_item by |row| (&row.name, &row.test_condition);
}

/// The codes that registry entries may name.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    pub categories: HashSet<String>,
    pub subjects: HashSet<String>,
    /// Those of GB/T 2260 that are listed: Hebei's to the county, elsewhere the provinces.
    pub regions: HashSet<String>,
}

pub fn list_codes(conn: &mut Conn) -> Result<Codes> {
    let categories: Vec<String> = category::table.select(category::code).load(conn)?;
    let subjects: Vec<String> = subject::table.select(subject::code).load(conn)?;
    let regions: Vec<String> = region::table
        .filter(region::gbt2260.eq(true))
        .select(region::code)
        .load(conn)?;
    Ok(Codes {
        categories: categories.into_iter().collect(),
        subjects: subjects.into_iter().collect(),
        regions: regions.into_iter().collect(),
    })
}

/// Every region in the order of codes.
pub fn list_subjects(conn: &mut Conn) -> Result<Vec<Discipline>> {
    Ok(subject::table.order(subject::code).load(conn)?)
}

pub fn list_regions(conn: &mut Conn) -> Result<Vec<Region>> {
    Ok(region::table.order(region::code).load(conn)?)
}

/// Every class in the order of codes.
pub fn list_categories(conn: &mut Conn) -> Result<Vec<Category>> {
    Ok(category::table.order(category::code).load(conn)?)
}

/// Whether the code can be used: counties outside Hebei are not listed, and before any region is loaded none is.
pub fn knows_region(conn: &mut Conn, code: RegionCode) -> Result<bool> {
    let codes = region::table.select(region::code);
    let listed: Option<String> = codes
        .filter(region::code.eq(code.as_str()))
        .get_result(conn)
        .optional()?;
    let is_hebei = RegionCode::HEBEI.covers(code);
    Ok(!is_hebei || listed.is_some() || codes.first::<String>(conn).optional()?.is_none())
}
