//! `/api-keys`: the keys of the caller's organization.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply_once};
use super::context::RequestContext;
use super::route::{BASE, Route, delete, get, post};
use crate::domain::access::{Action, ApiScope};
use crate::domain::{ApiKeyId, Instant, UserId};
use crate::error::AppError;
use crate::operations::api_key::{self, KeyDraft, NewKey};
use crate::operations::run::Reply;
use crate::store::Json;
use crate::store::api_key::ApiKey;

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
    /// Scopes of actions that the caller's roles allow.
    #[schema(value_type = Vec<ApiScope>)]
    scopes: Vec<String>,
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

impl From<ApiKeyBody> for KeyDraft {
    fn from(body: ApiKeyBody) -> Self {
        Self {
            name: body.name,
            scopes: body.scopes,
            expires_at: body.expires_at,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let keys = api_key::list(&context.app, &context.reader(), context.page()).await?;
    let limit = context.params()?.limit()?;
    context.ok(Page::cut(keys, limit, |key| key.id, ApiKeyShape::from)?)
}

async fn create(context: RequestContext) -> Answer {
    let draft = context.body::<ApiKeyBody>().map(Into::into);
    let done = api_key::create(&context.run(created)?, draft).await?;
    context.answer(done, created)
}

fn created(new: &NewKey) -> Result<Reply, AppError> {
    let shape = |secret| NewApiKeyShape {
        secret,
        key: new.key.clone().into(),
    };
    let reply = reply_once(201, &shape(Some(new.secret.clone())), &shape(None))?;
    Ok(reply.at(format!("{BASE}/api-keys/{}", new.key.id)))
}

async fn revoke(context: RequestContext) -> Answer {
    let (run, id) = (context.run(no_content)?, context.id("id")?);
    context.answer(
        api_key::revoke(&run, id, context.no_body()).await?,
        no_content,
    )
}
