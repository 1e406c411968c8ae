//! What of a unit's year is not in the base of its award, by reason and down to the records.

use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::output;
use crate::error::text::Language;
use crate::operations::yearly_run::explain::{LeftOutReason, UnitExplanation};

/// The records of the reason that was asked for.
pub fn print(explanation: &UnitExplanation, asked: Option<LeftOutReason>) -> Result<(), Failure> {
    let (Some(page), Some(reason)) = (&explanation.left_out, asked) else {
        return Ok(());
    };
    let rows: Vec<_> = page
        .records
        .iter()
        .map(|record| {
            [
                record.usage_record_id.to_string(),
                record.version.to_string(),
                record.instrument_id.to_string(),
                record.organization_id.to_string(),
                record.effective_minutes.number().to_string(),
                record.amount.to_string(),
            ]
        })
        .collect();
    output::say(&format!("\nLeft out as {reason}"))?;
    let headings = ["record", "version", "instrument", "user", "minutes", "yuan"];
    output::table(headings, &rows)?;
    match page.next {
        Some(next) => output::say(&format!("More: --left-out {reason} --after {next}")),
        None => Ok(()),
    }
}

/// The sums as JSON.
pub fn document(explanation: &UnitExplanation, language: Language) -> Value {
    let all = explanation.money.left_out.iter();
    let all = all.map(|(reason, sum)| {
        json!({
            "reason": reason,
            "sentence": language.said(&reason.sentence()),
            "records": sum.records,
            "minutes": sum.minutes,
            "amount_fen": sum.amount,
            "amount_yuan": sum.amount.to_string(),
        })
    });
    all.collect()
}

/// The records of the reason asked for as JSON, with the charge to go on after.
pub fn records(explanation: &UnitExplanation) -> Value {
    let Some(page) = &explanation.left_out else {
        return Value::Null;
    };
    let records = page.records.iter().map(|record| {
        json!({
            "usage_record_id": record.usage_record_id,
            "version": record.version,
            "charge_id": record.charge_id,
            "instrument_id": record.instrument_id,
            "organization_id": record.organization_id,
            "effective_minutes": record.effective_minutes,
            "amount_fen": record.amount,
        })
    });
    json!({ "records": records.collect::<Vec<_>>(), "next": page.next })
}
