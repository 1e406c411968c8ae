//! Who may ask, and how: routes, requests, shapes and answers. Rules live in the operations; this room translates.

pub mod answer;
pub mod asked;
pub mod availability;
pub mod booking;
pub mod booking_rules;
pub mod caller;
pub mod closure;
pub mod envelope;
pub mod event;
pub mod health;
pub mod json;
pub mod params;
pub mod problem;
pub mod routes;
pub mod schema;
pub mod server;
pub mod session;
