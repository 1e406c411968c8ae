//! What is said of a finding: the province shows it to its unit with a day by which it is explained, the unit explains it, and the
//! province clears it, upholds it with an effect, or looks at it again. Each is told to the unit once it was shown to it.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use serde_json::json;

use crate::domain::access::Action;
use crate::domain::calendar::Calendar;
use crate::domain::finding::{EXPLAINED_WITHIN_WORKING_DAYS, FindingDecision, FindingEffect};
use crate::domain::policy::{Deadline, Grade};
use crate::domain::{FindingId, Instant, Reason, UsageRecordId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, personal};
use crate::store::event::{self, Subject};
use crate::store::finding::record;
use crate::store::finding::{self as rows, Finding, Said};
use crate::store::{self, Conn};

/// So many records can be named at once.
const RECORDS_MAX: usize = 200;

/// How long a unit has to explain at most, in days.
const DUE_DAYS_MAX: u64 = 366;

/// What is said; which of it may be said, the action tells.
#[derive(Debug, Clone, Default)]
pub struct Statement {
    pub text: Option<String>,
    pub effect: Option<FindingEffect>,
    /// On which records of the finding the effect is; none: on all.
    pub record_ids: Option<Vec<UsageRecordId>>,
    /// Of the effect `cap_grade`.
    pub grade: Option<Grade>,
    /// By when the unit is to explain; none: the 10th working day.
    pub due_on: Option<NaiveDate>,
}

/// Assigns, explains, clears, upholds or reopens, as the action says. 409 `invalid_state` where the state does not allow it.
pub async fn decide(
    run: &Run<Finding>,
    id: FindingId,
    statement: Result<Statement, AppError>,
) -> Outcome<Finding> {
    let (action, calendar) = (run.action, run.app.calendar().await?);
    let part = move |tx: &mut Conn, by: &Actor, present: Finding, statement: &Statement| {
        say(tx, by, action, (&present, statement, &calendar))
    };
    run.on(id, statement, part).await
}

fn say(
    tx: &mut Conn,
    by: &Actor,
    action: Action,
    (present, statement, calendar): (&Finding, &Statement, &Arc<Calendar>),
) -> Result<Finding, AppError> {
    let text = text(action, statement)?;
    let mut said = Said {
        state: present.state.after(decision(action))?,
        due_on: present.due_on,
        explanation: present.explanation.clone(),
        decision: present.decision.clone(),
        effect: present.effect,
        grade: present.grade,
    };
    match action {
        Action::FindingAssign => said.due_on = Some(due_on(statement.due_on, by.now, calendar)?),
        Action::FindingExplain => said.explanation = text.clone(),
        Action::FindingReopen => (said.decision, said.effect, said.grade) = (None, None, None),
        _ => {
            (said.decision, said.effect) = (text.clone(), statement.effect);
            said.grade = statement.grade;
        }
    }
    put_effect(tx, action, present, statement)?;
    rows::update_said(tx, present, &said, by.now)?;
    if !matches!(action, Action::FindingAssign | Action::FindingExplain) {
        store::yearly_run::update_to_stale(tx, present.year, by.now)?;
    }
    let after = json!({ "state": said.state, "due_on": said.due_on, "effect": said.effect, "grade": said.grade });
    let event = by
        .event(action, Subject::new("finding", present.id))
        .before(json!({ "state": present.state }))?
        .after(after)?;
    let event = match &text {
        Some(text) => event.personal(personal(json!({ "text": text }))?),
        None => event,
    };
    // Until it is shown to the unit, only the administration knows of it.
    let event = match said.due_on {
        Some(_) => event.of(present.organization_id, None),
        None => event,
    };
    event::append(tx, &event)?;
    Ok(rows::get(tx, present.id)?)
}

const fn decision(action: Action) -> FindingDecision {
    match action {
        Action::FindingAssign => FindingDecision::Assign,
        Action::FindingExplain => FindingDecision::Explain,
        Action::FindingClear => FindingDecision::Clear,
        Action::FindingUphold => FindingDecision::Uphold,
        _ => FindingDecision::Reopen,
    }
}

/// What is said in words: of an assignment nothing.
fn text(action: Action, statement: &Statement) -> Result<Option<String>, AppError> {
    let sent = statement.text.as_deref();
    let said = match action {
        Action::FindingAssign => None,
        Action::FindingReopen => Reason::read(sent, true)?,
        _ => match Reason::of("text", sent)? {
            None => return Err(Fault::field("text", Code::required).into()),
            text => text,
        },
    };
    Ok(said.map(String::from))
}

/// Puts the effect on the records it is on: on those that are named, else on all of the finding. 422 where a member does not go with
/// the effect, or the effect lacks one.
fn put_effect(
    tx: &mut Conn,
    action: Action,
    present: &Finding,
    statement: &Statement,
) -> Result<(), AppError> {
    match action {
        Action::FindingUphold => {}
        Action::FindingClear | Action::FindingReopen => {
            record::update_affected(tx, present.id, Some(&[]))?;
            return Ok(());
        }
        _ => return Ok(()),
    }
    let effect = statement.effect.unwrap_or(FindingEffect::Nothing);
    let ids = statement.record_ids.as_deref();
    match (effect == FindingEffect::CapGrade, statement.grade) {
        (true, None) => return Err(Fault::required("grade").into()),
        (false, Some(_)) => return Err(not_with_effect("grade", "cap_grade")),
        _ => {}
    }
    if !effect.is_on_records() {
        return match ids {
            Some(_) => Err(not_with_effect(
                "record_ids",
                "exclude_records | evidence_manual",
            )),
            None => Ok(()),
        };
    }
    if let Some(ids) = ids {
        refuse_unknown(tx, present.id, ids)?;
    }
    match record::update_affected(tx, present.id, ids)? {
        0 => Err(Fault::required("record_ids").into()),
        _ => Ok(()),
    }
}

fn not_with_effect(field: &str, effects: &str) -> AppError {
    Fault::field(field, Code::not_with_effect)
        .limit(effects)
        .into()
}

/// 422 of too many records, or of some that are none of the finding.
fn refuse_unknown(tx: &mut Conn, id: FindingId, ids: &[UsageRecordId]) -> Result<(), AppError> {
    if ids.len() > RECORDS_MAX {
        let fault = Fault::field("record_ids", Code::too_many);
        return Err(fault.limit(RECORDS_MAX).actual(ids.len()).into());
    }
    let known = record::list_known(tx, id, ids)?;
    let unknown = ids.iter().enumerate().filter(|(_, id)| !known.contains(id));
    let fault = |(at, id): (usize, &UsageRecordId)| {
        let fault = Fault::field(format!("record_ids[{at}]"), Code::unknown_reference);
        fault.actual(id.number())
    };
    AppError::refuse_all(unknown.map(fault).collect())
}

/// The last day for the explanation: the one asked for, when it is not over and not too far, else the 10th working day.
fn due_on(
    asked_for: Option<NaiveDate>,
    now: Instant,
    calendar: &Calendar,
) -> Result<NaiveDate, AppError> {
    let today = now.local_date();
    let Some(day) = asked_for else {
        let within = Deadline::WorkingDays(EXPLAINED_WITHIN_WORKING_DAYS);
        return Ok(within.last_day(today, calendar));
    };
    let latest = today.checked_add_days(Days::new(DUE_DAYS_MAX));
    let latest = latest.unwrap_or(NaiveDate::MAX);
    if today <= day && day <= latest {
        return Ok(day);
    }
    let fault = Fault::field("due_on", Code::out_of_range);
    let fault = fault.limit(format!("{today}–{latest}"));
    Err(fault.actual(day.to_string()).into())
}
