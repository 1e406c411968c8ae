//! Whether a service can have been as its row says: the rules that every other entrance keeps, the order of its days, and the
//! money.

use chrono::NaiveDate;

use super::{ProvinceUsage, Writing};
use crate::domain::Fen;
use crate::domain::charge::{InvoiceNo, PaymentSource, check_day};
use crate::domain::fault::Faults;
use crate::domain::tariff::Quote;
use crate::domain::usage::{GivenMinutes, ServiceContext, UsageMinutes, check_interval};
use crate::error::{AppError, Code, Fault};
use crate::store::province::NewCharge;

/// The minutes of a service that keeps the rules of every other entrance.
pub(super) fn check_service(
    writing: &Writing,
    row: u32,
    given: &ProvinceUsage,
    accepted_on: NaiveDate,
) -> Result<UsageMinutes, AppError> {
    let minutes = GivenMinutes {
        prepare: Some(given.prepare_minutes),
        run: Some(given.run_minutes),
        post: Some(given.post_minutes),
    };
    let now = writing.actor.now;
    let mut faults = check_interval(&given.slot, now);
    let mut of_context = Faults::new();
    let context = given.context.onto(ServiceContext::default());
    context.check(&mut of_context);
    faults.extend(of_context.into_vec());
    let served_on = given.slot.starts_at().local_date();
    if served_on < accepted_on {
        let early = Fault::field("started_at", Code::dates_out_of_order);
        faults.push(early.limit(accepted_on).actual(served_on));
    }
    for (column, day) in [
        ("invoiced_on", given.invoiced_on),
        ("paid_on", given.paid_on),
    ] {
        let Some(day) = day else { continue };
        match check_day(column, day, now.local_date()) {
            Ok(()) if day < served_on => {
                let early = Fault::field(column, Code::dates_out_of_order);
                faults.push(early.limit(served_on).actual(day));
            }
            Ok(()) => {}
            Err(fault) => faults.push(fault),
        }
    }
    match UsageMinutes::within(&given.slot, minutes) {
        Ok(minutes) if faults.is_empty() => return Ok(minutes),
        Ok(_) => {}
        Err(more) => faults.extend(more),
    }
    Err(writing.faulty(row, faults))
}

pub(super) fn charge(
    writing: &Writing,
    row: u32,
    given: &ProvinceUsage,
    price: Quote,
) -> Result<Option<NewCharge>, AppError> {
    if given.fee_fen == Fen::ZERO {
        return Ok(None);
    }
    let invoice = match (&given.invoice_no, given.invoiced_on) {
        (Some(invoice_no), Some(issued_on)) => {
            let number = InvoiceNo::parse(invoice_no);
            let number = number.map_err(|fault| writing.faulty(row, vec![fault]))?;
            Some((number.as_str().to_owned(), issued_on))
        }
        (Some(invoice_no), None) => {
            return Err(writing.refused(row, "invoiced_on", Code::required, invoice_no));
        }
        (None, _) => None,
    };
    let payments = payments(given).ok_or_else(|| {
        let voucher = given.voucher_fen.to_string();
        writing.refused(row, "voucher_fen", Code::out_of_range, &voucher)
    })?;
    Ok(Some(NewCharge {
        price,
        voucher_fen: given.voucher_fen,
        invoice,
        payments,
    }))
}

/// What the payer and the voucher paid; `None` when the voucher's part is more than the fee.
pub(super) fn payments(given: &ProvinceUsage) -> Option<Vec<(NaiveDate, PaymentSource, Fen)>> {
    let payer = given.fee_fen.checked_sub(given.voucher_fen).ok()?;
    if payer < Fen::ZERO || given.voucher_fen < Fen::ZERO {
        return None;
    }
    let paid = [
        (PaymentSource::Payer, payer),
        (PaymentSource::Voucher, given.voucher_fen),
    ];
    let paid_on = given.paid_on.filter(|_| given.fee_fen > Fen::ZERO);
    let lines = paid_on.into_iter().flat_map(|on| {
        paid.into_iter()
            .filter(|(_, amount)| *amount > Fen::ZERO)
            .map(move |(source, amount)| (on, source, amount))
    });
    Some(lines.collect())
}
