//! Invoices: one for any number of charges of one payer and one host, under a number that was never used on the platform; and
//! its annulment, after which the charges are free again. A charge's short form is in `charge`.

mod annul;
mod context;
mod create;
mod read;

use chrono::NaiveDate;

use crate::domain::charge::{ChargeState, InvoiceNo, check_day};
use crate::domain::fault::Faults;
use crate::domain::policy::IncomeBy;
use crate::domain::{EventId, Fault, InvoiceId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::usage::day_of;
use crate::operations::yearly_run;
use crate::store::charge::{Charge, Whole};
use crate::store::{self, Conn, Constraint, StoreError};

pub use annul::{Annulment, annul};
pub use create::{NewInvoice, create};
pub use read::{get, list};

/// Number and day of an invoice, unchecked.
#[derive(Debug, Clone)]
pub struct Head {
    pub invoice_no: String,
    pub issued_on: NaiveDate,
}

impl Head {
    /// The number, or what is wrong with number and day.
    pub fn check(&self, actor: &Actor) -> Result<InvoiceNo, Vec<Fault>> {
        let mut faults = Faults::new();
        let number = InvoiceNo::parse(&self.invoice_no);
        faults.extend(number.clone().err());
        let today = actor.now.local_date();
        faults.extend(check_day("issued_on", self.issued_on, today).err());
        match number {
            Ok(number) => faults.into_result().map(|()| number),
            Err(_) => Err(faults.into_vec()),
        }
    }
}

/// 409 for a charge that cannot be invoiced: it is voided, or stands on an invoice.
pub fn refuse_invoiced(whole: &Whole) -> Result<(), AppError> {
    let charge = &whole.charge;
    if let Some(invoice) = &whole.invoice {
        return Err(AppError::conflict(Code::already_invoiced)
            .with("charge_id", charge.id.number())
            .with("invoice_id", invoice.id.number())
            .with("invoice_no", invoice.invoice_no.as_str()));
    }
    if charge.state != ChargeState::Voided {
        return Ok(());
    }
    Err(AppError::conflict(Code::invalid_state)
        .with("charge_id", charge.id.number())
        .with("state", ChargeState::Voided.as_str())
        .with("allowed", Vec::<&str>::new()))
}

/// 409 `period_locked` when money of these charges, by whatever date a final run counted it, lies in its days: by an invoice of that
/// day it would begin to count, by an annulment it would stop.
pub fn refuse_locked<'a>(
    tx: &mut Conn,
    charges: impl Iterator<Item = &'a Whole>,
    issued_on: NaiveDate,
) -> Result<(), AppError> {
    let mut days = vec![(IncomeBy::InvoicedOn, issued_on)];
    for whole in charges {
        let received = whole.received();
        days.extend(received.map(|payment| (IncomeBy::PaidOn, payment.paid_on)));
        days.push((IncomeBy::EndedAt, day_of(whole.service.ended_at)));
    }
    yearly_run::refuse_locked_money(tx, &days)
}

/// Writes the invoice of charges that were claimed and can be invoiced. 409 `invoice_no_used`, `already_invoiced`.
pub fn issue(
    tx: &mut Conn,
    actor: &Actor,
    (id, event): (InvoiceId, EventId),
    charges: &[&Charge],
    (number, issued_on): (&InvoiceNo, NaiveDate),
) -> Result<(), AppError> {
    if store::invoice::is_number_used(tx, number)? {
        return Err(number_used(number));
    }
    for charge in charges {
        store::charge::update_state(tx, charge.id, ChargeState::Invoiced, event)?;
    }
    let head = (number, issued_on);
    store::invoice::insert(tx, id, charges, head, event, actor.now).map_err(|error| match error {
        StoreError::Violated(Constraint::InvoiceNo) => number_used(number),
        StoreError::Violated(Constraint::InvoiceLineCharge) => {
            AppError::conflict(Code::already_invoiced)
        }
        other => other.into(),
    })
}

fn number_used(number: &InvoiceNo) -> AppError {
    AppError::conflict(Code::invoice_no_used).with("invoice_no", number.as_str())
}
