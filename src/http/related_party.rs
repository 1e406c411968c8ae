//! `/organizations/{id}/related-parties`: whose use is not external.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::{Instant, OrganizationId, RelatedPartyId};
use crate::error::AppError;
use crate::operations::related_party::{self, RelatedPartyView, Relation};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/organizations/{id}/related-parties",
            Action::RelatedPartyList,
            "The related parties of an organization, whoever entered them",
            list,
        )
        .parameters(&["limit", "cursor"])
        .answers::<Page<RelatedPartyShape>>(200),
        post(
            "/organizations/{id}/related-parties",
            Action::RelatedPartyAdd,
            "Declare a related party; verified when the administration enters it",
            add,
        )
        .takes::<RelatedPartyBody>()
        .answers::<RelatedPartyShape>(201)
        .ignores_version(),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RelatedPartyBody {
    /// The other organization.
    #[serde(alias = "related_organization_id")]
    organization_id: OrganizationId,
    /// In what way.
    relation: Option<String>,
    /// By default from now on.
    since: Option<Instant>,
    /// Exclusive; absent: until further notice.
    until: Option<Instant>,
}

#[derive(Serialize, ToSchema)]
struct RelatedPartyShape {
    id: RelatedPartyId,
    /// The other organization, seen from the one asked for.
    organization_id: OrganizationId,
    relation: Option<String>,
    since: Instant,
    until: Option<Instant>,
    verified: bool,
    verified_at: Option<Instant>,
    created_at: Instant,
}

impl From<RelatedPartyView> for RelatedPartyShape {
    fn from(RelatedPartyView { seen_from, party }: RelatedPartyView) -> Self {
        let other = if party.organization_id == seen_from {
            party.related_organization_id
        } else {
            party.organization_id
        };
        Self {
            id: party.id,
            organization_id: other,
            relation: party.relation,
            since: party.since,
            until: party.until,
            verified: party.verified_at.is_some(),
            verified_at: party.verified_at,
            created_at: party.created_at,
        }
    }
}

impl From<RelatedPartyBody> for Relation {
    fn from(body: RelatedPartyBody) -> Self {
        Self {
            other: body.organization_id,
            relation: body.relation,
            since: body.since,
            until: body.until,
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let (reader, id) = (context.reader(), context.id("id")?);
    let parties = related_party::list(&context.app, &reader, id, context.page()).await?;
    let (limit, key) = (context.params()?.limit()?, |view: &RelatedPartyView| {
        view.party.id
    });
    context.ok(Page::cut(parties, limit, key, RelatedPartyShape::from)?)
}

async fn add(context: RequestContext) -> Answer {
    let relation = context.body::<RelatedPartyBody>().map(Into::into);
    let (run, id) = (context.run(added)?, context.id("id")?);
    context.answer(related_party::add(&run, id, relation).await?, added)
}

fn added(view: &RelatedPartyView) -> Result<Reply, AppError> {
    let reply = reply(201, &RelatedPartyShape::from(view.clone()))?;
    Ok(reply.at(format!(
        "{BASE}/organizations/{}/related-parties",
        view.seen_from
    )))
}
