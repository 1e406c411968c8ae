//! What can be done: one function per deed. Check, decide, write, record and announce in one transaction. Every entrance
//! (API, import, job, command line) goes through here, so none can skip a rule.

pub mod charge;
pub mod deed;
pub mod feed;
pub mod password;
pub mod policy_pack;
pub mod quote;
pub mod reference;
pub mod review;
pub mod session;
pub mod subsidy;
pub mod tariff;
pub mod usage;
