//! Other systems' formats: policy packs as TOML and the printed form of a yearly run.

pub mod policy_pack;
pub mod subsidy_json;
