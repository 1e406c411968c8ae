//! `/api-keys`: the keys of the caller's organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::route::{BASE, Route, delete, get, post};
use crate::domain::access::{Action, ApiScope};
use crate::domain::{ApiKeyId, Instant, UserId};
use crate::operations::api_key::{self, KeyDraft};
use crate::store::api_key::ApiKey;
use crate::store::{self, Json};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/api-keys",
            Action::ApiKeyList,
            "The organization's API keys",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<ApiKeyShape>>(200),
        post(
            "/api-keys",
            Action::ApiKeyCreate,
            "Make an API key; its secret is shown once",
            create,
        )
        .takes::<ApiKeyBody>()
        .answers::<NewApiKeyShape>(201),
        delete(
            "/api-keys/{id}",
            Action::ApiKeyRevoke,
            "End an API key",
            revoke,
        )
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

async fn list(context: RequestContext) -> Answer {
    let own = context.may(Action::ApiKeyList)?.organization_id;
    let params = context.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<ApiKeyId>()?);
    let keys = context
        .app
        .store
        .read(move |conn| store::api_key::list_of(conn, own, after, limit + 1))
        .await?;
    context.ok(Page::cut(keys, limit, |key| key.id, ApiKeyShape::from)?)
}

async fn create(context: RequestContext) -> Answer {
    context.may(Action::ApiKeyCreate)?;
    let body: ApiKeyBody = context.json()?;
    let draft = KeyDraft {
        name: body.name,
        scopes: body.scopes,
        expires_at: body.expires_at,
    };
    let (key, secret) = api_key::create(&context.app, context.actor()?, draft).await?;
    let location = format!("{BASE}/api-keys/{}", key.id);
    let key = ApiKeyShape::from(key);
    context.created(location, NewApiKeyShape { secret, key })
}

async fn revoke(context: RequestContext) -> Answer {
    let (caller, id) = (context.caller()?, context.id("id")?);
    api_key::find_own(&context.app, caller, id).await?;
    context.may(Action::ApiKeyRevoke)?;
    api_key::revoke(&context.app, context.actor()?, id).await?;
    context.no_content()
}
