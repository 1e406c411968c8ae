//! The host invoices a charge, once, under a number that was never used on the platform.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use serde_json::json;

use super::context::ChargeContext;
use super::{already_invoiced, append_event, refuse_voided};
use crate::domain::ChargeId;
use crate::domain::access::Action;
use crate::domain::charge::{ChargeState, InvoiceNo, check_day};
use crate::domain::fault::Faults;
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::yearly_run;
use crate::store::charge::Whole;
use crate::store::{self, Conn, Constraint, StoreError};

/// An invoice to enter.
#[derive(Debug, Clone)]
pub struct NewInvoice {
    pub invoice_no: String,
    pub issued_on: NaiveDate,
}

/// Invoices a charge. 422 for number and day, 409 `already_invoiced`, `invoice_no_used`, and `period_locked` when what was
/// paid before would count in a final year.
pub async fn invoice(
    run: &Run<Whole>,
    id: ChargeId,
    new: Result<NewInvoice, AppError>,
) -> Outcome<Whole> {
    run.on(id, new, enter).await
}

fn enter(
    tx: &mut Conn,
    actor: &Actor,
    context: ChargeContext,
    new: &NewInvoice,
) -> Result<Whole, AppError> {
    let (whole, issued_on) = (&context.whole, new.issued_on);
    let id = whole.charge.id;
    let number = check(&new.invoice_no, issued_on, actor)?;
    refuse_voided(&whole.charge)?;
    if let Some(invoice) = &whole.invoice {
        return Err(already_invoiced(&whole.charge, &invoice.invoice_no));
    }
    let years: BTreeSet<i32> = whole.received().map(|p| p.paid_on.year()).collect();
    yearly_run::refuse_locked(tx, &years.into_iter().collect::<Vec<_>>())?;
    let after = json!({
        "version": whole.charge.version,
        "invoice_no": number.as_str(),
        "issued_on": issued_on,
    });
    let event = append_event(tx, actor, Action::ChargeInvoice, &context, after)?;
    store::charge::update_state(tx, id, ChargeState::Invoiced, event)?;
    store::invoice::insert(tx, &whole.charge, &number, issued_on, event, actor.now).map_err(
        |error| match error {
            StoreError::Violated(Constraint::InvoiceNo) => {
                AppError::conflict(Code::invoice_no_used).with("invoice_no", number.as_str())
            }
            StoreError::Violated(Constraint::InvoiceLineCharge) => {
                AppError::conflict(Code::already_invoiced)
            }
            other => other.into(),
        },
    )?;
    let charge = store::charge::get(tx, id)?;
    Ok(store::charge::get_whole(tx, charge)?)
}

fn check(invoice_no: &str, issued_on: NaiveDate, actor: &Actor) -> Result<InvoiceNo, AppError> {
    let mut faults = Faults::new();
    let number = InvoiceNo::parse(invoice_no);
    faults.extend(number.clone().err());
    faults.extend(check_day("issued_on", issued_on, actor.now.local_date()).err());
    match number {
        Ok(number) => Ok(faults.into_result().map(|()| number)?),
        Err(_) => Err(faults.into_vec().into()),
    }
}
