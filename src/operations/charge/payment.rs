//! Payments of a charge, before the invoice or after it. What the payer enters is a declaration; the host receives it, refuses
//! it or reverses what it has received. Only what was received counts, and never beyond what is owed.

use serde_json::json;

use super::context::{ChargeContext, PaymentContext};
use super::{append_event, event_of_money, refuse_voided};
use crate::domain::access::Action;
use crate::domain::charge::{Balance, PaymentAction, PaymentState, check_paid_on, check_source};
use crate::domain::policy::IncomeBy;
use crate::domain::{ChargeId, Fault, PaymentId, Reason};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, authorize};
use crate::operations::yearly_run;
use crate::store::charge::Whole;
use crate::store::payment::NewPayment;
use crate::store::{self, Conn, Constraint, StoreError};

/// Enters a payment: received by who may receive it, else declared. 422 `overpaid` beyond what is outstanding, `no_vouchers`,
/// 409 `period_locked` in a final year.
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
    let charge = &whole.charge;
    let faults = check(whole, new, actor);
    if faults.is_empty() {
        // Nothing is owed any more, so no amount would be too much: the state says why.
        refuse_voided(charge)?;
    }
    let is_host = authorize(actor, Action::PaymentReceive, &context.ties()).is_ok();
    let paid = after_payment(whole, new.amount_fen, faults)?;
    let (state, balance) = match is_host {
        true => (PaymentState::Received, paid),
        false => (PaymentState::Declared, whole.balance()),
    };
    yearly_run::refuse_locked_money(tx, &[(IncomeBy::PaidOn, new.paid_on)])?;
    let after = json!({
        "version": charge.version,
        "state": balance.state(),
        "paid_fen": balance.paid_fen,
        "payment": { "amount_fen": new.amount_fen, "paid_on": new.paid_on, "source": new.source, "state": state },
    });
    let event = append_event(tx, actor, Action::ChargePay, &context, after)?;
    store::charge::update_state(tx, charge.id, charge.state, event)?;
    store::payment::insert(tx, charge, new, state, event, actor.now).map_err(above)?;
    again(tx, charge.id)
}

/// What is wrong with a payment but for its amount.
fn check(whole: &Whole, new: NewPayment, actor: &Actor) -> Vec<Fault> {
    let served_on = whole.service.started_at.local_date();
    let day = check_paid_on(new.paid_on, served_on, actor.now.local_date());
    let checked = [day, check_source(new.source)];
    checked.into_iter().filter_map(Result::err).collect()
}

fn after_payment(
    whole: &Whole,
    amount: crate::domain::Fen,
    mut faults: Vec<Fault>,
) -> Result<Balance, AppError> {
    match whole.balance().after_payment(amount) {
        Ok(balance) if faults.is_empty() => Ok(balance),
        checked => {
            faults.extend(checked.err());
            Err(faults.into())
        }
    }
}

/// The host has what was declared. 409 `invalid_state` for what is decided, `period_locked`; 422 `overpaid`.
pub async fn receive(
    run: &Run<Whole>,
    id: PaymentId,
    body: Result<(), AppError>,
) -> Outcome<Whole> {
    decide(run, id, body.map(|()| None), PaymentAction::Receive).await
}

/// What was declared did not come, and the host says why.
pub async fn refuse(
    run: &Run<Whole>,
    id: PaymentId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Whole> {
    decide(run, id, reason, PaymentAction::Refuse).await
}

/// What was received went back, or was entered by mistake; the host says why. 409 `period_locked` in a final year.
pub async fn reverse(
    run: &Run<Whole>,
    id: PaymentId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Whole> {
    decide(run, id, reason, PaymentAction::Reverse).await
}

async fn decide(
    run: &Run<Whole>,
    id: PaymentId,
    reason: Result<Option<String>, AppError>,
    decision: PaymentAction,
) -> Outcome<Whole> {
    let action = run.action;
    run.on(
        id,
        reason,
        move |tx, actor, context: PaymentContext, reason| {
            bring(tx, actor, &context, (action, decision), reason.as_deref())
        },
    )
    .await
}

/// Brings a payment to the state that the decision leads to.
fn bring(
    tx: &mut Conn,
    actor: &Actor,
    context: &PaymentContext,
    (action, decision): (Action, PaymentAction),
    reason: Option<&str>,
) -> Result<Whole, AppError> {
    let (payment, whole) = (&context.payment, &context.charge.whole);
    let charge = &whole.charge;
    let reason = Reason::read(reason, decision != PaymentAction::Receive)?;
    let reason = reason.as_ref().map(Reason::as_str);
    let state = payment.state.after(decision)?;
    let present = whole.balance();
    let balance = match decision {
        PaymentAction::Receive => after_payment(whole, payment.amount_fen, Vec::new())?,
        PaymentAction::Refuse => present,
        PaymentAction::Reverse => Balance {
            paid_fen: present
                .paid_fen
                .checked_sub(payment.amount_fen)
                .map_err(AppError::internal)?,
            ..present
        },
    };
    if decision != PaymentAction::Refuse {
        yearly_run::refuse_locked_money(tx, &[(IncomeBy::PaidOn, payment.paid_on)])?;
    }
    let after = json!({
        "version": charge.version,
        "state": balance.state(),
        "paid_fen": balance.paid_fen,
        "payment": { "id": payment.id, "amount_fen": payment.amount_fen, "paid_on": payment.paid_on, "state": state },
    });
    let event = event_of_money(actor, action, &context.charge, after, reason)?;
    let event = store::event::append(tx, &event)?;
    store::charge::update_state(tx, charge.id, charge.state, event)?;
    match decision {
        PaymentAction::Receive => {
            store::payment::update_received(tx, payment.id, event).map_err(above)?;
        }
        _ => store::payment::update_ended(tx, payment.id, state, reason, event)?,
    }
    again(tx, charge.id)
}

/// The database has the last word: what became too much meanwhile is judged anew.
fn above(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::PaymentAboveCharge) => AppError::Contended,
        other => other.into(),
    }
}

/// The charge as it is now.
fn again(tx: &mut Conn, id: ChargeId) -> Result<Whole, AppError> {
    let charge = store::charge::get(tx, id)?;
    Ok(store::charge::get_whole(tx, charge)?)
}
