//! The charges of a list as a spreadsheet.

use super::{declared, filter};
use crate::domain::access::Action;
use crate::domain::charge::ChargeState;
use crate::error::AppError;
use crate::exchange::charge::{ChargeRow, write};
use crate::exchange::sheet::{Format, MAX_ROWS};
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::http::feed::Start;
use crate::http::params::Params;
use crate::http::route::{Route, get};
use crate::operations::charge;
use crate::store::charge::{Filter, Names, Whole};

const PARAMETERS: &[&str] = &[
    "format",
    "usage_record_id",
    "instrument_id",
    "host_organization_id",
    "payer_organization_id",
    "organization_id",
    "state",
    "open",
    "declared",
    "from",
    "until",
];

pub fn route() -> Route {
    get(
        "/charges/export",
        Action::ChargeExport,
        "The charges of a list as a spreadsheet",
        export,
    )
    .parameters(PARAMETERS)
    .words::<Format>("format")
    .words::<ChargeState>("state")
    .heavy()
    .answers_status(200)
}

async fn export(context: RequestContext) -> Answer {
    let (format, filter) = match context.params().and_then(|params| exported(&params)) {
        Ok((format, filter)) => (format, Ok(filter)),
        Err(fault) => (Format::Xlsx, Err(fault)),
    };
    let (charges, names) = charge::export(&context.app, &context.reader(), filter).await?;
    let rows: Vec<ChargeRow> = charges
        .into_iter()
        .map(|whole| row_of(whole, &names))
        .collect();
    let bytes = write(&rows, format).map_err(AppError::internal)?;
    let name = match format {
        Format::Csv => "charges.csv",
        Format::Xlsx => "charges.xlsx",
    };
    context.download(format.media_type(), name, bytes)
}

fn exported(params: &Params) -> Result<(Format, Filter), AppError> {
    let format = params.one("format")?.unwrap_or(Format::Xlsx);
    let most = i64::try_from(MAX_ROWS).map_err(AppError::internal)?;
    Ok((format, filter(params, &Start::Newest(None), most)?))
}

fn row_of(whole: Whole, names: &Names) -> ChargeRow {
    let (balance, declared_fen) = (whole.balance(), declared(&whole));
    let charge = &whole.charge;
    let unit = |id| names.units.get(&id).cloned();
    let instrument = names.instruments.get(&whole.service.instrument_id).cloned();
    let (asset_no, instrument_name) = instrument.unwrap_or_default();
    let payer = unit(charge.payer_organization_id);
    let (payer_name, payer_uscc) = payer
        .map(|(name, uscc)| (name, uscc.as_str().to_owned()))
        .unwrap_or_default();
    ChargeRow {
        charge_id: charge.id,
        usage_record_id: charge.usage_record_id,
        host_name: unit(charge.host_organization_id)
            .map(|(name, _)| name)
            .unwrap_or_default(),
        asset_no,
        instrument_name,
        payer_uscc,
        payer_name,
        started_at: whole.service.started_at,
        ended_at: whole.service.ended_at,
        state: balance.state(),
        amount_fen: charge.amount_fen,
        received_fen: balance.paid_fen,
        declared_fen,
        outstanding_fen: balance.outstanding(),
        invoice: whole
            .invoice
            .map(|invoice| (invoice.invoice_no, invoice.issued_on)),
    }
}
