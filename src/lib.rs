//! Yiqi (仪器): shared research instruments, from registration to the post-subsidy.
//!
//! Rooms: [`domain`] says what is true, [`store`] remembers, [`operations`] do, [`http`] asks, [`jobs`] happen by
//! themselves, [`exchange`] speaks other formats, [`cli`] is the command line. The corridor ([`app`], [`error`], [`clock`],
//! [`config`]) is open to every room but the domain. A test holds this table.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error;
pub mod exchange;
pub mod http;
pub mod jobs;
pub mod operations;
pub mod store;

#[cfg(test)]
#[macro_use(test)]
extern crate limited;
#[cfg(test)]
#[path = "../tests/time_limit.rs"]
mod time_limit;
