//! What is said of a finding: the province shows it to its unit with a day by which it is explained, the unit explains it, and the
//! province clears it, upholds it with an effect, or looks at it again. Each is told to the unit once it was shown to it.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use serde_json::json;

use crate::domain::access::Action;
use crate::domain::calendar::Calendar;
use crate::domain::finding::{EXPLAINED_WITHIN_WORKING_DAYS, FindingDecision, FindingEffect};
use crate::domain::policy::Deadline;
use crate::domain::{FindingId, Instant, Reason};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, personal};
use crate::store::event::{self, Subject};
use crate::store::finding::{self as rows, Finding, Said};
use crate::store::{self, Conn};

/// How long a unit has to explain at most, in days.
const DUE_DAYS_MAX: u64 = 366;

/// What is said; which of it may be said, the action tells.
#[derive(Debug, Clone, Default)]
pub struct Statement {
    pub text: Option<String>,
    pub effect: Option<FindingEffect>,
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
        _ => (said.decision, said.effect) = (text.clone(), statement.effect),
    }
    rows::update_said(tx, present, &said, by.now)?;
    if !matches!(action, Action::FindingAssign | Action::FindingExplain) {
        store::yearly_run::update_to_stale(tx, present.year, by.now)?;
    }
    let after = json!({ "state": said.state, "due_on": said.due_on, "effect": said.effect });
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
