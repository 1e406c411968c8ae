//! A charge with its invoice, its payments and who is tied to it: the subject of every action on its money.

use crate::domain::access::BookingTies;
use crate::domain::{ChargeId, PaymentId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject::{Subject, Ties};
use crate::store::charge::{Charge, Whole};
use crate::store::payment::Payment;
use crate::store::{self, Conn, Lock};

/// A charge and its ties.
#[derive(Debug)]
pub struct ChargeContext {
    pub whole: Whole,
    /// The version a client has read. A charge under its lock is the next one already.
    pub version: i64,
    /// The charge as it was before it was claimed.
    pub before: Charge,
    ties: BookingTies,
}

impl Subject for ChargeContext {
    type Id = ChargeId;

    /// Takes the lock of what yearly runs read and claims the charge, so that actions on its money come one after the other.
    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: ChargeId) -> Result<Self, AppError> {
        Lock::RecordsShared.take(tx)?;
        let before = store::charge::get(tx, id)?;
        let charge = store::charge::claim(tx, id, actor.now)?;
        let version = charge.version - 1;
        // Another action may have come between.
        let before = if before.version == version {
            before
        } else {
            charge.clone()
        };
        Self::of(tx, actor, charge, before)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: ChargeId) -> Result<Self, AppError> {
        let charge = store::charge::get(conn, id)?;
        let before = charge.clone();
        Self::of(conn, actor, charge, before)
    }

    fn ties(&self) -> Ties {
        Ties::Charge(self.ties)
    }

    fn version(&self) -> Option<i64> {
        Some(self.version)
    }
}

impl ChargeContext {
    fn of(
        conn: &mut Conn,
        actor: &Actor,
        charge: Charge,
        before: Charge,
    ) -> Result<Self, AppError> {
        let record = store::usage::get(conn, charge.usage_record_id)?;
        let ties = BookingTies {
            organization_id: charge.payer_organization_id,
            ..store::usage::get_ties(conn, &record, actor.user_id())?
        };
        Ok(Self {
            whole: store::charge::get_whole(conn, charge)?,
            version: before.version,
            before,
            ties,
        })
    }
}

/// A payment with the charge that it is for, which has the ties and the version.
#[derive(Debug)]
pub struct PaymentContext {
    pub payment: Payment,
    pub charge: ChargeContext,
}

impl Subject for PaymentContext {
    type Id = PaymentId;

    fn lock_and_load(tx: &mut Conn, actor: &Actor, id: PaymentId) -> Result<Self, AppError> {
        let charge = store::payment::get_charge_id(tx, id)?;
        Self::of(ChargeContext::lock_and_load(tx, actor, charge)?, id)
    }

    fn load(conn: &mut Conn, actor: &Actor, id: PaymentId) -> Result<Self, AppError> {
        let charge = store::payment::get_charge_id(conn, id)?;
        Self::of(ChargeContext::load(conn, actor, charge)?, id)
    }

    fn ties(&self) -> Ties {
        self.charge.ties()
    }

    fn version(&self) -> Option<i64> {
        self.charge.version()
    }
}

impl PaymentContext {
    fn of(charge: ChargeContext, id: PaymentId) -> Result<Self, AppError> {
        let mut payments = charge.whole.payments.iter();
        let found = payments.find(|payment| payment.id == id).cloned();
        let payment = found.ok_or(AppError::NotFound)?;
        Ok(Self { payment, charge })
    }
}
