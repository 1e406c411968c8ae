//! What can be done: one function per action. Check, decide, write, record and announce in one transaction. Every entrance
//! (API, import, job, command line) goes through here, so none can skip a rule.

pub mod account;
pub mod actor;
pub mod api_key;
pub mod availability;
pub mod booking;
pub mod booking_rules;
pub mod charge;
pub mod closure;
pub mod exclusive;
pub mod exemption;
pub mod feed;
pub mod instrument;
pub mod job;
pub mod member;
pub mod migration;
pub mod organization;
pub mod password;
pub mod policy;
pub mod policy_pack;
pub mod province;
pub mod quote;
pub mod reference;
pub mod related_party;
pub mod retention;
pub mod review;
pub mod run;
pub mod service;
pub mod session;
pub mod stats;
pub mod subject;
pub mod table_fault;
pub mod table_import;
pub mod tariff;
pub mod usage;
pub mod yearly_run;
