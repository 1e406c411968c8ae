//! Certifications of units, set by whoever supervises them. Whether a unit is a small or medium enterprise follows from them:
//! at once, and by itself on the day on which one begins or ends.

mod import;

pub use import::{ImportRow, ImportTable, Imported, import, may_get_template};

use serde_json::json;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::certification::{self, Certification};
use crate::domain::{Instant, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, work};
use crate::operations::subject::{Subject as _, load};
use crate::store::event::Subject;
use crate::store::organization::Organization;
use crate::store::{self, Conn};

/// So many organizations follow their certifications at once.
const BATCH: i64 = 200;

/// The certifications of an organization, with its version.
#[derive(Debug, Clone)]
pub struct Certified {
    pub organization_id: OrganizationId,
    pub version: i64,
    pub items: Vec<Certification>,
}

impl Certified {
    fn of(conn: &mut Conn, id: OrganizationId) -> Result<Self, AppError> {
        Ok(Self {
            organization_id: id,
            version: store::organization::get(conn, id)?.version,
            items: store::certification::list(conn, id)?,
        })
    }
}

/// What an organization is certified as.
pub async fn list(app: &App, actor: &Actor, id: OrganizationId) -> Result<Certified, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            load::<Organization>(conn, &actor, Action::CertificationList, id)?;
            Certified::of(conn, id)
        })
        .await
}

/// Says what an organization is certified as; what is not named is so no longer.
pub async fn update(
    run: &Run<Certified>,
    id: OrganizationId,
    items: Result<Vec<Certification>, AppError>,
) -> Outcome<Certified> {
    run.on(id, items, |tx, actor, organization: Organization, items| {
        certification::check(items)?;
        let before = store::certification::list(tx, organization.id)?;
        if before != *items {
            record(tx, actor, &organization, (&before, items))?;
        }
        Certified::of(tx, organization.id)
    })
    .await
}

/// Writes what an organization is certified as from now on, with what follows from it today.
fn record(
    tx: &mut Conn,
    actor: &Actor,
    organization: &Organization,
    (before, after): (&[Certification], &[Certification]),
) -> Result<(), AppError> {
    store::certification::replace(tx, organization.id, after)?;
    let is_sme = certification::is_sme(after, actor.now.local_date());
    let now = store::yearly_run::after_freezes(tx, actor.now)?;
    store::organization::update_is_sme(tx, organization, is_sme, now)?;
    let subject = Subject::new("organization", organization.id);
    let event = actor
        .event(Action::CertificationUpdate, subject)
        .of(organization.id, None)
        .before(json!({"items": before, "is_sme": organization.is_sme}))?
        .after(json!({"items": after, "is_sme": is_sme}))?;
    store::event::append(tx, &event)?;
    Ok(())
}

/// Lets organizations follow the certifications that began or ended; answers how many did.
pub async fn follow(app: &App, now: Instant) -> Result<usize, AppError> {
    let day = now.local_date();
    let differing = app
        .store
        .read(move |conn| store::certification::list_differing(conn, day, BATCH))
        .await
        .map_err(AppError::from)?;
    let mut followed = 0;
    for id in differing {
        followed += usize::from(work(app, move |tx| follow_one(tx, id, now)).await?);
    }
    Ok(followed)
}

fn follow_one(tx: &mut Conn, id: OrganizationId, now: Instant) -> Result<bool, AppError> {
    let actor = Actor::system(now);
    let organization = Organization::lock_and_load(tx, &actor, id)?;
    let items = store::certification::list(tx, id)?;
    let is_sme = certification::is_sme(&items, now.local_date());
    if is_sme == organization.is_sme {
        return Ok(false);
    }
    let moment = store::yearly_run::after_freezes(tx, now)?;
    store::organization::update_is_sme(tx, &organization, is_sme, moment)?;
    let subject = Subject::new("organization", id);
    let event = actor
        .event(Action::OrganizationReclassify, subject)
        .of(id, None)
        .before(json!({"is_sme": organization.is_sme}))?
        .after(json!({"is_sme": is_sme}))?;
    store::event::append(tx, &event)?;
    Ok(true)
}
