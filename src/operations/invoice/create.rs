//! The host invoices charges of one payer, all or none.

use serde_json::json;

use super::{Head, issue, refuse_invoiced, refuse_locked};
use crate::domain::access::Action;
use crate::domain::charge::{INVOICE_CHARGES_MAX, InvoiceNo};
use crate::domain::{ChargeId, Fault, Fen};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::charge::ChargeContext;
use crate::operations::run::{Outcome, Run};
use crate::operations::subject::{Subject, authorize};
use crate::store::charge::Charge;
use crate::store::event::Subject as EventSubject;
use crate::store::invoice::WholeInvoice;
use crate::store::{self, Conn};

/// An invoice to enter.
#[derive(Debug, Clone)]
pub struct NewInvoice {
    pub head: Head,
    pub charge_ids: Vec<ChargeId>,
}

/// Invoices charges. 422 for number, day and charges (`unknown_reference`, `not_one_payer_and_host`), 409 `already_invoiced`,
/// `invalid_state`, `invoice_no_used`, and `period_locked` when what was paid before would count in a final year.
pub async fn create(
    run: &Run<WholeInvoice>,
    new: Result<NewInvoice, AppError>,
) -> Outcome<WholeInvoice> {
    run.with(new, enter).await
}

fn enter(tx: &mut Conn, actor: &Actor, new: &NewInvoice) -> Result<WholeInvoice, AppError> {
    let number = check(new, actor)?;
    let claimed = claim_all(tx, actor, &new.charge_ids)?;
    let wholes = claimed.iter().map(|context| &context.whole);
    for whole in wholes.clone() {
        refuse_invoiced(whole)?;
    }
    refuse_locked(tx, wholes.clone(), new.head.issued_on)?;
    let charges: Vec<&Charge> = wholes.map(|whole| &whole.charge).collect();
    let first = charges.first().ok_or(AppError::NotFound)?;
    let (host, payer) = (first.host_organization_id, first.payer_organization_id);
    let amount_fen = Fen::sum(charges.iter().map(|charge| charge.amount_fen))
        .map_err(|_| AppError::refused("charge_ids", Code::out_of_range))?;
    let id = store::invoice::reserve_id(tx)?;
    let ids: Vec<ChargeId> = charges.iter().map(|charge| charge.id).collect();
    let event = actor
        .event(Action::InvoiceCreate, EventSubject::new("invoice", id))
        .of(host, Some(payer))
        .after(json!({
            "version": 1,
            "invoice_no": number.as_str(),
            "issued_on": new.head.issued_on,
            "amount_fen": amount_fen,
            "charge_ids": ids,
        }))?;
    let event = store::event::append(tx, &event)?;
    let head = (&number, new.head.issued_on);
    issue(tx, actor, (id, event), &charges, head)?;
    Ok(store::invoice::get_whole(tx, id)?)
}

/// The number, or all that is wrong before any charge is looked at.
fn check(new: &NewInvoice, actor: &Actor) -> Result<InvoiceNo, AppError> {
    let number = new.head.check(actor);
    let mut faults: Vec<Fault> = number.as_ref().err().cloned().unwrap_or_default();
    let ids = &new.charge_ids;
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let field = |code| Fault::field("charge_ids", code);
    if ids.is_empty() {
        faults.push(field(Code::required));
    } else if ids.len() > INVOICE_CHARGES_MAX {
        let most = i64::try_from(INVOICE_CHARGES_MAX).map_err(AppError::internal)?;
        let sent = i64::try_from(ids.len()).map_err(AppError::internal)?;
        faults.push(field(Code::too_many).limit(most).actual(sent));
    } else if distinct.len() < ids.len() {
        faults.push(field(Code::duplicate));
    }
    match number {
        Ok(number) if faults.is_empty() => Ok(number),
        _ => Err(faults.into()),
    }
}

/// The charges under their locks, taken in the order of their ids; those that are not the caller's to see are unknown
/// references, and all are owed by one payer to one host.
fn claim_all(
    tx: &mut Conn,
    actor: &Actor,
    ids: &[ChargeId],
) -> Result<Vec<ChargeContext>, AppError> {
    let mut places: Vec<(ChargeId, usize)> = ids.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let (mut claimed, mut faults) = (Vec::with_capacity(ids.len()), Vec::new());
    for (id, place) in places {
        let admitted = ChargeContext::lock_and_load(tx, actor, id).and_then(|context| {
            authorize(actor, Action::InvoiceCreate, &context.ties())?;
            Ok(context)
        });
        match admitted {
            Ok(context) => claimed.push(context),
            Err(AppError::NotFound) => {
                let field = format!("charge_ids[{place}]");
                faults.push(Fault::field(field, Code::unknown_reference).actual(id));
            }
            Err(other) => return Err(other),
        }
    }
    let whose = |context: &ChargeContext| {
        let charge = &context.whole.charge;
        (charge.host_organization_id, charge.payer_organization_id)
    };
    let first = claimed.first().map(whose);
    if claimed.iter().any(|context| Some(whose(context)) != first) {
        faults.push(Fault::field("charge_ids", Code::not_one_payer_and_host));
    }
    AppError::refuse_all(faults)?;
    Ok(claimed)
}
