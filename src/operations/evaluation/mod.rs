//! Evaluations.

pub mod freeze;
