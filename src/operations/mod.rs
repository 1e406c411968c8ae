//! What can be done: one function per deed. Check, decide, write, record and announce in one transaction. Every entrance
//! (API, import, job, command line) goes through here, so none can skip a rule.

pub mod availability;
pub mod booking;
pub mod booking_rules;
pub mod closure;
pub mod deed;
pub mod feed;
pub mod password;
pub mod policy_pack;
pub mod reference;
pub mod session;
pub mod usage;
