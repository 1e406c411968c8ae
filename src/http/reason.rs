//! The body of deeds that need a reason; whether it must be given is the operation's rule.

use serde::Deserialize;
use utoipa::ToSchema;

/// Why. Those on the other side read it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonBody {
    pub reason: Option<String>,
}
