//! The one integration binary: the house rules, and the same suite on SQLite and PostgreSQL through real HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a test that fails should panic at the line that failed; it may also wait and read its environment"
)]

mod client;
mod crash;
mod fleet;
mod given;
mod house;
mod policy;
mod postgres;
mod province;
mod races;
mod schema;
mod session;
mod subsidy;
mod world;
mod writer;
