//! Findings: looked for in what a freeze reads, beside the writer; read by the province and its auditors, and by the host those shown
//! to it. What looks seriously wrong and is undecided stops finality.

pub mod decide;
pub(crate) mod effect;
pub mod scan;

use serde_json::json;

use crate::app::App;
use crate::domain::access::{Action, FindingReach, FindingTies};
use crate::domain::finding::{FindingRule, Findings, Found};
use crate::domain::{Instant, TooLarge};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::may;
use crate::operations::subject::{self, Subject as Noun, Ties};
use crate::store::event::{self, NewEvent, Subject};
use crate::store::finding as rows;
use crate::store::finding::record::{self, FindingRecord};
use crate::store::job::Job;
use crate::store::yearly_input::{self, Scope};
use crate::store::{self, Conn, Lock, StoreError};

// What the command line needs to name a finding and what is decided of it.
pub use crate::domain::finding::{FindingEffect, FindingState, sentence};
pub use crate::domain::policy::Grade;
pub use crate::domain::{FindingId, UsageRecordId};
pub use crate::store::finding::{Filter, Finding};

/// What looks wrong in the year, rule by rule.
pub(crate) fn look(conn: &mut Conn, scope: &Scope) -> Result<Vec<Found>, AppError> {
    let mut all = Vec::new();
    for rule in yearly_input::list_suspected(conn, scope)? {
        let mut findings = Findings::of(rule);
        let candidates = yearly_input::list_candidates(conn, scope, rule)?;
        let is_cut = candidates.is_cut;
        for candidate in candidates.each() {
            let added = candidate.and_then(|candidate| findings.add(&candidate));
            added.map_err(|TooLarge| too_much(rule))?;
        }
        let mut found: Vec<Found> = findings.finish(is_cut).collect();
        let is_of_two = found.iter().any(|one| one.counterpart_id.is_some());
        if is_of_two {
            yearly_input::read_records_of_two(conn, scope, (rule, &mut found))?;
        }
        all.extend(found);
    }
    Ok(all)
}

/// Why a freeze fails that no number holds the money of.
fn too_much(rule: FindingRule) -> AppError {
    AppError::internal(format!(
        "what the records of {rule} come to is more than 64 bits; correct their charges"
    ))
}

/// Writes what was found, each once, with an event where something changed; answers how many.
pub(crate) fn record(
    tx: &mut Conn,
    job: &Job,
    year: i32,
    found: &[Found],
    now: Instant,
) -> Result<usize, AppError> {
    Lock::Findings.take(tx)?;
    let mut changed = 0;
    for one in found {
        let Some(written) = rows::record(tx, i64::from(year), one, now)? else {
            continue;
        };
        changed += 1;
        let mut event = NewEvent::new(
            now,
            Action::FindingFind,
            Subject::new("finding", written.id),
        );
        event.actor_user_id = job.actor_user_id;
        event.actor_organization_id = job.actor_organization_id;
        event.request_id.clone_from(&job.request_id);
        if let Some(before) = written.before {
            event = event.before(json!({ "state": before }))?;
        }
        let after =
            json!({ "state": written.after, "year": year, "rule": one.rule, "count": one.records });
        event::append(tx, &event.after(after)?)?;
    }
    if changed > 0 {
        // Drafts and what is published were graded without knowing it.
        store::yearly_run::update_to_stale(tx, i64::from(year), now)?;
    }
    Ok(changed)
}

/// The findings that the filter asks for and the caller reads, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Finding>, AppError> {
    may(actor, Action::FindingList)?;
    let (mut filter, reach) = (filter?, FindingReach::of(actor.caller()?));
    if !reach.everything {
        filter.assigned_to = reach.host;
    }
    let found = app.store.read(move |conn| rows::list(conn, &filter)).await;
    found.map_err(|error: StoreError| error.into())
}

/// One finding; 404 when it is not the caller's to read.
pub async fn get(app: &App, actor: &Actor, id: FindingId) -> Result<Finding, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| subject::load(conn, &actor, Action::FindingGet, id))
        .await
}

/// A page of the records that a finding is about.
pub async fn records(
    app: &App,
    actor: &Actor,
    id: FindingId,
    page: Result<(Option<UsageRecordId>, i64), AppError>,
) -> Result<Vec<FindingRecord>, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            subject::load::<Finding>(conn, &actor, Action::FindingRecordList, id)?;
            let (after, limit) = page?;
            Ok(record::list(conn, id, after, limit)?)
        })
        .await
}

impl Noun for Finding {
    type Id = FindingId;

    fn lock_and_load(tx: &mut Conn, _: &Actor, id: FindingId) -> Result<Self, AppError> {
        Ok(rows::get_locked(tx, id)?)
    }

    fn load(conn: &mut Conn, _: &Actor, id: FindingId) -> Result<Self, AppError> {
        Ok(rows::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Finding(FindingTies {
            organization_id: self.organization_id,
            is_assigned: self.due_on.is_some(),
        })
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// 409 `findings_open` while nobody decided of what looks seriously wrong in the year.
pub(super) fn refuse_undecided(tx: &mut Conn, year: i64) -> Result<(), AppError> {
    let ids = rows::list_undecided(tx, year)?;
    let ids: Vec<i64> = ids.into_iter().map(FindingId::number).collect();
    match ids.is_empty() {
        true => Ok(()),
        false => Err(AppError::conflict(Code::findings_open).with("ids", ids)),
    }
}
