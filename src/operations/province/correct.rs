//! A stored service is corrected as its host would correct it: the record in a new version, an open charge made anew; what is
//! invoiced, paid or reviewed stands.

use super::Writing;
use super::change::Differences;
use crate::domain::EventId;
use crate::error::{AppError, Code};
use crate::operations::{charge, usage};
use crate::store::event::Subject;
use crate::store::province::{self, NewCharge, NewService, StoredService};
use crate::store::review::NewReview;
use crate::store::usage::{Columns, Target};
use crate::store::{self, Conn};

/// What a version of the record says.
const OF_RECORD: &[&str] = &[
    "user_uscc",
    "mode",
    "purpose",
    "started_at",
    "ended_at",
    "prepare_minutes",
    "run_minutes",
    "post_minutes",
    "samples",
    "statutory",
    "service_class",
    "project",
    "project_level",
    "evidence",
    "status",
];

/// What makes another charge.
const OF_CHARGE: &[&str] = &["fee_fen", "user_uscc"];
const OF_INVOICE: &[&str] = &["invoice_no", "invoiced_on"];
const OF_PAYMENT: &[&str] = &["paid_on", "voucher_fen"];

/// Makes a stored service say what its row says, or refuses the row. Its year is not final.
pub(super) fn correct(
    tx: &mut Conn,
    writing: &mut Writing,
    (row, service): (u32, &NewService),
    stored: &StoredService,
    differences: &Differences,
) -> Result<(), AppError> {
    refuse_standing(writing, row, stored, differences)?;
    let event = match differences.has(OF_RECORD) {
        true => rewrite(tx, writing, (row, service), stored)?,
        false => {
            let subject = Subject::new("usage_record", stored.record.id);
            writing.correction(tx, subject, differences)?
        }
    };
    let service = NewService {
        record: Columns {
            event_id: event,
            ..service.record.clone()
        },
        ..service.clone()
    };
    if differences.has(OF_CHARGE) {
        let voided = charge::void_for(tx, writing.actor, stored.record.id, event);
        writing.at(row, &differences.among(OF_CHARGE), voided)?;
        if service.charge.is_some() {
            refuse_used(tx, writing, row, &service)?;
            province::insert_charge(tx, stored.record.id, &service)?;
        }
    } else if differences.has(OF_INVOICE) || differences.has(OF_PAYMENT) {
        add_money(tx, writing, (row, service.clone()), stored, event)?;
    }
    if differences.has(&["satisfaction"])
        && let Some(satisfaction) = service.satisfaction
    {
        let review = NewReview {
            usage_record_id: stored.record.id,
            organization_id: service.record.organization_id,
            satisfaction,
            comment: None,
        };
        store::review::insert(tx, review, event, writing.actor.now)?;
    }
    Ok(())
}

/// What no host corrects: the instrument, an invoice, money that was received, a review.
fn refuse_standing(
    writing: &Writing,
    row: u32,
    stored: &StoredService,
    differences: &Differences,
) -> Result<(), AppError> {
    let number = stored.record.record_no.as_deref().unwrap_or_default();
    let refuse = |code: Code, columns: &[&str]| {
        let refused = Err(AppError::conflict(code).with("key", number));
        writing.at(row, &differences.among(columns), refused)
    };
    let columns = differences.among(&["asset_no"]);
    if !columns.is_empty() {
        return Err(writing.differs(row, number, &columns));
    }
    let money = [OF_CHARGE, OF_INVOICE].concat();
    if stored.invoice.is_some() && differences.has(&money) {
        return refuse(Code::already_invoiced, &money);
    }
    let money = [OF_CHARGE, OF_PAYMENT].concat();
    if !stored.payments.is_empty() && differences.has(&money) {
        let columns = differences.among(&money);
        return Err(writing.differs(row, number, &columns));
    }
    if stored.satisfaction.is_some() && differences.has(&["satisfaction"]) {
        return refuse(Code::already_reviewed, &["satisfaction"]);
    }
    Ok(())
}

/// The next version of the record; its event.
fn rewrite(
    tx: &mut Conn,
    writing: &mut Writing,
    (row, service): (u32, &NewService),
    stored: &StoredService,
) -> Result<EventId, AppError> {
    let (present, said) = (&stored.record, &service.record);
    let is_of_another = said.organization_id != present.organization_id;
    if is_of_another && present.booking_id.is_some() {
        let booked = present.booking_id.map(|id| id.to_string());
        let booked = booked.unwrap_or_default();
        return Err(writing.refused(row, "user_uscc", Code::read_only, &booked));
    }
    let before = present.columns();
    let next = Columns {
        booking_id: present.booking_id,
        channel: present.channel,
        reason: before.reason,
        entered_at: before.entered_at,
        entered_by: before.entered_by,
        // Operator and reference are the using unit's own: they do not go along to another.
        operator: before.operator.filter(|_| !is_of_another),
        reference: present
            .client_reference
            .clone()
            .filter(|_| !is_of_another)
            .into(),
        ..said.clone()
    };
    refuse_overlap(tx, writing, row, stored, &next)?;
    let corrected = usage::correct_as_told(tx, writing.actor, (present, service.host), next);
    writing.at(row, OF_RECORD, corrected)
}

/// The next version has its time for itself.
fn refuse_overlap(
    tx: &mut Conn,
    writing: &Writing,
    row: u32,
    stored: &StoredService,
    next: &Columns,
) -> Result<(), AppError> {
    if next.state == crate::domain::usage::UsageState::Voided {
        return Ok(());
    }
    let slot = crate::domain::Slot::new(next.started_at, next.ended_at);
    let target = Target {
        instrument_id: next.instrument_id,
        channel: next.channel,
        slot: slot.map_err(AppError::internal)?,
        except: Some(stored.record.id),
    };
    let Some(other) = store::usage::find_overlap(tx, &target)? else {
        return Ok(());
    };
    let conflict = AppError::conflict(Code::usage_overlaps).with("existing_id", other.id.number());
    let conflict = match other.record_no {
        Some(number) => conflict.with("record_no", number),
        None => conflict,
    };
    writing.at(row, &["started_at", "ended_at"], Err(conflict))
}

/// The invoice number of a corrected row is nobody's.
fn refuse_used(
    tx: &mut Conn,
    writing: &Writing,
    row: u32,
    service: &NewService,
) -> Result<(), AppError> {
    match super::clash::invoiced(tx, service)? {
        None => Ok(()),
        Some((id, record_no)) => {
            let conflict = AppError::conflict(Code::invoice_no_used)
                .with("existing_id", id)
                .with("record_no", record_no);
            writing.at(row, &["invoice_no"], Err(conflict))
        }
    }
}

/// An invoice or payments that came later, for the charge that stands.
fn add_money(
    tx: &mut Conn,
    writing: &Writing,
    (row, mut service): (u32, NewService),
    stored: &StoredService,
    event: EventId,
) -> Result<(), AppError> {
    let Some(present) = store::charge::find_of_usage(tx, stored.record.id)? else {
        return Ok(());
    };
    let charge = store::charge::claim(tx, present.id, writing.actor.now)?;
    if let Some(NewCharge {
        invoice, payments, ..
    }) = &mut service.charge
    {
        if stored.invoice.is_some() {
            *invoice = None;
        }
        if !stored.payments.is_empty() {
            payments.clear();
        }
    }
    if let Some(told) = &service.charge {
        province::update_voucher(tx, charge.id, told.voucher_fen)?;
    }
    refuse_used(tx, writing, row, &service)?;
    province::insert_money(tx, charge.id, &service)?;
    let is_invoiced = service.charge.as_ref();
    if is_invoiced.is_some_and(|charge| charge.invoice.is_some()) {
        let state = crate::domain::charge::ChargeState::Invoiced;
        store::charge::update_state(tx, charge.id, state, event)?;
    }
    Ok(())
}
