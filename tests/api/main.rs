//! The one integration binary: the house rules, and the same suite on SQLite and PostgreSQL through real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a test that fails should panic at the line that failed; it may also wait and read its environment"
)]

#[macro_use(test)]
extern crate limited;

#[path = "../time_limit.rs"]
mod time_limit;

mod account;
mod archive;
mod availability;
mod award;
mod bad_input;
mod booking;
mod bounds;
mod broken_packs;
mod bulk;
mod calendar;
mod campus;
mod certification;
mod charge;
mod client;
mod clock;
mod closure;
mod command;
mod compliance;
mod contract;
mod crash;
mod document;
mod duty;
mod expert;
mod explanation;
mod explanation_of_user;
mod export;
mod finality;
mod finding;
mod finding_effect;
mod fleet;
mod freeze;
mod given;
mod guard;
mod holiday;
mod house;
mod impact;
mod import_beside;
mod inbox;
mod inherited;
mod instrument;
mod instrument_import;
mod invitation;
mod invoice;
mod job;
mod keys;
mod limits;
mod lists;
mod managers_week;
mod matrix;
mod migration;
mod names;
mod not_now;
mod notice;
mod objection;
mod organization;
mod outage;
mod payment;
mod people;
mod plan;
mod policy;
mod postgres;
mod preflight;
mod promise;
mod protocol;
mod province;
mod questions;
mod quota;
mod races;
mod readiness;
mod rectification;
mod reference;
mod refused_write;
mod replay;
mod reported_number;
mod reprice;
mod restore;
mod round_trip;
mod run_terms;
mod sample;
mod schema;
mod scratch;
mod search;
mod service_context;
mod session;
mod similar;
mod stats;
mod subsidy;
mod suspicion;
mod tables;
mod tariff;
mod template;
mod terms;
mod trail;
mod unchanged;
mod usage;
mod versions;
mod world;
mod writer;
