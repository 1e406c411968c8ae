//! Charges: what the actual use of an instrument costs its user, opened, repriced and voided with the usage record; their
//! invoices and payments.
//!
//! Why is the price of a booking kept? What was quoted with the booking is a promise: the actual minutes are priced at its
//! rate, as long as the service was of the kind that was booked, and the services that were booked with it are charged as
//! booked, with the first record of the booking. Everything else is priced by the tariffs of the local day on which the service began. Without a tariff there is
//! no charge, which is not a charge of zero.

mod context;
mod invoice;
mod payment;
mod read;
mod reprice;

use chrono::NaiveDate;
use serde_json::json;

use crate::domain::access::Action;
use crate::domain::charge::{ChargeState, PaymentState};
use crate::domain::tariff::Quote;
use crate::domain::usage::UsageState;
use crate::domain::{ChargeId, EventId, Fen, InstrumentId, OrganizationId, UsageRecordId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::invoice::refuse_invoiced;
use crate::operations::run::personal;
use crate::operations::tariff::{self, Wanted};
use crate::store::charge::{Charge, NewCharge};
use crate::store::event::{NewEvent, Subject};
use crate::store::usage::UsageRecord;
use crate::store::{self, Conn};

pub use context::ChargeContext;
pub use invoice::invoice;
pub use payment::{pay, receive, refuse, reverse};
pub use read::{export, get, list};
pub use reprice::{open_asked, reprice};

/// Opens the charge of a new record, when it has a price.
pub fn open_for(
    tx: &mut Conn,
    by: &Actor,
    record: &UsageRecord,
    event_id: EventId,
) -> Result<Option<Charge>, AppError> {
    if let Some(price) = price(tx, record, false)? {
        return open(tx, by, record, price, event_id).map(Some);
    }
    let host = store::instrument::get(tx, record.instrument_id)?.organization_id;
    if host != record.organization_id {
        let of = (record.instrument_id, record.started_at.local_date());
        let missed = lack_of_price(by, record.id, of, 1)?;
        store::event::append(tx, &missed.of(host, Some(record.organization_id)))?;
    }
    Ok(None)
}

/// That a use, and perhaps others with it, has no price. Nobody would miss it: whoever keeps the money is told.
pub fn lack_of_price(
    by: &Actor,
    record: UsageRecordId,
    (instrument, priced_on): (InstrumentId, NaiveDate),
    records: usize,
) -> Result<NewEvent, AppError> {
    let subject = Subject::new("usage_record", record);
    let event = by.event(Action::UsageRecordLackPrice, subject);
    Ok(event.after(json!({
        "instrument_id": instrument,
        "priced_on": priced_on,
        "records": records,
    }))?)
}

fn open(
    tx: &mut Conn,
    by: &Actor,
    record: &UsageRecord,
    price: Quote,
    event_id: EventId,
) -> Result<Charge, AppError> {
    let host = store::instrument::get(tx, record.instrument_id)?.organization_id;
    let new = NewCharge {
        usage_record_id: record.id,
        host_organization_id: host,
        payer_organization_id: record.organization_id,
        price,
        event_id,
        now: by.now,
    };
    let charge = store::charge::insert(tx, new)?;
    tell(tx, by, Action::ChargeOpen, &charge)?;
    Ok(charge)
}

/// The event of a charge that comes and goes with its usage record.
fn tell(tx: &mut Conn, by: &Actor, action: Action, charge: &Charge) -> Result<(), AppError> {
    let whose = (charge.host_organization_id, charge.payer_organization_id);
    let told = (charge.usage_record_id, charge.amount_fen);
    store::event::append(tx, &event_of(by, action, charge.id, whose, told)?)?;
    Ok(())
}

/// The event of a charge that opens, of this host for this payer.
pub fn opening(
    by: &Actor,
    id: ChargeId,
    whose: (OrganizationId, OrganizationId),
    told: (UsageRecordId, Fen),
) -> Result<NewEvent, AppError> {
    event_of(by, Action::ChargeOpen, id, whose, told)
}

fn event_of(
    by: &Actor,
    action: Action,
    id: ChargeId,
    (host, payer): (OrganizationId, OrganizationId),
    (record, amount_fen): (UsageRecordId, Fen),
) -> Result<NewEvent, AppError> {
    let event = by.event(action, Subject::new("charge", id));
    Ok(event.of(host, Some(payer)).after(json!({
        "usage_record_id": record,
        "amount_fen": amount_fen,
    }))?)
}

/// After a correction: a charge whose price or payer changes is voided and another opened. 409 `already_invoiced` or
/// `invalid_state` when its money has moved on; one whose price stays stands.
pub fn follow(
    tx: &mut Conn,
    actor: &Actor,
    record: &UsageRecord,
    event_id: EventId,
) -> Result<(), AppError> {
    let price = price(tx, record, false)?;
    let present = store::charge::find_of_usage(tx, record.id)?;
    let stands = present.as_ref().is_some_and(|charge| {
        price.as_ref() == Some(&charge.price())
            && charge.payer_organization_id == record.organization_id
    });
    if stands {
        return Ok(());
    }
    void_for(tx, actor, record.id, event_id)?;
    if let Some(price) = price {
        open(tx, actor, record, price, event_id)?;
    }
    Ok(())
}

/// Voids the charge of a record, if there is one, and refuses what is only declared. 409 when it is invoiced or money was
/// received.
pub fn void_for(
    tx: &mut Conn,
    actor: &Actor,
    record: UsageRecordId,
    event_id: EventId,
) -> Result<(), AppError> {
    let Some(charge) = store::charge::find_of_usage(tx, record)? else {
        return Ok(());
    };
    let charge = store::charge::claim(tx, charge.id, actor.now)?;
    let whole = store::charge::get_whole(tx, charge)?;
    refuse_invoiced(&whole)?;
    if whole.received().next().is_some() {
        return Err(AppError::conflict(Code::invalid_state)
            .with("charge_id", whole.charge.id.number())
            .with("state", whole.balance().state().as_str())
            .with("allowed", Vec::<&str>::new()));
    }
    // What somebody says to have paid for it cannot come any more.
    for payment in &whole.payments {
        if payment.state == PaymentState::Declared {
            let refused = PaymentState::Refused;
            store::payment::update_ended(tx, payment.id, refused, None, event_id)?;
        }
    }
    store::charge::update_state(tx, whole.charge.id, ChargeState::Voided, event_id)?;
    tell(tx, actor, Action::ChargeVoid, &whole.charge)
}

/// What the record costs by the promise of its booking, else by the tariffs of its day. A booking that was told no price
/// promised that there is none, until the host asks for a price that was made since (`is_asked`).
fn price(tx: &mut Conn, record: &UsageRecord, is_asked: bool) -> Result<Option<Quote>, AppError> {
    if record.state == UsageState::Voided {
        return Ok(None);
    }
    let minutes = record.effective_minutes();
    if let Some(booking) = record.booking_id {
        let first = store::usage::find_first_of(tx, booking)?;
        let booking = store::booking::get(tx, booking)?;
        if booking.mode == record.mode {
            let promised = match (first == Some(record.id), booking.details.into_inner().quote) {
                (false, Some(quote)) => quote.without_services().map_err(AppError::internal)?,
                (_, promised) => promised,
            };
            let price = promised.map(|quote| quote.for_minutes(minutes));
            let price = price.transpose().map_err(AppError::internal)?.flatten();
            if price.is_some() || !is_asked {
                return Ok(price);
            }
        }
    }
    let wanted = Wanted {
        instrument: record.instrument_id,
        host: store::instrument::get(tx, record.instrument_id)?.organization_id,
        unit: record.organization_id,
        mode: record.mode,
        on: record.started_at.local_date(),
        minutes,
        services: &[],
    };
    Ok(tariff::price(tx, &wanted)?.1)
}

/// 409 `invalid_state` for a voided charge.
fn refuse_voided(charge: &Charge) -> Result<(), AppError> {
    if charge.state != ChargeState::Voided {
        return Ok(());
    }
    Err(AppError::conflict(Code::invalid_state)
        .with("state", ChargeState::Voided.as_str())
        .with("allowed", Vec::<&str>::new()))
}

/// Appends the event of an action on a charge.
fn append_event(
    tx: &mut Conn,
    actor: &Actor,
    action: Action,
    context: &ChargeContext,
    after: serde_json::Value,
) -> Result<EventId, AppError> {
    let event = event_of_money(actor, action, context, after, None)?;
    Ok(store::event::append(tx, &event)?)
}

/// The event of an action on the money of a charge; its reason is free text, so it can be erased.
fn event_of_money(
    actor: &Actor,
    action: Action,
    context: &ChargeContext,
    after: serde_json::Value,
    reason: Option<&str>,
) -> Result<NewEvent, AppError> {
    let (whole, charge) = (&context.whole, &context.whole.charge);
    let (host, payer) = (charge.host_organization_id, charge.payer_organization_id);
    let balance = whole.balance();
    let before = json!({
        "version": context.version,
        "state": balance.state(),
        "amount_fen": charge.amount_fen,
        "paid_fen": balance.paid_fen,
    });
    let event = actor
        .event(action, Subject::new("charge", charge.id))
        .of(host, Some(payer))
        .before(before)?
        .after(after)?;
    match reason {
        Some(reason) => Ok(event.personal(personal(json!({ "reason": reason }))?)),
        None => Ok(event),
    }
}
