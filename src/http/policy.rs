//! `/policies`: packs as TOML, drafts until they are put in force; their text stays once a run used it.

mod explanation;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, no_content, reply};
use super::context::RequestContext;
use super::reason::ReasonBody;
use super::route::{BASE, Route, delete, get, post, put};
use crate::domain::access::Action;
use crate::domain::policy::{Parameter, PolicyMistake, PolicyState};
use crate::domain::{Instant, PolicyId, UserId, ratio};
use crate::error::text::Language;
use crate::error::{AppError, Code, Fault};
use crate::operations::policy::{self, Sent};
use crate::operations::run::Reply;
use crate::store::policy::Pack;

const TOML: &[&str] = &["application/toml"];

pub fn routes() -> Vec<Route> {
    let mut routes = packs();
    routes.extend(explanation::routes());
    routes
}

fn packs() -> Vec<Route> {
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
        .parameters(&["accept_warnings"])
        .takes_file(TOML)
        .answers::<PolicyShape>(201),
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
        .answers::<PolicyShape>(200),
        put(
            "/policies/{id}",
            Action::PolicyUpdate,
            "Replaces a draft that no run used (TOML, the same code and version)",
            update,
        )
        .parameters(&["accept_warnings"])
        .takes_file(TOML)
        .needs_version()
        .answers::<PolicyShape>(200),
        delete(
            "/policies/{id}",
            Action::PolicyDelete,
            "Removes a draft that no run used",
            remove,
        )
        .answers_status(204),
        post(
            "/policies/{id}/in-force",
            Action::PolicyPutInForce,
            "Puts a draft in force, by another person than its uploader",
            put_in_force,
        )
        .takes::<InForceBody>()
        .answers::<PolicyShape>(200),
        post(
            "/policies/{id}/withdraw",
            Action::PolicyWithdraw,
            "Withdraws a pack in force, for good",
            withdraw,
        )
        .takes::<ReasonBody>()
        .answers::<PolicyShape>(200),
    ]
}

/// `from_on` is the first day on which it rules: today, or a later day.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InForceBody {
    from_on: Option<NaiveDate>,
}

/// A pack. `content` is its TOML text, `digest` the SHA-256 of it, `indicators` are those that experts give points for; lists leave
/// text, indicators and what a run must say out. Stored packs answer also the `warnings` that were accepted. `version` is a part of its name, `row_version` is what `ETag` says.
#[derive(Serialize, ToSchema)]
struct PolicyShape {
    id: PolicyId,
    code: String,
    version: i64,
    title: String,
    digest: String,
    created_at: Instant,
    created_by: Option<UserId>,
    state: PolicyState,
    /// The first day on which it rules.
    from_on: Option<NaiveDate>,
    put_in_force_by: Option<UserId>,
    withdraw_reason: Option<String>,
    row_version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    indicators: Option<Vec<IndicatorShape>>,
    /// What the pack leaves open: a run says these, or takes their defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Vec<ParameterShape>>,
    /// The budgets that a run names; none: it has one without a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pools: Option<Vec<String>>,
    /// The windows (MM-DD) of which a run names one; none: the whole year.
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<Vec<MistakeShape>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
}

/// An indicator that experts give points for, and the most points (decimal text).
#[derive(Serialize, ToSchema)]
struct IndicatorShape {
    id: String,
    max: String,
}

/// A number that the pack leaves open (decimal texts).
#[derive(Serialize, ToSchema)]
struct ParameterShape {
    name: String,
    /// Null: a run must say it.
    default: Option<String>,
    at_least: Option<String>,
    at_most: Option<String>,
}

impl From<Parameter> for ParameterShape {
    fn from(parameter: Parameter) -> Self {
        let said = |value: Option<_>| value.map(|value| ratio::plain(&value));
        Self {
            name: parameter.name,
            default: said(parameter.default),
            at_least: said(parameter.at_least),
            at_most: said(parameter.at_most),
        }
    }
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
            state: pack.state,
            from_on: pack.from_on,
            put_in_force_by: pack.put_in_force_by,
            withdraw_reason: pack.withdraw_reason,
            row_version: pack.row_version,
            indicators: None,
            parameters: None,
            pools: None,
            claims: None,
            warnings: None,
            content: None,
        }
    }
}

/// A pack with its text.
fn whole(pack: &Pack) -> Result<PolicyShape, AppError> {
    let policy = policy::open(pack)?;
    let indicators = policy::indicators(&policy).into_iter();
    let parameters = policy.parameters.into_iter();
    let claims = policy.year.claims.iter();
    Ok(PolicyShape {
        parameters: Some(parameters.map(ParameterShape::from).collect()),
        pools: Some(policy.pools),
        claims: Some(claims.map(ToString::to_string).collect()),
        indicators: Some(
            indicators
                .map(|(id, max)| IndicatorShape { id, max })
                .collect(),
        ),
        content: Some(pack.content.clone()),
        ..pack.clone().into()
    })
}

/// Whether a pack could be stored, and what is wrong with it.
#[derive(Serialize, ToSchema)]
struct PolicyCheckShape {
    valid: bool,
    mistakes: Vec<MistakeShape>,
    /// What is whole but probably wrong.
    warnings: Vec<MistakeShape>,
}

/// One mistake: its line from 1, the path of its key and the reason.
#[derive(Serialize, ToSchema)]
struct MistakeShape {
    line: usize,
    key: String,
    reason: String,
}

impl MistakeShape {
    fn new(mistake: PolicyMistake, language: Language) -> Self {
        Self {
            line: mistake.line,
            key: mistake.key,
            reason: match language {
                Language::Chinese => mistake.reason.zh,
                Language::English => mistake.reason.en,
            },
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
        PolicyShape::from,
    )?;
    context.ok(page)
}

async fn get_one(context: RequestContext) -> Answer {
    let pack = policy::get(&context.app, &context.reader(), context.id("id")).await?;
    context.ok_versioned(pack.row_version, whole(&pack)?)
}

async fn create(context: RequestContext) -> Answer {
    let render: Render = match context.language {
        Language::Chinese => |pack| created(pack, Language::Chinese),
        Language::English => |pack| created(pack, Language::English),
    };
    let done = policy::create(&context.run(render)?, sent(&context)).await?;
    context.answer(done, render)
}

/// How a stored pack is answered. It is kept for replays, in the language of the request.
type Render = fn(&Pack) -> Result<Reply, AppError>;

fn created(pack: &Pack, language: Language) -> Result<Reply, AppError> {
    let at = format!("{BASE}/policies/{}", pack.id);
    let stored = reply(201, &with_warnings(pack, language)?)?.of_version(pack.row_version);
    Ok(stored.at(at))
}

fn updated(pack: &Pack, language: Language) -> Result<Reply, AppError> {
    Ok(reply(200, &with_warnings(pack, language)?)?.of_version(pack.row_version))
}

fn with_warnings(pack: &Pack, language: Language) -> Result<PolicyShape, AppError> {
    let warnings = policy::warnings(pack).into_iter();
    let warnings = warnings.map(|one| MistakeShape::new(one, language));
    Ok(PolicyShape {
        warnings: Some(warnings.collect()),
        ..whole(pack)?
    })
}

fn shown(pack: &Pack) -> Result<Reply, AppError> {
    Ok(reply(200, &whole(pack)?)?.of_version(pack.row_version))
}

async fn update(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let render: Render = match context.language {
        Language::Chinese => |pack| updated(pack, Language::Chinese),
        Language::English => |pack| updated(pack, Language::English),
    };
    let done = policy::update(&context.run(render)?, id, sent(&context)).await?;
    context.answer(done, render)
}

async fn remove(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let done = policy::delete(&context.run(no_content)?, id, context.no_body()).await?;
    context.answer(done, no_content)
}

async fn put_in_force(context: RequestContext) -> Answer {
    let body = context.body_or_default();
    let from_on = body.map(|body: InForceBody| body.from_on);
    let done = policy::put_in_force(&context.run(shown)?, context.id("id")?, from_on).await?;
    context.answer(done, shown)
}

async fn withdraw(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = policy::withdraw(&context.run(shown)?, context.id("id")?, reason).await?;
    context.answer(done, shown)
}

async fn check(context: RequestContext) -> Answer {
    let found = policy::check(&context.reader(), text(&context))?;
    let shapes = |told: Vec<PolicyMistake>| {
        let shape = |one| MistakeShape::new(one, context.language);
        told.into_iter().map(shape).collect()
    };
    context.ok(PolicyCheckShape {
        valid: found.mistakes.is_empty(),
        mistakes: shapes(found.mistakes),
        warnings: shapes(found.warnings),
    })
}

fn sent(context: &RequestContext) -> Result<Sent, AppError> {
    let accepts = context.params()?.one("accept_warnings")?;
    Ok(Sent {
        content: text(context)?,
        accepts_warnings: accepts.unwrap_or(false),
    })
}

fn text(context: &RequestContext) -> Result<String, AppError> {
    let bytes = context.file(TOML)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let fault = Fault::request(Code::invalid_value).limit("UTF-8");
        AppError::Malformed(vec![fault])
    })
}
