//! `/policies`: packs as TOML, immutable once stored.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::policy::PolicyMistake;
use crate::domain::{Instant, PolicyId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::policy;
use crate::operations::run::Reply;
use crate::store::policy::Pack;

const TOML: &[&str] = &["application/toml"];

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/policies",
            Action::PolicyList,
            "Policy packs, oldest first",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<PolicyShape>>(200),
        post(
            "/policies",
            Action::PolicyCreate,
            "Stores a pack (TOML)",
            create,
        )
        .takes_file(TOML)
        .answers::<PolicyShape>(201)
        // The version of a pack is a part of its name: packs never change.
        .has_etag(false),
        post(
            "/policies/check",
            Action::PolicyCheck,
            "Tells every mistake of a pack",
            check,
        )
        .takes_file(TOML)
        .answers::<PolicyCheckShape>(200),
        get(
            "/policies/{id}",
            Action::PolicyGet,
            "A pack with its text",
            get_one,
        )
        .answers::<PolicyShape>(200)
        .has_etag(false),
    ]
}

/// A pack. `content` is its TOML text, `digest` the SHA-256 of it; lists leave the text out.
#[derive(Serialize, ToSchema)]
struct PolicyShape {
    id: PolicyId,
    code: String,
    version: i64,
    title: String,
    digest: String,
    created_at: Instant,
    created_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

impl From<Pack> for PolicyShape {
    fn from(pack: Pack) -> Self {
        Self {
            id: pack.id,
            code: pack.code,
            version: pack.version,
            title: pack.title,
            digest: pack.digest,
            created_at: pack.created_at,
            created_by: pack.created_by,
            content: Some(pack.content),
        }
    }
}

/// Whether a pack could be stored, and what is wrong with it.
#[derive(Serialize, ToSchema)]
struct PolicyCheckShape {
    valid: bool,
    mistakes: Vec<MistakeShape>,
}

/// One mistake: its line from 1, the path of its key and the reason.
#[derive(Serialize, ToSchema)]
struct MistakeShape {
    line: usize,
    key: String,
    reason: String,
}

impl From<PolicyMistake> for MistakeShape {
    fn from(mistake: PolicyMistake) -> Self {
        Self {
            line: mistake.line,
            key: mistake.key,
            reason: mistake.reason,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let page = context.params().and_then(|params| {
        let after: Option<PolicyId> = params.cursor()?;
        Ok((after, params.limit()? + 1))
    });
    let packs = policy::list(&context.app, &context.reader(), page).await?;
    let page = Page::cut(
        packs,
        context.params()?.limit()?,
        |pack| pack.id,
        |pack| PolicyShape {
            content: None,
            ..pack.into()
        },
    )?;
    context.ok(page)
}

async fn get_one(context: RequestContext) -> Answer {
    let pack = policy::get(&context.app, &context.reader(), context.id("id")).await?;
    context.ok(PolicyShape::from(pack))
}

async fn create(context: RequestContext) -> Answer {
    let done = policy::create(&context.run(created)?, text(&context)).await?;
    context.answer(done, created)
}

fn created(pack: &Pack) -> Result<Reply, AppError> {
    let at = format!("{BASE}/policies/{}", pack.id);
    Ok(reply(201, &PolicyShape::from(pack.clone()))?.at(at))
}

async fn check(context: RequestContext) -> Answer {
    let mistakes = policy::check(&context.reader(), text(&context))?;
    context.ok(PolicyCheckShape {
        valid: mistakes.is_empty(),
        mistakes: mistakes.into_iter().map(MistakeShape::from).collect(),
    })
}

fn text(context: &RequestContext) -> Result<String, AppError> {
    let bytes = context.file(TOML)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let fault = Fault::request(Code::invalid_value).limit("UTF-8");
        AppError::Malformed(vec![fault])
    })
}
