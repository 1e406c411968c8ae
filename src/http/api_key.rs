//! `/api-keys`: the keys of the caller's organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::routes::{BASE, Route, delete, get, post};
use crate::domain::access::{ApiScope, Deed};
use crate::domain::{ApiKeyId, Instant, UserId};
use crate::operations::api_key::{self, KeyDraft};
use crate::store::api_key::ApiKey;
use crate::store::{self, Json};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/api-keys",
            "api_key_list",
            "The organization's API keys",
            list,
        )
        .deed(Deed::ApiKeyRead)
        .parameters(&["limit", "cursor"])
        .answers::<ApiKeyPage>(200),
        post(
            "/api-keys",
            "api_key_create",
            "Make an API key; its secret is shown once",
            create,
        )
        .deed(Deed::ApiKeyCreate)
        .takes::<ApiKeyBody>()
        .answers::<NewApiKeyShape>(201),
        delete("/api-keys/{id}", "api_key_revoke", "End an API key", revoke)
            .deed(Deed::ApiKeyRevoke)
            .ignores_version()
            .answers_status(204),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiKeyBody {
    /// What it is for.
    name: String,
    scopes: Vec<ApiScope>,
    /// By default 365 days from now, or what the service is set to.
    expires_at: Option<Instant>,
}

#[derive(Serialize, ToSchema)]
struct ApiKeyShape {
    id: ApiKeyId,
    name: String,
    /// The last characters of the secret.
    hint: String,
    scopes: Vec<ApiScope>,
    /// Who made it: it may never more than this person.
    user_id: UserId,
    created_at: Instant,
    expires_at: Instant,
    /// To the hour.
    last_used_at: Option<Instant>,
}

#[derive(Serialize, ToSchema)]
struct NewApiKeyShape {
    /// `null` when the request is repeated under its idempotency key: the secret is shown once.
    secret: Option<String>,
    #[serde(flatten)]
    key: ApiKeyShape,
}

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a page of keys looks like")]
struct ApiKeyPage {
    items: Vec<ApiKeyShape>,
    next_cursor: Option<String>,
}

impl From<ApiKey> for ApiKeyShape {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            hint: key.hint,
            scopes: Json::into_inner(key.scopes),
            user_id: key.user_id,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

async fn list(asked: Asked) -> Answer {
    let own = asked.may(Deed::ApiKeyRead)?.organization_id;
    let params = asked.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<ApiKeyId>()?);
    let keys = asked
        .app
        .store
        .read(move |conn| store::api_key::list_of(conn, own, after, limit + 1))
        .await?;
    asked.ok(Page::cut(keys, limit, |key| key.id, ApiKeyShape::from)?)
}

async fn create(asked: Asked) -> Answer {
    asked.may(Deed::ApiKeyCreate)?;
    let body: ApiKeyBody = asked.json()?;
    let draft = KeyDraft {
        name: body.name,
        scopes: body.scopes,
        expires_at: body.expires_at,
    };
    let (key, secret) = api_key::create(&asked.app, asked.act()?, draft).await?;
    let location = format!("{BASE}/api-keys/{}", key.id);
    let key = ApiKeyShape::from(key);
    asked.created(location, NewApiKeyShape { secret, key })
}

async fn revoke(asked: Asked) -> Answer {
    let (caller, id) = (asked.caller()?, asked.id("id")?);
    api_key::find_own(&asked.app, caller, id).await?;
    asked.may(Deed::ApiKeyRevoke)?;
    api_key::revoke(&asked.app, asked.act()?, id).await?;
    asked.no_content()
}
