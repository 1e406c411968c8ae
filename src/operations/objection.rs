//! Objections: made by a person while the notice is open, decided by the province with a text, or withdrawn. None moves a figure:
//! its cause is mended and a new draft made.

use serde_json::json;

use crate::app::App;
pub use crate::domain::ObjectionId;
use crate::domain::Reason;
use crate::domain::access::{Action, ObjectionReach, ObjectionTies};
use crate::domain::calendar::Calendar;
use crate::domain::objection::ObjectionAction;
pub use crate::domain::objection::ObjectionState;
use crate::domain::policy::Deadline;
use crate::domain::public_notice::NoticeState;
pub use crate::domain::{OrganizationId, PublicNoticeId, Uscc};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::run::{Outcome, Run, may, personal};
use crate::operations::subject::{self, Subject, Ties};
use crate::store::event::{self, Subject as Noun};
use crate::store::objection::{Ending, NewObjection};
pub use crate::store::objection::{Filter, Objection};
use crate::store::public_notice::PublicNotice;
use crate::store::yearly_run as rows;
use crate::store::{self, Conn};

impl Subject for Objection {
    type Id = ObjectionId;

    fn lock_and_load(tx: &mut Conn, _: &Actor, id: ObjectionId) -> Result<Self, AppError> {
        Ok(store::objection::get_locked(tx, id)?)
    }

    fn load(conn: &mut Conn, _: &Actor, id: ObjectionId) -> Result<Self, AppError> {
        Ok(store::objection::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Objection(ObjectionTies {
            objector: self.created_by,
            organization_id: self.organization_id,
        })
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

/// What somebody objects, and about whom.
#[derive(Debug, Clone)]
pub struct Statement {
    pub text: String,
    pub organization_id: Option<OrganizationId>,
}

/// Objects to a notice. 422 without a text or about a unit that the notice does not name; 409 `notice_ended`.
pub async fn create(
    run: &Run<Objection>,
    id: PublicNoticeId,
    statement: Result<Statement, AppError>,
) -> Outcome<Objection> {
    let calendar = run.app.calendar().await?;
    let part = move |tx: &mut Conn, by: &Actor, notice: PublicNotice, said: &Statement| {
        insert(tx, by, &notice, (said, &calendar))
    };
    run.on(id, statement, part).await
}

fn insert(
    tx: &mut Conn,
    by: &Actor,
    notice: &PublicNotice,
    (said, calendar): (&Statement, &Calendar),
) -> Result<Objection, AppError> {
    let text = due_text(Some(&said.text))?;
    let is_named = |unit: OrganizationId| {
        let mut units = notice.content.units.iter();
        units.any(|named| named.organization_id == unit)
    };
    if let Some(unit) = said.organization_id.filter(|unit| !is_named(*unit)) {
        let fault = Fault::field("organization_id", Code::unknown_reference);
        return Err(fault.actual(unit.number()).into());
    }
    let today = by.now.local_date();
    let state = notice.state.on(today, notice.notice_until_on);
    if state != NoticeState::Open {
        return Err(AppError::conflict(Code::notice_ended)
            .with("state", state.as_str())
            .with("notice_until_on", notice.notice_until_on.to_string()));
    }
    let of_run = notice.kind.id(notice.subject_id);
    let run = rows::get(tx, of_run.map_err(AppError::internal)?)?;
    let pack = store::policy::get(tx, run.lifecycle().policy_id)?;
    let days = packs::open(&pack)?
        .notice
        .objection_decided_within_working_days;
    let new = NewObjection {
        public_notice_id: notice.id,
        organization_id: said.organization_id,
        text: text.clone(),
        state: ObjectionState::Open,
        due_on: Deadline::WorkingDays(days).last_day(today, calendar),
        created_by: by.caller()?.user_id,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    let objection = store::objection::insert(tx, &new)?;
    let event = by
        .event(
            Action::ObjectionCreate,
            Noun::new("objection", objection.id),
        )
        .after(json!({ "state": objection.state, "public_notice_id": notice.id }))?
        .personal(personal(json!({ "text": text }))?);
    event::append(tx, &event)?;
    Ok(objection)
}

/// The text of an objection or a decision, which says something.
fn due_text(sent: Option<&str>) -> Result<String, AppError> {
    let text = Reason::of("text", sent)?.map(String::from);
    text.ok_or_else(|| Fault::required("text").into())
}

/// Upholds or dismisses with a text, or withdraws, as the action says. 409 `invalid_state` once it has ended.
pub async fn end(
    run: &Run<Objection>,
    id: ObjectionId,
    text: Result<Option<String>, AppError>,
) -> Outcome<Objection> {
    let ending = match run.action {
        Action::ObjectionUphold => ObjectionAction::Uphold,
        Action::ObjectionDismiss => ObjectionAction::Dismiss,
        _ => ObjectionAction::Withdraw,
    };
    let action = run.action;
    let part = move |tx: &mut Conn, by: &Actor, present: Objection, text: &Option<String>| {
        let decision = match ending {
            ObjectionAction::Withdraw => None,
            _ => Some(due_text(text.as_deref())?),
        };
        let ending = Ending {
            state: present.state.after(ending)?,
            decision,
            by: by.caller()?.user_id,
            now: by.now,
        };
        let ended = store::objection::update_ended(tx, id, &ending)?;
        store::public_notice::update_changed(tx, present.public_notice_id, by.now)?;
        let event = by
            .event(action, Noun::new("objection", id))
            .before(json!({ "state": present.state }))?
            .after(json!({ "state": ended.state }))?
            .personal(personal(json!({ "text": ended.decision }))?);
        event::append(tx, &event)?;
        Ok(ended)
    };
    run.on(id, text, part).await
}

/// One objection; 404 when it is not the caller's to read.
pub async fn get(app: &App, actor: &Actor, id: ObjectionId) -> Result<Objection, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| subject::load(conn, &actor, Action::ObjectionGet, id))
        .await
}

/// The objections that the filter asks for and the caller reads.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Objection>, AppError> {
    may(actor, Action::ObjectionList)?;
    let (filter, reach) = (filter?, ObjectionReach::of(actor.caller()?));
    app.store
        .read(move |conn| Ok::<_, AppError>(store::objection::list(conn, &reach, &filter)?))
        .await
}
