//! The money of a year that is kept with a run when it is shown. It is read beside the writer, before the run is published, and once
//! more only where the run was graded again in between.

use crate::domain::run::{RunId, RunState};
use crate::error::AppError;
use crate::operations::run::Run;
use crate::operations::subject;
use crate::operations::yearly_run::explain::{self, KeptMoney};
use crate::store::Conn;
use crate::store::yearly_run::{Run as Row, evaluation, money};

/// What was read of a run, as its results were then.
pub(super) struct Kept {
    result_digest: Option<String>,
    money: KeptMoney,
}

fn of(conn: &mut Conn, row: &Row) -> Result<Kept, AppError> {
    let money = match row {
        Row::Evaluation(row) => KeptMoney::Units(explain::of_units(conn, row)?),
        Row::SubsidyRun(row) => KeptMoney::Awards(explain::of_awards(conn, row)?),
    };
    Ok(Kept {
        result_digest: row.lifecycle().result_digest.clone(),
        money,
    })
}

/// `None` where nothing can be published, or not by who asks: that is said when it is.
pub(super) async fn read(run: &Run<Row>, id: RunId) -> Result<Option<Kept>, AppError> {
    let (by, action) = (run.actor.clone(), run.action);
    let read = move |conn: &mut Conn| {
        let Ok(row) = subject::load::<Row>(conn, &by, action, id) else {
            return Ok(None);
        };
        let lifecycle = row.lifecycle();
        let basis = row.evaluation_id();
        let basis = basis.map(|id| evaluation::get(conn, id)).transpose()?;
        let is_shown = basis.is_none_or(|basis| basis.lifecycle.state.is_published());
        match lifecycle.state == RunState::Draft && !lifecycle.is_scenario && is_shown {
            true => Ok(Some(of(conn, &row)?)),
            false => Ok(None),
        }
    };
    run.app.store.read_snapshot(read).await
}

/// Keeps it with a run that is now shown.
pub(super) fn write(tx: &mut Conn, row: &Row, read: Option<&Kept>) -> Result<(), AppError> {
    let is_same = |kept: &&Kept| kept.result_digest == row.lifecycle().result_digest;
    let again;
    let kept = match read.filter(is_same) {
        Some(kept) => kept,
        None => {
            again = of(tx, row)?;
            &again
        }
    };
    match (row, &kept.money) {
        (Row::Evaluation(row), KeptMoney::Units(all)) => {
            Ok(money::insert_of_units(tx, row.id, all)?)
        }
        (Row::SubsidyRun(_), KeptMoney::Awards(all)) => Ok(money::insert_of_awards(tx, all)?),
        _ => Err(AppError::internal("the money of another kind of run")),
    }
}
