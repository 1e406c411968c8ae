//! An instrument with who is tied to it: the subject of every action on its registry entry, and of what belongs to it (its
//! services, closures, rules and tariffs).

use crate::domain::InstrumentId;
use crate::domain::access::InstrumentTies;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::as_seen;
use crate::operations::subject::{Subject, Ties};
use crate::store::instrument::Instrument;
use crate::store::{self, Conn, Lock};

/// An instrument as it stands, with who is tied to it as seen by the actor.
#[derive(Debug, Clone)]
pub struct InstrumentContext {
    pub instrument: Instrument,
    pub ties: InstrumentTies,
}

impl Subject for InstrumentContext {
    type Id = InstrumentId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        Lock::Instrument(id).take(tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: InstrumentId) -> Result<Self, AppError> {
        let ties = store::instrument::get_ties(conn, id, actor.user_id())?;
        Ok(Self {
            ties: as_seen(conn, actor.caller().ok(), id, ties)?,
            instrument: store::instrument::get(conn, id)?,
        })
    }

    fn ties(&self) -> Ties {
        Ties::Instrument(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.instrument.version)
    }
}
