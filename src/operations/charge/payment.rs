//! A payment of a charge, by its payer or by a voucher, before the invoice or after it, never beyond what is owed.

use chrono::{Datelike, NaiveDate};
use serde_json::json;

use super::context::ChargeContext;
use super::{append_event, refuse_voided};
use crate::domain::ChargeId;
use crate::domain::access::Action;
use crate::domain::charge::check_day;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::yearly_run;
use crate::store::charge::Whole;
use crate::store::payment::NewPayment;
use crate::store::{self, Conn};

/// Enters a payment. 422 `overpaid` beyond what is outstanding, 409 `period_locked` in a final year.
pub async fn pay(
    run: &Run<Whole>,
    id: ChargeId,
    new: Result<NewPayment, AppError>,
) -> Outcome<Whole> {
    run.on(id, new, enter).await
}

fn enter(
    tx: &mut Conn,
    actor: &Actor,
    context: ChargeContext,
    new: &NewPayment,
) -> Result<Whole, AppError> {
    let (whole, new) = (&context.whole, *new);
    let id = whole.charge.id;
    let mut faults: Vec<_> = check(new.paid_on, actor).into_iter().collect();
    if faults.is_empty() {
        // Nothing is owed any more, so no amount would be too much: the state says why.
        refuse_voided(&whole.charge)?;
    }
    let balance = match whole.balance().after_payment(new.amount_fen) {
        Ok(balance) if faults.is_empty() => balance,
        checked => {
            faults.extend(checked.err());
            return Err(faults.into());
        }
    };
    yearly_run::refuse_locked(tx, &[new.paid_on.year()])?;
    let after = json!({
        "version": whole.charge.version,
        "state": balance.state(),
        "paid_fen": balance.paid_fen,
        "payment": { "amount_fen": new.amount_fen, "paid_on": new.paid_on, "source": new.source },
    });
    let event = append_event(tx, actor, Action::ChargePay, &context, after)?;
    store::charge::update_state(tx, id, whole.charge.state, event)?;
    store::payment::insert(tx, &whole.charge, new, event, actor.now)?;
    let charge = store::charge::get(tx, id)?;
    Ok(store::charge::get_whole(tx, charge)?)
}

fn check(paid_on: NaiveDate, actor: &Actor) -> Option<crate::domain::Fault> {
    check_day("paid_on", paid_on, actor.now.local_date()).err()
}
