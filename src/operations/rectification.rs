//! Rectifications: opened for a host by who supervises it, reported by the host, accepted with a text. Its last day can be moved.

use chrono::NaiveDate;
use serde_json::json;

use crate::app::App;
pub use crate::domain::RectificationId;
use crate::domain::access::{Action, OrganizationTies, Reach};
use crate::domain::calendar::Calendar;
use crate::domain::rectification::{DUE_WORKING_DAYS_MIN, RectificationAction};
pub use crate::domain::rectification::{RectificationCause, RectificationState};
use crate::domain::{OrganizationId, Reason};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may, personal};
use crate::operations::subject::{self, Subject, Ties};
use crate::store::event::{self, Subject as Noun};
use crate::store::organization::Organization;
pub use crate::store::rectification::{Filter, Rectification};
use crate::store::rectification::{NewRectification, Step};
use crate::store::{self, Conn, StoreError};

/// A rectification as its right needs it: with who is tied to the unit.
#[derive(Debug)]
pub struct RectificationContext {
    pub row: Rectification,
    ties: OrganizationTies,
}

impl RectificationContext {
    fn of(conn: &mut Conn, row: Rectification) -> Result<Self, AppError> {
        let ties = store::rectification::get_ties(conn, row.organization_id)?;
        Ok(Self { row, ties })
    }
}

impl Subject for RectificationContext {
    type Id = RectificationId;

    fn lock_and_load(tx: &mut Conn, _: &Actor, id: RectificationId) -> Result<Self, AppError> {
        let row = store::rectification::get_locked(tx, id)?;
        Self::of(tx, row)
    }

    fn load(conn: &mut Conn, _: &Actor, id: RectificationId) -> Result<Self, AppError> {
        let row = store::rectification::get(conn, id)?;
        Self::of(conn, row)
    }

    fn ties(&self) -> Ties {
        Ties::Rectification(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.row.version)
    }
}

/// A rectification on the day it is looked at.
#[derive(Debug, Clone)]
pub struct RectificationView {
    pub row: Rectification,
    pub today: NaiveDate,
}

impl RectificationView {
    fn of(row: Rectification, actor: &Actor) -> Self {
        let today = actor.now.local_date();
        Self { row, today }
    }
}

/// What a host is told to mend.
#[derive(Debug, Clone)]
pub struct Order {
    pub organization_id: OrganizationId,
    pub cause: RectificationCause,
    pub text: String,
    pub due_on: NaiveDate,
}

/// Opens a rectification for a host. 422 without a text, for what is no host or not supervised by the caller, or with less than
/// five working days.
pub async fn create(
    run: &Run<RectificationView>,
    order: Result<Order, AppError>,
) -> Outcome<RectificationView> {
    let calendar = run.app.calendar().await?;
    run.with(order, move |tx, by, order| open(tx, by, (order, &calendar)))
        .await
}

fn open(
    tx: &mut Conn,
    by: &Actor,
    (order, calendar): (&Order, &Calendar),
) -> Result<RectificationView, AppError> {
    let mut faults = Vec::new();
    let text = text(&order.text).map_err(|fault| faults.push(fault));
    let reach = Reach::of(by.caller()?, Action::RectificationCreate);
    let unit = match store::organization::get(tx, order.organization_id) {
        Ok(unit) => Some(unit),
        Err(StoreError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let is_supervised = |unit: &Organization| reach.covers_organization(&unit.ties());
    if !unit.is_some_and(|unit| unit.is_host && is_supervised(&unit)) {
        let fault = Fault::field("organization_id", Code::unknown_reference);
        faults.push(fault.actual(order.organization_id.number()));
    }
    faults.extend(too_soon(order.due_on, calendar, by));
    AppError::refuse_all(faults)?;
    let new = NewRectification {
        organization_id: order.organization_id,
        cause: order.cause,
        text: text.unwrap_or_default(),
        due_on: order.due_on,
        state: RectificationState::Open,
        created_by: by.caller()?.user_id,
        version: 1,
        created_at: by.now,
        updated_at: by.now,
    };
    let row = store::rectification::insert(tx, &new)?;
    record(
        tx,
        (by, Action::RectificationCreate),
        (None, &row),
        Some(&row.text),
    )?;
    Ok(RectificationView::of(row, by))
}

fn text(sent: &str) -> Result<String, Fault> {
    let text = Reason::of("text", Some(sent))?.map(String::from);
    text.ok_or_else(|| Fault::required("text"))
}

/// A day before the fifth working day after today, or so far off that nobody waits for it.
fn too_soon(due_on: NaiveDate, calendar: &Calendar, by: &Actor) -> Option<Fault> {
    let today = by.now.local_date();
    let first = calendar.add_working_days(today, DUE_WORKING_DAYS_MIN);
    let last = today
        .checked_add_months(chrono::Months::new(60))
        .unwrap_or(first);
    let fault = Fault::field("due_on", Code::out_of_range);
    let limit = format!("{first}–{last}");
    (!(first..=last).contains(&due_on)).then(|| fault.limit(limit).actual(due_on.to_string()))
}

/// Moves its last day. 409 `invalid_state` once it is accepted.
pub async fn update<B, R>(
    run: &Run<RectificationView>,
    id: RectificationId,
    sent: Result<B, AppError>,
    read: R,
) -> Outcome<RectificationView>
where
    B: Send + 'static,
    R: Fn(&RectificationView, &B) -> Result<(NaiveDate, Vec<Fault>), AppError> + Send + 'static,
{
    let calendar = run.app.calendar().await?;
    let read = move |_: &mut Conn, by: &Actor, context: &RectificationContext, sent: &B| {
        read(&RectificationView::of(context.row.clone(), by), sent)
    };
    run.change(id, sent, read, move |tx, by, context, due_on| {
        let present = context.row;
        if present.due_on == *due_on {
            return Ok(RectificationView::of(present, by));
        }
        AppError::refuse_all(too_soon(*due_on, &calendar, by).into_iter().collect())?;
        if present.state == RectificationState::Accepted {
            present.state.after(RectificationAction::Accept)?;
        }
        let row = store::rectification::update_due_on(tx, id, *due_on, by.now)?;
        record(
            tx,
            (by, Action::RectificationUpdate),
            (Some(&present), &row),
            None,
        )?;
        Ok(RectificationView::of(row, by))
    })
    .await
}

/// Reports or accepts with a text, as the action says.
pub async fn advance(
    run: &Run<RectificationView>,
    id: RectificationId,
    said: Result<String, AppError>,
) -> Outcome<RectificationView> {
    let action = run.action;
    let step = match action {
        Action::RectificationReport => RectificationAction::Report,
        _ => RectificationAction::Accept,
    };
    run.on(
        id,
        said,
        move |tx, by, context: RectificationContext, said| {
            let present = context.row;
            let text = text(said)?;
            let next = Step {
                state: present.state.after(step)?,
                text,
                by: by.caller()?.user_id,
                now: by.now,
            };
            let row = match step {
                RectificationAction::Report => {
                    store::rectification::update_reported(tx, id, &next)?
                }
                RectificationAction::Accept => {
                    store::rectification::update_accepted(tx, id, &next)?
                }
            };
            record(tx, (by, action), (Some(&present), &row), Some(&next.text))?;
            Ok(RectificationView::of(row, by))
        },
    )
    .await
}

/// The trail tells states and days; the texts stand beside it.
fn record(
    tx: &mut Conn,
    (by, action): (&Actor, Action),
    (before, after): (Option<&Rectification>, &Rectification),
    text: Option<&str>,
) -> Result<(), AppError> {
    let told = |row: &Rectification| json!({ "cause": row.cause, "state": row.state, "due_on": row.due_on });
    let mut event = by
        .event(action, Noun::new("rectification", after.id))
        .of(after.organization_id, None)
        .after(told(after))?;
    if let Some(before) = before {
        event = event.before(told(before))?;
    }
    if let Some(text) = text {
        event = event.personal(personal(json!({ "text": text }))?);
    }
    event::append(tx, &event)?;
    Ok(())
}

/// One rectification; 404 when it is not the caller's to read.
pub async fn get(
    app: &App,
    actor: &Actor,
    id: RectificationId,
) -> Result<RectificationView, AppError> {
    let actor = actor.clone();
    app.store
        .read(move |conn| {
            let action = Action::RectificationGet;
            let context = subject::load::<RectificationContext>(conn, &actor, action, id)?;
            Ok(RectificationView::of(context.row, &actor))
        })
        .await
}

/// The rectifications that the filter asks for and the caller reads.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<Rectification>, AppError> {
    may(actor, Action::RectificationList)?;
    let (filter, reach) = (
        filter?,
        Reach::of(actor.caller()?, Action::RectificationList),
    );
    app.store
        .read(move |conn| Ok::<_, AppError>(store::rectification::list(conn, &reach, &filter)?))
        .await
}
