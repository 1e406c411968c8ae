//! Charges: what a payer owes for a usage record, one at a time that is not voided (`ChargeUsageRecord`). What was paid and
//! invoiced stands beside it; the stored state knows open, invoiced and voided.

mod names;
mod page;

pub use names::{Names, list_names};
pub use page::{Filter, list, list_all};

use diesel::prelude::*;

use super::invoice::Invoice;
use super::payment::Payment;
use super::price::StoredPrice;
use super::schema::{charge, usage_record};
use super::{Conn, Json, Result};
use crate::domain::charge::{Balance, ChargeState};
use crate::domain::tariff::Quote;
use crate::domain::{ChargeId, EventId, Fen, Instant, InstrumentId, OrganizationId, UsageRecordId};

/// One row, whole. `lines` is the frozen price.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = charge)]
pub struct Charge {
    pub id: ChargeId,
    pub usage_record_id: UsageRecordId,
    pub host_organization_id: OrganizationId,
    pub payer_organization_id: OrganizationId,
    pub amount_fen: Fen,
    pub lines: Json<StoredPrice>,
    pub state: ChargeState,
    pub event_id: EventId,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// The part that a voucher is to pay, as an import told it.
    pub voucher_fen: Fen,
}

/// The columns of [`Service`].
pub(super) const SERVICE: (
    usage_record::instrument_id,
    usage_record::started_at,
    usage_record::ended_at,
) = (
    usage_record::instrument_id,
    usage_record::started_at,
    usage_record::ended_at,
);

/// A charge to open.
#[derive(Debug, Clone)]
pub struct NewCharge {
    pub usage_record_id: UsageRecordId,
    pub host_organization_id: OrganizationId,
    pub payer_organization_id: OrganizationId,
    pub price: Quote,
    pub event_id: EventId,
    pub now: Instant,
}

/// The service that a charge is for.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Service {
    pub instrument_id: InstrumentId,
    pub started_at: Instant,
    pub ended_at: Instant,
}

/// A charge with its service, its invoice and its payments, oldest first.
#[derive(Debug, Clone)]
pub struct Whole {
    pub charge: Charge,
    pub service: Service,
    pub invoice: Option<Invoice>,
    pub payments: Vec<Payment>,
}

impl Charge {
    /// The price as it was frozen when the charge was opened.
    pub fn price(&self) -> Quote {
        Quote::from((*self.lines).clone())
    }
}

impl Whole {
    /// The payments that count.
    pub fn received(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(|payment| payment.is_received())
    }

    /// The money of the charge. The sum of what was received never exceeds its amount, so it cannot overflow.
    pub fn balance(&self) -> Balance {
        let paid = self.received().map(|payment| payment.amount_fen);
        Balance {
            amount_fen: self.charge.amount_fen,
            paid_fen: Fen::sum(paid).unwrap_or(self.charge.amount_fen),
            is_invoiced: self.invoice.is_some(),
            is_voided: self.charge.state == ChargeState::Voided,
        }
    }
}

/// Violates `ChargeUsageRecord` when the record has a charge that is not voided.
pub fn insert(conn: &mut Conn, new: NewCharge) -> Result<Charge> {
    Ok(diesel::insert_into(charge::table)
        .values((
            charge::usage_record_id.eq(new.usage_record_id),
            charge::host_organization_id.eq(new.host_organization_id),
            charge::payer_organization_id.eq(new.payer_organization_id),
            charge::amount_fen.eq(new.price.total_fen),
            charge::lines.eq(StoredPrice::of(new.price)?),
            charge::state.eq(ChargeState::Open),
            charge::event_id.eq(new.event_id),
            charge::version.eq(1_i64),
            charge::created_at.eq(new.now),
            charge::updated_at.eq(new.now),
        ))
        .get_result(conn)?)
}

/// Makes the next version of a charge and holds the row until the action ends, so that actions on its money come one after
/// the other.
pub fn claim(conn: &mut Conn, id: ChargeId, now: Instant) -> Result<Charge> {
    Ok(diesel::update(charge::table.find(id))
        .set((
            charge::version.eq(charge::version + 1),
            charge::updated_at.eq(now),
        ))
        .get_result(conn)?)
}

/// What a claimed charge has become, by which event.
pub fn update_state(
    conn: &mut Conn,
    id: ChargeId,
    state: ChargeState,
    event: EventId,
) -> Result<()> {
    diesel::update(charge::table.find(id))
        .set((charge::state.eq(state), charge::event_id.eq(event)))
        .execute(conn)?;
    Ok(())
}

/// Gives a claimed charge another price, by this event.
pub fn update_price(conn: &mut Conn, id: ChargeId, price: Quote, event: EventId) -> Result<()> {
    diesel::update(charge::table.find(id))
        .set((
            charge::amount_fen.eq(price.total_fen),
            charge::lines.eq(StoredPrice::of(price)?),
            charge::event_id.eq(event),
        ))
        .execute(conn)?;
    Ok(())
}

/// Makes a claimed charge what it was before, when nothing became of the action.
pub fn unclaim(conn: &mut Conn, before: &Charge) -> Result<()> {
    diesel::update(charge::table.find(before.id))
        .set((
            charge::version.eq(before.version),
            charge::updated_at.eq(before.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn get(conn: &mut Conn, id: ChargeId) -> Result<Charge> {
    Ok(charge::table
        .find(id)
        .select(Charge::as_select())
        .get_result(conn)?)
}

/// The charge of a record that is not voided.
pub fn find_of_usage(conn: &mut Conn, record: UsageRecordId) -> Result<Option<Charge>> {
    Ok(charge::table
        .filter(
            charge::usage_record_id
                .eq(record)
                .and(charge::state.ne(ChargeState::Voided)),
        )
        .select(Charge::as_select())
        .get_result(conn)
        .optional()?)
}

/// The charge as it is, with what belongs to it.
pub fn get_whole(conn: &mut Conn, charge: Charge) -> Result<Whole> {
    let invoice = super::invoice::find_of_charge(conn, charge.id)?;
    let payments = super::payment::list_of_charge(conn, charge.id)?;
    let service = usage_record::table
        .find(charge.usage_record_id)
        .select(SERVICE)
        .get_result(conn)?;
    Ok(Whole {
        charge,
        service,
        invoice,
        payments,
    })
}
