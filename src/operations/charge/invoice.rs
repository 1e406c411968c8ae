//! The host invoices one charge: the short form of an invoice.

use serde_json::json;

use super::append_event;
use super::context::ChargeContext;
use crate::domain::ChargeId;
use crate::domain::access::Action;
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::invoice::{self, Head};
use crate::operations::run::{Outcome, Run};
use crate::store::charge::Whole;
use crate::store::{self, Conn};

/// Invoices a charge. 422 for number and day, 409 `already_invoiced`, `invoice_no_used`, and `period_locked` when what was
/// paid before would count in a final year.
pub async fn invoice(
    run: &Run<Whole>,
    id: ChargeId,
    head: Result<Head, AppError>,
) -> Outcome<Whole> {
    run.on(id, head, enter).await
}

fn enter(
    tx: &mut Conn,
    actor: &Actor,
    context: ChargeContext,
    head: &Head,
) -> Result<Whole, AppError> {
    let whole = &context.whole;
    let number = head.check(actor)?;
    invoice::refuse_invoiced(whole)?;
    invoice::refuse_locked(tx, std::iter::once(whole), head.issued_on)?;
    let id = store::invoice::reserve_id(tx)?;
    let after = json!({
        "version": whole.charge.version,
        "invoice_id": id,
        "invoice_no": number.as_str(),
        "issued_on": head.issued_on,
    });
    let event = append_event(tx, actor, Action::ChargeInvoice, &context, after)?;
    let named = (&number, head.issued_on);
    invoice::issue(tx, actor, (id, event), &[&whole.charge], named)?;
    let charge = store::charge::get(tx, whole.charge.id)?;
    Ok(store::charge::get_whole(tx, charge)?)
}
