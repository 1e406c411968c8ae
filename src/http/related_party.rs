//! `/organizations/{id}/related-parties`: whose use is not external.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::route::{BASE, Route, get, post};
use crate::domain::access::Action;
use crate::domain::{Instant, OrganizationId, RelatedPartyId};
use crate::operations::organization;
use crate::operations::related_party::{self, Relation};
use crate::store;
use crate::store::related_party::RelatedParty;

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

impl RelatedPartyShape {
    fn seen_from(organization: OrganizationId, party: RelatedParty) -> Self {
        let other = if party.organization_id == organization {
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

async fn list(context: RequestContext) -> Answer {
    let (caller, id) = (context.caller()?, context.id("id")?);
    organization::admit(&context.app, caller, id, Action::RelatedPartyList).await?;
    let params = context.params()?;
    let (limit, after) = (params.limit()?, params.cursor::<RelatedPartyId>()?);
    let parties = context
        .app
        .store
        .read(move |conn| store::related_party::list_of(conn, id, after, limit + 1))
        .await?;
    let shape = |party| RelatedPartyShape::seen_from(id, party);
    context.ok(Page::cut(parties, limit, |party| party.id, shape)?)
}

async fn add(context: RequestContext) -> Answer {
    let (caller, id): (_, OrganizationId) = (context.caller()?, context.id("id")?);
    organization::admit(&context.app, caller, id, Action::RelatedPartyAdd).await?;
    let body: RelatedPartyBody = context.json()?;
    let relation = Relation {
        other: body.organization_id,
        relation: body.relation,
        since: body.since,
        until: body.until,
    };
    let party = related_party::add(&context.app, context.actor()?, id, relation).await?;
    let location = format!("{BASE}/organizations/{id}/related-parties");
    context.created(location, RelatedPartyShape::seen_from(id, party))
}
