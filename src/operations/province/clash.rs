//! What a row ran into when the database refused a batch: its file, its row and the other record.

use super::Writing;
use crate::domain::Slot;
use crate::domain::charge::InvoiceNo;
use crate::domain::usage::UsageState;
use crate::error::{AppError, Code};
use crate::store::province::{self, NewService};
use crate::store::usage::{Columns, Target};
use crate::store::{self, Conn, Constraint, StoreError};

/// The refusal of a batch, with the first row that is in the way of another one or of a stored record.
pub(super) fn named(
    tx: &mut Conn,
    writing: &Writing,
    rows: &[u32],
    services: &[NewService],
    error: StoreError,
) -> Result<AppError, AppError> {
    let (code, columns) = match error {
        StoreError::Violated(Constraint::UsageOverlap) => {
            (Code::usage_overlaps, &["started_at", "ended_at"][..])
        }
        StoreError::Violated(Constraint::InvoiceNo) => (Code::invoice_no_used, &["invoice_no"][..]),
        other => return Err(other.into()),
    };
    let is_overlap = code == Code::usage_overlaps;
    let at = |row: u32, record_no: Option<&String>| {
        let conflict = AppError::conflict(code)
            .with("file", writing.file.as_str())
            .with("row", row)
            .with("columns", columns.to_vec());
        match record_no {
            Some(record_no) => conflict.with("record_no", record_no.as_str()),
            None => conflict,
        }
    };
    for (place, (row, service)) in rows.iter().zip(services).enumerate() {
        let before = rows.iter().zip(services).take(place);
        let mut in_the_way = before.filter(|(_, before)| match is_overlap {
            true => overlap(&before.record, &service.record),
            false => number(service).is_some_and(|own| number(before) == Some(own)),
        });
        if let Some((other_row, other)) = in_the_way.next() {
            let record_no = other.record.record_no.as_ref();
            return Ok(at(*row, record_no).with("other_row", *other_row));
        }
        let stored = match is_overlap {
            true => overlapped(tx, &service.record)?,
            false => invoiced(tx, service)?,
        };
        if let Some((id, record_no)) = stored {
            let told = at(*row, record_no.as_ref());
            return Ok(match id {
                Some(id) => told.with("existing_id", id),
                None => told,
            });
        }
    }
    Ok(AppError::conflict(code).with("file", writing.file.as_str()))
}

/// A stored record, by its id and its number.
pub(super) type Stored = (Option<i64>, Option<String>);

fn overlap(one: &Columns, other: &Columns) -> bool {
    one.instrument_id == other.instrument_id
        && one.started_at < other.ended_at
        && other.started_at < one.ended_at
        && one.state != UsageState::Voided
        && other.state != UsageState::Voided
}

fn overlapped(tx: &mut Conn, record: &Columns) -> Result<Option<Stored>, AppError> {
    let slot = Slot::new(record.started_at, record.ended_at).ok();
    let Some(slot) = slot.filter(|_| record.state != UsageState::Voided) else {
        return Ok(None);
    };
    let target = Target {
        instrument_id: record.instrument_id,
        channel: record.channel,
        slot,
        except: None,
    };
    let found = store::usage::find_overlap(tx, &target)?;
    Ok(found.map(|other| (Some(other.id.number()), other.record_no)))
}

fn number(service: &NewService) -> Option<&str> {
    let invoice = service.charge.as_ref()?.invoice.as_ref()?;
    Some(invoice.0.as_str())
}

/// Whose service has the number; of a red-letter invoice it is not told.
pub(super) fn invoiced(tx: &mut Conn, service: &NewService) -> Result<Option<Stored>, AppError> {
    let Some(number) = number(service) else {
        return Ok(None);
    };
    if let Some((id, record_no)) = province::find_invoiced(tx, number)? {
        return Ok(Some((Some(id.number()), record_no)));
    }
    let is_used = match InvoiceNo::parse(number) {
        Ok(number) => store::invoice::is_number_used(tx, &number)?,
        Err(_) => false,
    };
    Ok(is_used.then_some((None, None)))
}
