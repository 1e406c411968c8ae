//! Who may ask, and how: routes, requests, shapes and answers. Rules live in the operations; this room translates.

pub mod answer;
pub mod asked;
pub mod caller;
pub mod docs;
pub mod envelope;
pub mod evaluation;
pub mod event;
pub mod health;
pub mod json;
pub mod openapi;
pub mod params;
pub mod policy;
pub mod problem;
pub mod routes;
pub mod schema;
pub mod server;
pub mod session;
pub mod stats;
pub mod subsidy;
