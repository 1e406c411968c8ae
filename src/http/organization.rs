//! `/organizations`: the public directory, what an organization says of itself, and the decisions of its administration.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, Page, reply};
use super::context::RequestContext;
use super::feed::{Changes, Withdrawn};
use super::json::{Members, Patch};
use super::merge_patch::MergePatch;
use super::route::{Route, get, patch, post};
use crate::domain::access::Action;
use crate::domain::contact::PublicContact;
use crate::domain::organization::{OrganizationFacts, OrganizationKind, OrganizationState};
use crate::domain::{Instant, OrganizationId, RegionCode, Uscc};
use crate::error::{AppError, Fault};
use crate::operations::organization::{self, Decision, Declared, OrganizationView};
use crate::operations::run::Reply;
use crate::store::Json;
use crate::store::directory::{Filter, PageStart};
use crate::store::organization::Organization;
use crate::store::page::Key;

pub fn routes() -> Vec<Route> {
    vec![
        get("/organizations", Action::OrganizationList, "The directory of organizations", list)
            .parameters(&[
                "q",
                "kind",
                "state",
                "region",
                "uscc",
                "is_host",
                "lacks_admin",
                "updated_since",
                "limit",
                "cursor",
            ])
            .words::<OrganizationKind>("kind")
            .words::<OrganizationState>("state")
            .answers::<Page<ListedOrganization>>(200),
        get(
            "/organizations/{id}",
            Action::OrganizationRead,
            "An organization: its public part, or all of it to its own people and its administration",
            read,
        )
        .answers::<OrganizationShape>(200)
        .has_etag(true),
        patch(
            "/organizations/{id}",
            Action::OrganizationUpdate,
            "Change what an organization says of itself; a refused one is pending again. Its administration corrects the seat, \
             the kind and the code of a verified one; the province says who supervises it",
            amend,
        )
        .also(Action::OrganizationCorrect)
        .takes::<OrganizationChange>()
        .answers::<OrganizationShape>(200)
        .has_etag(true)
        .needs_version(),
        decision("/organizations/{id}/verify", "Verify an organization", Decision::Verify),
        decision("/organizations/{id}/refuse", "Refuse an organization, with a reason", Decision::Refuse),
        decision("/organizations/{id}/suspend", "Suspend an organization, with a reason", Decision::Suspend),
        decision("/organizations/{id}/resume", "Resume a suspended organization", Decision::Resume),
    ]
}

fn decision(path: &'static str, summary: &'static str, decision: Decision) -> Route {
    post(path, decision.action(), summary, move |context| {
        decide(context, decision)
    })
    .takes::<DecisionBody>()
    .answers::<OrganizationShape>(200)
    .has_etag(true)
}

/// An organization. What is not public is absent for those who may not read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrganizationShape {
    id: OrganizationId,
    name: String,
    kind: OrganizationKind,
    /// The seat.
    region_code: RegionCode,
    is_host: bool,
    /// How many instruments it lists.
    listed_instruments: i64,
    public_contact: Option<PublicContact>,
    version: i64,
    updated_at: Instant,
    #[serde(flatten)]
    inside: Option<InsideShape>,
}

/// What its own people and its administration see besides.
#[derive(Debug, Serialize, ToSchema)]
struct InsideShape {
    uscc: Uscc,
    uscc_confirmed: bool,
    supervising_region_code: RegionCode,
    is_sme: bool,
    state: OrganizationState,
    state_reason: Option<String>,
    address: Option<String>,
    created_at: Instant,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ListedOrganization {
    Organization(Box<OrganizationShape>),
    Withdrawn(Withdrawn),
}

impl OrganizationShape {
    /// Everything, with the number of its listed instruments.
    pub fn whole(row: Organization, listed_instruments: i64) -> Self {
        Self {
            id: row.id,
            name: row.name,
            kind: row.kind,
            region_code: row.region_code,
            is_host: row.is_host,
            listed_instruments,
            public_contact: row.public_contact.map(Json::into_inner),
            version: row.version,
            updated_at: row.updated_at,
            inside: Some(InsideShape {
                uscc: row.uscc,
                uscc_confirmed: row.uscc_confirmed,
                supervising_region_code: row.supervising_region_code,
                is_sme: row.is_sme,
                state: row.state,
                state_reason: row.state_reason,
                address: row.address,
                created_at: row.created_at,
            }),
        }
    }

    fn public(row: Organization, listed_instruments: i64) -> Self {
        Self {
            inside: None,
            ..Self::whole(row, listed_instruments)
        }
    }

    fn seen(view: OrganizationView) -> Self {
        if view.is_whole {
            Self::whole(view.organization, view.listed_instruments)
        } else {
            Self::public(view.organization, view.listed_instruments)
        }
    }
}

async fn list(context: RequestContext) -> Answer {
    let params = context.params()?;
    let limit = params.limit()?;
    let changes = Changes::asked_for(&context, &params).await?;
    let place = match &changes {
        Some(changes) => {
            let (moment, id) = changes.place();
            PageStart::Changed(moment, id)
        }
        None => params
            .cursor::<OrganizationId>()?
            .map_or(PageStart::Start, PageStart::After),
    };
    let filter = Filter {
        names: params.words("q")?,
        kinds: params.all("kind")?,
        states: params.all("state")?,
        regions: params.all("region")?,
        usccs: params.all("uscc")?,
        is_host: params.one("is_host")?,
        lacks_admin: params.one("lacks_admin")?,
        place,
        limit: limit + 1,
        ..Filter::default()
    };
    let found = organization::list(&context.app, &context.reader(), filter).await?;
    let shape = |view: OrganizationView| match view.is_shown() {
        true => ListedOrganization::Organization(Box::new(OrganizationShape::seen(view))),
        false => {
            let row = view.organization;
            ListedOrganization::Withdrawn(Withdrawn::new(row.id, row.updated_at))
        }
    };
    let change = |view: &OrganizationView| {
        let row = &view.organization;
        (row.updated_at, row.id.number())
    };
    context.ok(match changes {
        Some(changes) => changes.found(found, limit, change, shape)?,
        None => Page::cut(found.rows, limit, |view| view.organization.id, shape)?
            .going_on(found.rest.map(Key::id))?,
    })
}

async fn read(context: RequestContext) -> Answer {
    let id = context.id("id")?;
    let view = organization::get(&context.app, &context.reader(), id).await?;
    context.ok_versioned(view.organization.version, OrganizationShape::seen(view))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganizationChange {
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    name: Patch<String>,
    /// Once verified its administration's to change, like the code and the seat.
    #[serde(default)]
    #[schema(value_type = Option<OrganizationKind>)]
    kind: Patch<OrganizationKind>,
    #[serde(default)]
    #[schema(value_type = Option<Uscc>)]
    uscc: Patch<Uscc>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    uscc_confirmed: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<RegionCode>)]
    region_code: Patch<RegionCode>,
    /// The province's to change.
    #[serde(default)]
    #[schema(value_type = Option<RegionCode>)]
    supervising_region_code: Patch<RegionCode>,
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    is_host: Patch<bool>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    address: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Option<PublicContact>)]
    public_contact: Patch<PublicContact>,
}

/// The organization's own to say at any time; and until it is verified, what is verified: the seat, too, which an
/// administration supervises.
const WRITABLE_ALWAYS: &[&str] = &["name", "is_host", "address", "public_contact"];
const WRITABLE_BEFORE: &[&str] = &["kind", "uscc", "uscc_confirmed", "region_code"];

/// Who may change this field of an organization.
fn right_to(field: &str, state: OrganizationState) -> Action {
    let is_settled = match state {
        OrganizationState::Pending | OrganizationState::Refused => false,
        OrganizationState::Verified | OrganizationState::Suspended => true,
    };
    if field == "supervising_region_code" {
        Action::OrganizationHandOver
    } else if WRITABLE_BEFORE.contains(&field) && is_settled {
        Action::OrganizationCorrect
    } else {
        Action::OrganizationUpdate
    }
}

fn writable(rights: &[Action], state: OrganizationState) -> Vec<&'static str> {
    let fields = WRITABLE_ALWAYS.iter().chain(WRITABLE_BEFORE);
    let fields = fields.copied().chain(["supervising_region_code"]);
    fields
        .filter(|field| rights.contains(&right_to(field, state)))
        .collect()
}

impl OrganizationChange {
    fn onto(self, present: &Organization, faults: &mut Vec<Fault>) -> Declared {
        let facts = present.facts();
        let usual = RegionCode::supervising_default(facts.region_code, &facts.uscc);
        let uscc = self.uscc.over("uscc", facts.uscc, faults);
        let seat = self
            .region_code
            .over("region_code", facts.region_code, faults);
        // The usual supervisor follows the seat until the organization is verified.
        let is_settled = present.state == OrganizationState::Verified;
        let supervisor = if facts.supervising_region_code == usual && !is_settled {
            RegionCode::supervising_default(seat, &uscc)
        } else {
            facts.supervising_region_code
        };
        let confirmed = present.uscc_confirmed && uscc == present.uscc;
        let uscc_confirmed = self
            .uscc_confirmed
            .over("uscc_confirmed", confirmed, faults);
        let facts = OrganizationFacts {
            name: self.name.over("name", facts.name, faults),
            kind: self.kind.over("kind", facts.kind, faults),
            uscc,
            region_code: seat,
            supervising_region_code: self.supervising_region_code.over(
                "supervising_region_code",
                supervisor,
                faults,
            ),
            is_host: self.is_host.over("is_host", facts.is_host, faults),
            address: self.address.onto(facts.address),
            public_contact: self.public_contact.onto(facts.public_contact),
        };
        Declared {
            facts,
            uscc_confirmed,
        }
    }
}

async fn amend(context: RequestContext) -> Answer {
    let (run, id) = (context.run(whole)?, context.id("id")?);
    let done = organization::amend(&run, id, context.patch(), declared).await?;
    context.answer(done, whole)
}

fn declared(
    view: &OrganizationView,
    rights: &[Action],
    patch: &MergePatch,
) -> Result<(Declared, Vec<Fault>), AppError> {
    let present = &view.organization;
    let shown = OrganizationShape::whole(present.clone(), view.listed_instruments);
    let writable = writable(rights, present.state);
    let (change, mut faults) =
        patch.onto(&shown, &writable, Members::read::<OrganizationChange>)?;
    Ok((change.onto(present, &mut faults), faults))
}

fn whole(view: &OrganizationView) -> Result<Reply, AppError> {
    let row = &view.organization;
    let shape = OrganizationShape::whole(row.clone(), view.listed_instruments);
    Ok(reply(200, &shape)?.of_version(row.version))
}

#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
struct DecisionBody {
    /// Required to refuse and to suspend.
    reason: Option<String>,
}

async fn decide(context: RequestContext, decision: Decision) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: DecisionBody| body.reason);
    let (run, id) = (context.run(whole)?, context.id("id")?);
    let done = organization::decide(&run, id, decision, reason).await?;
    context.answer(done, whole)
}
