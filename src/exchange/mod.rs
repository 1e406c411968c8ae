//! Other systems' formats: spreadsheets of instruments and usage, the year of a province, the seed tables, the printed form of
//! a yearly run. This room parses and writes bytes; it opens no files and decides no rules.

pub mod archive;
pub mod asset_ledger;
pub mod awards;
pub mod captions;
pub mod certification;
pub mod charge;
pub mod comparison;
pub mod compliance;
pub mod document;
pub mod expert_point;
pub mod explanation;
pub mod facts;
pub mod icalendar;
pub mod instrument;
pub mod province;
pub mod seed;
pub mod sheet;
pub mod stats;
pub mod subsidy_json;
pub mod tariff;
pub mod trial;
pub mod usage;
pub mod words;
pub mod yearly_run;
