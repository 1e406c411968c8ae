//! Usage records: one file for each deed.

pub mod finished;
