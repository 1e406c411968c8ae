//! A usage record with who is tied to it: the subject of every action on a record and on its review.

use crate::domain::access::BookingTies;
use crate::domain::{OrganizationId, UsageRecordId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject::{Subject, Ties};
use crate::store::usage::UsageRecord;
use crate::store::{self, Conn, Lock};

/// A usage record as an answer shows it.
#[derive(Debug, Clone)]
pub struct UsageView {
    pub record: UsageRecord,
    pub host_organization_id: OrganizationId,
}

/// A usage record and its ties.
#[derive(Debug)]
pub struct UsageContext {
    pub record: UsageRecord,
    pub ties: BookingTies,
}

impl Subject for UsageContext {
    type Id = UsageRecordId;

    /// Takes the lock of the instrument and its records, then reads: what stands here stays until the action ends.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: UsageRecordId) -> Result<Self, AppError> {
        Lock::take_records_of(store::usage::get(tx, id)?.instrument_id, tx)?;
        Self::load(tx, actor, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: UsageRecordId) -> Result<Self, AppError> {
        let record = store::usage::get(conn, id)?;
        let ties = store::usage::get_ties(conn, &record, actor.user_id())?;
        Ok(Self { record, ties })
    }

    fn ties(&self) -> Ties {
        Ties::UsageRecord(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.record.version)
    }
}

impl UsageContext {
    pub fn host(&self) -> OrganizationId {
        self.ties.instrument.host_organization_id
    }

    /// What an answer shows of a version of this record.
    pub fn view(&self, version: UsageRecord) -> UsageView {
        UsageView {
            record: version,
            host_organization_id: self.host(),
        }
    }
}
