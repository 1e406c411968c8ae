//! `/policies`: packs as TOML, immutable once stored.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::asked::Asked;
use super::routes::{Route, get, post};
use crate::domain::access::Deed;
use crate::domain::policy::PolicyMistake;
use crate::domain::{Instant, PolicyId, UserId};
use crate::error::{AppError, Code, Fault};
use crate::operations::{policy, policy_pack};
use crate::store;
use crate::store::policy::Pack;

const TOML: &[&str] = &["application/toml"];

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/policies",
            "policy_list",
            "Policy packs, oldest first",
            list,
        )
        .deed(Deed::PolicyRead)
        .parameters(&["limit", "cursor"])
        .answers::<PolicyPage>(200),
        post("/policies", "policy_create", "Stores a pack (TOML)", create)
            .deed(Deed::PolicyCreate)
            .takes_file(TOML)
            .answers::<PolicyShape>(201),
        post(
            "/policies/check",
            "policy_check",
            "Tells every mistake of a pack",
            check,
        )
        .deed(Deed::PolicyCheck)
        .takes_file(TOML)
        .answers::<PolicyCheckShape>(200),
        get(
            "/policies/{id}",
            "policy_get",
            "A pack with its text",
            get_one,
        )
        .deed(Deed::PolicyRead)
        .answers::<PolicyShape>(200),
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

/// Only for the API document.
#[derive(ToSchema)]
#[allow(dead_code, reason = "says what a page of packs looks like")]
struct PolicyPage {
    items: Vec<PolicyShape>,
    next_cursor: Option<String>,
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

async fn list(asked: Asked) -> Answer {
    asked.may(Deed::PolicyRead)?;
    let params = asked.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<PolicyId>()?);
    let packs = asked
        .app
        .store
        .read(move |conn| store::policy::list(conn, after, limit + 1).map_err(AppError::from))
        .await?;
    let page = Page::cut(
        packs,
        limit,
        |pack| pack.id,
        |pack| PolicyShape {
            content: None,
            ..pack.into()
        },
    )?;
    asked.ok(page)
}

async fn get_one(asked: Asked) -> Answer {
    asked.may(Deed::PolicyRead)?;
    let pack = read(&asked, asked.id("id")?).await?;
    asked.ok(PolicyShape::from(pack))
}

async fn create(asked: Asked) -> Answer {
    asked.may(Deed::PolicyCreate)?;
    let content = text(&asked)?;
    let id = policy::create(&asked.app, &asked.act()?.into(), content).await?;
    let pack = read(&asked, id).await?;
    asked.created(format!("/api/v1/policies/{id}"), PolicyShape::from(pack))
}

async fn check(asked: Asked) -> Answer {
    asked.may(Deed::PolicyCheck)?;
    let mistakes = policy_pack::read(&text(&asked)?).err().unwrap_or_default();
    asked.ok(PolicyCheckShape {
        valid: mistakes.is_empty(),
        mistakes: mistakes.into_iter().map(MistakeShape::from).collect(),
    })
}

fn text(asked: &Asked) -> Result<String, AppError> {
    let bytes = asked.file(TOML)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let fault = Fault::request(Code::invalid_value).limit("UTF-8");
        AppError::Malformed(vec![fault])
    })
}

async fn read(asked: &Asked, id: PolicyId) -> Result<Pack, AppError> {
    let get = move |conn: &mut store::Conn| store::policy::get(conn, id).map_err(AppError::from);
    asked.app.store.read(get).await
}
