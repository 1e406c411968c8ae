//! Who may ask, and how: routes, requests, shapes and answers. Rules live in the operations; this room translates.

pub mod account;
pub mod answer;
pub mod api_key;
pub mod asked;
pub mod caller;
pub mod docs;
pub mod envelope;
pub mod event;
pub mod health;
pub mod json;
pub mod member;
pub mod openapi;
pub mod organization;
pub mod params;
pub mod policy;
pub mod problem;
pub mod reference;
pub mod related_party;
pub mod routes;
pub mod schema;
pub mod server;
pub mod session;
