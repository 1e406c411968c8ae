//! The host takes an invoice back: its charges are free again, its number stays used, and what was paid stays with the charges.

use serde_json::json;

use super::context::InvoiceContext;
use super::refuse_locked;
use crate::domain::access::Action;
use crate::domain::charge::{ChargeState, InvoiceNo, InvoiceState};
use crate::domain::{ChargeId, InvoiceId, Reason};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, personal};
use crate::store::event::Subject;
use crate::store::invoice::{Annulled, WholeInvoice};
use crate::store::{self, Conn, Constraint, StoreError};

/// Why, and the number of the red-letter invoice where one was issued.
#[derive(Debug, Clone)]
pub struct Annulment {
    pub reason: Option<String>,
    pub red_letter_no: Option<String>,
}

/// Annuls an invoice. 422 for reason and number, 409 `invalid_state` when it is annulled, `invoice_no_used` for the red-letter
/// number, `period_locked` when what was paid counts in a final year.
pub async fn annul(
    run: &Run<WholeInvoice>,
    id: InvoiceId,
    annulment: Result<Annulment, AppError>,
) -> Outcome<WholeInvoice> {
    run.on(id, annulment, take_back).await
}

fn take_back(
    tx: &mut Conn,
    actor: &Actor,
    context: InvoiceContext,
    annulment: &Annulment,
) -> Result<WholeInvoice, AppError> {
    let red_letter_no = check(annulment)?;
    let invoice = &context.whole.invoice;
    if invoice.state() == InvoiceState::Annulled {
        return Err(AppError::conflict(Code::invalid_state)
            .with("state", invoice.state().as_str())
            .with("allowed", Vec::<&str>::new()));
    }
    let charges = context.charges.iter().map(|charge| &charge.whole);
    refuse_locked(tx, charges, invoice.issued_on)?;
    let used = |number: &InvoiceNo| {
        AppError::conflict(Code::invoice_no_used).with("red_letter_no", number.as_str())
    };
    if let Some(number) = &red_letter_no
        && store::invoice::is_number_used(tx, number)?
    {
        return Err(used(number));
    }
    let event = event(tx, actor, &context, annulment, red_letter_no.as_ref())?;
    let annulled = Annulled {
        reason: annulment.reason.as_deref(),
        red_letter_no: red_letter_no.as_ref(),
        event,
        now: actor.now,
    };
    store::invoice::update_annulled(tx, invoice.id, annulled).map_err(|error| {
        match (error, &red_letter_no) {
            (StoreError::Violated(Constraint::InvoiceRedLetterNo), Some(number)) => used(number),
            (other, _) => other.into(),
        }
    })?;
    for charge in &context.charges {
        store::charge::update_state(tx, charge.whole.charge.id, ChargeState::Open, event)?;
    }
    Ok(store::invoice::get_whole(tx, invoice.id)?)
}

fn event(
    tx: &mut Conn,
    actor: &Actor,
    context: &InvoiceContext,
    annulment: &Annulment,
    red_letter_no: Option<&InvoiceNo>,
) -> Result<crate::domain::EventId, AppError> {
    let invoice = &context.whole.invoice;
    let lines = context.whole.lines.iter();
    let charges: Vec<ChargeId> = lines.map(|line| line.charge_id).collect();
    let event = actor
        .event(Action::InvoiceAnnul, Subject::new("invoice", invoice.id))
        .of(
            invoice.host_organization_id,
            Some(invoice.payer_organization_id),
        )
        .before(json!({
            "version": invoice.version - 1,
            "state": InvoiceState::Issued,
            "invoice_no": invoice.invoice_no,
            "charge_ids": charges,
        }))?
        .after(json!({
            "version": invoice.version,
            "state": InvoiceState::Annulled,
            "red_letter_no": red_letter_no.map(InvoiceNo::as_str),
        }))?
        .personal(personal(json!({ "reason": annulment.reason }))?);
    Ok(store::event::append(tx, &event)?)
}

fn check(annulment: &Annulment) -> Result<Option<InvoiceNo>, AppError> {
    let reason = Reason::read(annulment.reason.as_deref(), true);
    let number = annulment.red_letter_no.as_deref();
    let number = number.map(InvoiceNo::parse_red_letter).transpose();
    match (reason, number) {
        (Ok(_), Ok(number)) => Ok(number),
        (reason, number) => {
            let faults = [reason.err(), number.err()];
            Err(faults.into_iter().flatten().collect::<Vec<_>>().into())
        }
    }
}
