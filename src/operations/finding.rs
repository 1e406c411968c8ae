//! Findings: looked for in what a freeze reads, beside the writer, read by the province and its auditors, and decided by the
//! province with a text. What looks seriously wrong and is undecided stops finality.

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::finding::{FindingDecision, FindingEffect, FindingRule, Findings, Found};
use crate::domain::{FindingId, Instant, Reason};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may, personal};
use crate::operations::subject::{Subject as Noun, Ties};
use crate::store::event::{self, Subject};
use crate::store::finding::{self as rows, Filter, Finding};
use crate::store::yearly_input::{self, Scope};
use crate::store::{Conn, StoreError};

/// What looks wrong in the year, rule by rule.
pub(crate) fn look(conn: &mut Conn, scope: &Scope) -> Result<Vec<Found>, AppError> {
    let mut all = Vec::new();
    for rule in FindingRule::ALL {
        let mut findings = Findings::of(*rule);
        yearly_input::each_candidate(conn, scope, *rule, |candidate| findings.add(candidate))?;
        all.extend(findings.finish());
    }
    Ok(all)
}

/// Writes what was found, each once.
pub(crate) fn record(
    tx: &mut Conn,
    year: i32,
    found: &[Found],
    now: Instant,
) -> Result<(), AppError> {
    for one in found {
        rows::record(tx, i64::from(year), one, now)?;
    }
    Ok(())
}

/// The findings that the filter asks for, at most its limit.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Finding>, AppError> {
    may(actor, Action::FindingList)?;
    let filter = filter?;
    let found = app.store.read(move |conn| rows::list(conn, &filter)).await;
    found.map_err(|error: StoreError| error.into())
}

/// One finding.
pub async fn get(app: &App, actor: &Actor, id: FindingId) -> Result<Finding, AppError> {
    may(actor, Action::FindingGet)?;
    let found = app.store.read(move |conn| rows::get(conn, id)).await;
    found.map_err(|error: StoreError| error.into())
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
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// What is said with a decision.
#[derive(Debug, Clone)]
pub struct Said {
    pub text: Option<String>,
    pub effect: Option<FindingEffect>,
}

/// Clears, upholds or reopens, as the action says. 409 `invalid_state` where the state does not allow it.
pub async fn decide(
    run: &Run<Finding>,
    id: FindingId,
    said: Result<Said, AppError>,
) -> Outcome<Finding> {
    let action = run.action;
    run.on(id, said, move |tx, by, present: Finding, said| {
        let (decision, text) = match action {
            Action::FindingClear => (FindingDecision::Clear, due_text(said)?),
            Action::FindingUphold => (FindingDecision::Uphold, due_text(said)?),
            _ => {
                let reason = Reason::read(said.text.as_deref(), true)?;
                (FindingDecision::Reopen, reason)
            }
        };
        let state = present.state.after(decision)?;
        let text = text.as_ref().map(Reason::as_str);
        let kept = match decision {
            FindingDecision::Reopen => None,
            _ => text,
        };
        rows::update_decision(tx, &present, state, (kept, said.effect), by.now)?;
        let event = by
            .event(action, Subject::new("finding", present.id))
            .before(serde_json::json!({ "state": present.state }))?
            .after(serde_json::json!({ "state": state, "effect": said.effect }))?
            .personal(personal(serde_json::json!({ "text": text }))?);
        event::append(tx, &event)?;
        Ok(rows::get(tx, present.id)?)
    })
    .await
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

fn due_text(said: &Said) -> Result<Option<Reason>, AppError> {
    match Reason::of("text", said.text.as_deref())? {
        None => Err(Fault::field("text", Code::required).into()),
        text => Ok(text),
    }
}
