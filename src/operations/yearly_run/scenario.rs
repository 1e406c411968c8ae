//! What-ifs: they take the newest frozen facts of the year, are never shown to everybody, and are deleted whole.

use super::{refuse_used, subject_of};
use crate::domain::run::{RunId, RunState};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::event;
use crate::store::yearly_run::{self as rows, Run as Row};
use crate::store::{self, Conn};

/// Deletes a what-if. 409 `invalid_state` of any other run, which is discarded; `relation_in_use` while a run stands on it.
pub async fn delete(run: &Run<()>, id: RunId, body: Result<(), AppError>) -> Outcome<()> {
    let action = run.action;
    run.on(
        id,
        body,
        move |tx: &mut Conn, by: &Actor, present: Row, ()| {
            let lifecycle = present.lifecycle();
            if !lifecycle.is_scenario {
                return Err(AppError::conflict(Code::invalid_state)
                    .with("state", lifecycle.state.as_str())
                    .with("allowed", ["scenario"]));
            }
            if let RunId::Evaluation(id) = id {
                refuse_used(tx, id)?;
            }
            if lifecycle.state == RunState::Running {
                store::job::cancel(tx, id, by.now)?;
            }
            rows::delete_scenario(tx, id)?;
            let event = by.event(action, subject_of(id));
            event::append(tx, &event)?;
            Ok(())
        },
    )
    .await
}
