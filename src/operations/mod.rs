//! What can be done: one function per deed. Check, decide, write, record and announce in one transaction. Every entrance
//! (API, import, job, command line) goes through here, so none can skip a rule.

pub mod deed;
pub mod evaluation;
pub mod feed;
pub mod migration;
pub mod password;
pub mod policy;
pub mod policy_pack;
pub mod province;
pub mod reference;
pub mod retention;
pub mod session;
pub mod stats;
pub mod subsidy;
