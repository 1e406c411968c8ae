//! Related parties: whose use of a host's instruments is not external. Symmetric, not transitive. What an organization
//! declares waits for the administration; what the administration enters is verified, also if it was declared before.

use serde::Serialize;

use crate::app::App;
use crate::domain::access::{Action, Role};
use crate::domain::fault::Faults;
use crate::domain::{Instant, OrganizationId, RelatedPartyId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::organization::reach;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{self, Ties, load};
use crate::store::event::Subject;
use crate::store::organization::Organization;
use crate::store::related_party::{NewRelatedParty, RelatedParty};
use crate::store::{self, Conn, Lock};

/// A relation as somebody enters it.
#[derive(Debug, Clone)]
pub struct Relation {
    pub other: OrganizationId,
    pub relation: Option<String>,
    /// `None`: from now on.
    pub since: Option<Instant>,
    pub until: Option<Instant>,
}

/// What the trail shows of a relation.
#[derive(Serialize)]
struct Trace {
    organization_id: OrganizationId,
    related_organization_id: OrganizationId,
    since: Instant,
    until: Option<Instant>,
    verified_at: Option<Instant>,
}

impl Trace {
    fn of(party: &RelatedParty) -> Self {
        Self {
            organization_id: party.organization_id,
            related_organization_id: party.related_organization_id,
            since: party.since,
            until: party.until,
            verified_at: party.verified_at,
        }
    }
}

/// A relation as one of the two sees it.
#[derive(Debug, Clone)]
pub struct RelatedPartyView {
    pub seen_from: OrganizationId,
    pub party: RelatedParty,
}

/// The first organization, of which a relation to the second one is recorded.
struct Declarant {
    organization: Organization,
}

impl subject::Subject for Declarant {
    type Id = (OrganizationId, OrganizationId);

    /// Locks both, in one order, so that two declarations wait for each other; and no yearly run is frozen meanwhile.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: Self::Id) -> Result<Self, AppError> {
        for organization in [id.0.min(id.1), id.0.max(id.1)] {
            Lock::Organization(organization).take(tx)?;
        }
        Lock::RecordsShared.take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, (id, _): Self::Id) -> Result<Self, AppError> {
        let organization = store::organization::get(conn, id)?;
        Ok(Self { organization })
    }

    fn ties(&self) -> Ties {
        Ties::Organization(self.organization.ties())
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// The related parties of an organization, whoever entered them: after an id, at most so many.
pub async fn list(
    app: &App,
    actor: &Actor,
    id: OrganizationId,
    page: Result<(Option<RelatedPartyId>, i64), AppError>,
) -> Result<Vec<RelatedPartyView>, AppError> {
    let actor = actor.clone();
    let view = move |party| RelatedPartyView {
        seen_from: id,
        party,
    };
    app.store
        .read(move |conn| {
            load::<Organization>(conn, &actor, Action::RelatedPartyList, id)?;
            let (after, limit) = page?;
            let parties = store::related_party::list_of(conn, id, after, limit)?;
            Ok(parties.into_iter().map(view).collect())
        })
        .await
}

/// Records a relation. 409 `related_party_exists` when the two are related in that time already.
pub async fn add(
    run: &Run<RelatedPartyView>,
    id: OrganizationId,
    relation: Result<Relation, AppError>,
) -> Outcome<RelatedPartyView> {
    let relation = match relation {
        Ok(relation) => relation,
        Err(fault) => return run.refuse::<Organization>(id, fault).await,
    };
    let both = (id, relation.other);
    run.on(
        both,
        Ok(relation),
        move |tx, actor, _: Declarant, relation| {
            let party = record(tx, actor, id, relation)?;
            Ok(RelatedPartyView {
                seen_from: id,
                party,
            })
        },
    )
    .await
}

fn record(
    tx: &mut Conn,
    actor: &Actor,
    id: OrganizationId,
    relation: &Relation,
) -> Result<RelatedParty, AppError> {
    let mut new = checked(tx, actor, id, relation)?;
    if let Some(verified_at) = &mut new.verified_at {
        *verified_at = store::yearly_run::after_freezes(tx, *verified_at)?;
    }
    let overlapping = store::related_party::list_between(tx, id, relation.other)?
        .into_iter()
        .find(|known| overlap(known, &new));
    let (before, number) = match overlapping {
        Some(declared) if new.verified_at.is_some() && declared.verified_at.is_none() => {
            store::related_party::update_verified(tx, declared.id, &new)?;
            let number = declared.id;
            (Some(declared), number)
        }
        Some(known) => {
            return Err(AppError::conflict(Code::related_party_exists)
                .with("existing_id", known.id.number()));
        }
        None => (None, store::related_party::insert(tx, &new)?),
    };
    let party = store::related_party::get(tx, number)?;
    let mut event = actor
        .event(
            Action::RelatedPartyAdd,
            Subject::new("related_party", number),
        )
        .of(id, Some(relation.other))
        .after(Trace::of(&party))?;
    if let Some(before) = &before {
        event = event.before(Trace::of(before))?;
    }
    store::event::append(tx, &event)?;
    Ok(party)
}

fn checked(
    tx: &mut Conn,
    actor: &Actor,
    id: OrganizationId,
    relation: &Relation,
) -> Result<NewRelatedParty, AppError> {
    let mut faults = Faults::new();
    let since = relation.since.unwrap_or(actor.now);
    if relation.other == id {
        faults.push(Fault::field("organization_id", Code::related_to_itself));
    } else if !sees(tx, actor, relation.other)? {
        faults
            .push(Fault::field("organization_id", Code::unknown_reference).actual(relation.other));
    }
    faults.optional_text("relation", relation.relation.as_deref(), 100);
    if let Some(until) = relation.until.filter(|until| *until <= since) {
        let limit = format!("since {since}");
        faults.push(
            Fault::field("until", Code::dates_out_of_order)
                .limit(limit)
                .actual(until),
        );
    }
    faults.into_result()?;
    let by_administration =
        actor.caller()?.has(Role::PlatformAdmin) || actor.caller()?.has(Role::RegionAdmin);
    Ok(NewRelatedParty {
        organization_id: id,
        related_organization_id: relation.other,
        relation: relation.relation.clone(),
        since,
        until: relation.until,
        verified_at: by_administration.then_some(actor.now),
        now: actor.now,
    })
}

/// Whether the caller sees the other organization.
fn sees(tx: &mut Conn, actor: &Actor, other: OrganizationId) -> Result<bool, AppError> {
    match store::organization::get(tx, other) {
        Ok(other) => {
            let ties = other.ties();
            Ok(ties.is_public || reach(actor).covers_organization(&ties))
        }
        Err(store::StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn overlap(known: &RelatedParty, new: &NewRelatedParty) -> bool {
    known.until.is_none_or(|until| new.since < until)
        && new.until.is_none_or(|until| known.since < until)
}
