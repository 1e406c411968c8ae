//! An invoice with its charges and who is tied to it: the subject of its annulment.

use crate::domain::InvoiceId;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::charge::ChargeContext;
use crate::operations::subject::{Subject, Ties};
use crate::store::invoice::WholeInvoice;
use crate::store::{self, Conn, Lock};

/// An invoice, its charges under their locks, and its ties: those of its charges, which have one host and one payer.
#[derive(Debug)]
pub struct InvoiceContext {
    pub whole: WholeInvoice,
    /// Claimed; none are read without a lock.
    pub charges: Vec<ChargeContext>,
    /// The version a client has read. An invoice under its lock is the next one already.
    version: i64,
    ties: Ties,
}

impl Subject for InvoiceContext {
    type Id = InvoiceId;

    /// Claims the invoice, then its charges in the order of their ids, as every action on several charges does.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: InvoiceId) -> Result<Self, AppError> {
        Lock::RecordsShared.take(tx)?;
        let claimed = store::invoice::claim(tx, id, actor.now)?;
        let whole = store::invoice::whole(tx, claimed)?;
        let mut charges = Vec::with_capacity(whole.lines.len());
        for line in &whole.lines {
            charges.push(ChargeContext::lock_and_load(tx, actor, line.charge_id)?);
        }
        Ok(Self {
            ties: charges.first().ok_or(AppError::NotFound)?.ties(),
            version: whole.invoice.version - 1,
            whole,
            charges,
        })
    }

    fn load(conn: &mut Conn, actor: &Actor, id: InvoiceId) -> Result<Self, AppError> {
        let whole = store::invoice::get_whole(conn, id)?;
        let first = whole.lines.first().ok_or(AppError::NotFound)?;
        Ok(Self {
            ties: ChargeContext::load(conn, actor, first.charge_id)?.ties(),
            version: whole.invoice.version,
            whole,
            charges: Vec::new(),
        })
    }

    fn ties(&self) -> Ties {
        self.ties
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}
