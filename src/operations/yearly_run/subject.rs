//! Evaluations and subsidy runs as subjects of actions: their state decides who sees them. No lock is taken for them: every
//! change asks for the version that was read, and an action that finds another one runs again.

use crate::domain::run::RunId;
use crate::domain::{EvaluationId, SubsidyRunId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject::{Subject, Ties};
use crate::store::Conn;
use crate::store::yearly_run::{self as rows, Evaluation, Lifecycle, Run, SubsidyRun};

impl Subject for Run {
    type Id = RunId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: RunId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: RunId) -> Result<Self, AppError> {
        Ok(rows::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        ties(self.lifecycle())
    }

    fn version(&self) -> Option<i64> {
        Some(self.lifecycle().version)
    }
}

impl Subject for Evaluation {
    type Id = EvaluationId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: EvaluationId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: EvaluationId) -> Result<Self, AppError> {
        Ok(rows::evaluation::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        ties(&self.lifecycle)
    }

    fn version(&self) -> Option<i64> {
        Some(self.lifecycle.version)
    }
}

impl Subject for SubsidyRun {
    type Id = SubsidyRunId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: SubsidyRunId) -> Result<Self, AppError> {
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, _: &Actor, id: SubsidyRunId) -> Result<Self, AppError> {
        Ok(rows::subsidy::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        ties(&self.lifecycle)
    }

    fn version(&self) -> Option<i64> {
        Some(self.lifecycle.version)
    }
}

const fn ties(lifecycle: &Lifecycle) -> Ties {
    Ties::Run {
        is_published: lifecycle.state.is_published(),
    }
}
