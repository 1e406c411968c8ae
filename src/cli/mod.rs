//! The command line: each subcommand is a thin wrapper over an operation.

pub mod seed;
