//! Related parties: whose use of a host's instruments is not external. Symmetric, not transitive. What an organization
//! declares waits for the administration; what the administration enters is verified, also if it was declared before.

use serde::Serialize;

use crate::app::App;
use crate::domain::access::{Action, Role};
use crate::domain::fault::Faults;
use crate::domain::{Instant, OrganizationId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::organization::{admit_in, reach};
use crate::operations::run::perform;
use crate::store::event::Subject;
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

/// Records a relation. 409 `related_party_exists` when the two are related in that time already.
pub async fn add(
    app: &App,
    actor: Actor,
    id: OrganizationId,
    relation: Relation,
) -> Result<RelatedParty, AppError> {
    perform(app, &actor.clone(), move |tx| {
        admit_in(tx, actor.caller()?, id, Action::RelatedPartyAdd)?;
        let mut new = checked(tx, &actor, id, &relation)?;
        // Both, in one order, so that two declarations wait for each other.
        for organization in [id.min(relation.other), id.max(relation.other)] {
            Lock::Organization(organization).take(tx)?;
        }
        Lock::RecordsShared.take(tx)?;
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
    })
    .await
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
            Ok(ties.is_public || reach(Some(actor.caller()?)).covers_organization(&ties))
        }
        Err(store::StoreError::NotFound) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn overlap(known: &RelatedParty, new: &NewRelatedParty) -> bool {
    known.until.is_none_or(|until| new.since < until)
        && new.until.is_none_or(|until| known.since < until)
}
