//! A price that was made after the use: the host prices a charge again before it is invoiced, or opens the charge of a service
//! that had no price.

use serde_json::json;

use super::context::ChargeContext;
use super::{append_event, open, price};
use crate::domain::access::Action;
use crate::domain::tariff::Quote;
use crate::domain::usage::UsageState;
use crate::domain::{ChargeId, UsageRecordId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::invoice::refuse_invoiced;
use crate::operations::run::{Outcome, Run};
use crate::operations::usage::UsageContext;
use crate::store::charge::Whole;
use crate::store::event::Subject;
use crate::store::usage::UsageRecord;
use crate::store::{self, Conn};

/// Prices a charge by the tariffs of the day of its service as they are now; what a booking was promised stays. A price that is
/// the same changes nothing. 409 `already_invoiced`, `invalid_state`, `no_price`; 422 `overpaid` when more was received.
pub async fn reprice(run: &Run<Whole>, id: ChargeId, body: Result<(), AppError>) -> Outcome<Whole> {
    run.on(id, body, again).await
}

fn again(tx: &mut Conn, actor: &Actor, context: ChargeContext, (): &()) -> Result<Whole, AppError> {
    let whole = &context.whole;
    let charge = &whole.charge;
    refuse_invoiced(whole)?;
    let record = store::usage::get(tx, charge.usage_record_id)?;
    let price = price_now(tx, &record)?;
    if price == charge.price() {
        store::charge::unclaim(tx, &context.before)?;
    } else {
        let received = whole.balance().paid_fen;
        if price.total_fen < received {
            let fault = Fault::field("amount_fen", Code::overpaid);
            let fault = fault
                .limit(price.total_fen.number())
                .actual(received.number());
            return Err(AppError::Refused(vec![fault]));
        }
        let after = json!({ "version": charge.version, "amount_fen": price.total_fen });
        let event = append_event(tx, actor, Action::ChargeReprice, &context, after)?;
        store::charge::update_price(tx, charge.id, price, event)?;
    }
    let charge = store::charge::get(tx, charge.id)?;
    Ok(store::charge::get_whole(tx, charge)?)
}

/// Opens the charge of a record that has none. 409 `charge_exists`, `no_price`, and `invalid_state` when it is voided.
pub async fn open_asked(
    run: &Run<Whole>,
    id: UsageRecordId,
    body: Result<(), AppError>,
) -> Outcome<Whole> {
    run.on(id, body, late).await
}

fn late(tx: &mut Conn, actor: &Actor, context: UsageContext, (): &()) -> Result<Whole, AppError> {
    let record = &context.record;
    if record.state == UsageState::Voided {
        return Err(AppError::conflict(Code::invalid_state)
            .with("state", record.state.as_str())
            .with("allowed", Vec::<&str>::new()));
    }
    if let Some(charge) = store::charge::find_of_usage(tx, record.id)? {
        return Err(AppError::conflict(Code::charge_exists).with("existing_id", charge.id.number()));
    }
    let price = price_now(tx, record)?;
    let event = actor
        .event(
            Action::UsageRecordCharge,
            Subject::new("usage_record", record.id),
        )
        .of(context.host(), Some(record.organization_id))
        .after(json!({ "version": record.version, "amount_fen": price.total_fen }))?;
    let event = store::event::append(tx, &event)?;
    let charge = open(tx, actor, record, price, event)?;
    Ok(store::charge::get_whole(tx, charge)?)
}

fn price_now(tx: &mut Conn, record: &UsageRecord) -> Result<Quote, AppError> {
    let priced_on = record.started_at.local_date();
    price(tx, record, true)?.ok_or_else(|| {
        AppError::conflict(Code::no_price)
            .with("priced_on", priced_on.to_string())
            .with("instrument_id", record.instrument_id.number())
    })
}
