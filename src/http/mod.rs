//! Who may ask, and how: routes, requests, shapes and answers. Rules live in the operations; this room translates.

pub mod answer;
pub mod asked;
pub mod caller;
pub mod charge;
pub mod envelope;
pub mod event;
pub mod feed;
pub mod health;
pub mod json;
pub mod params;
pub mod problem;
pub mod quote;
pub mod review;
pub mod routes;
pub mod schema;
pub mod server;
pub mod session;
pub mod tariff;
pub mod usage;
