//! The bodies of actions about which nothing or only a reason is to be said; whether it must be given is the operation's rule.

use serde::Deserialize;
use utoipa::ToSchema;

/// Nothing is needed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyBody {}

/// Why. Those on the other side read it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    pub reason: Option<String>,
}
