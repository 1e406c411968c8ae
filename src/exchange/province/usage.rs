//! `usage.csv`: one row a service, with its fee, invoice, payment and review. Millions of rows are read as a stream.

use std::io::Read;

use crate::domain::Fault;
use crate::domain::usage::ContextChange;
use crate::exchange::sheet::{Column, Encoding, Kind, Row, Stream};
use crate::exchange::words;
use crate::operations::province::ProvinceUsage;

const COLUMNS: &[Column] = &[
    Column::plain("record_no", Kind::Text).required(),
    Column::plain("host_uscc", Kind::Text).required(),
    Column::plain("asset_no", Kind::Text).required(),
    Column::plain("user_uscc", Kind::Text).required(),
    Column::plain("mode", Kind::Word(words::MODES)).required(),
    Column::plain("purpose", Kind::Word(words::PURPOSES)).required(),
    Column::plain("started_at", Kind::Instant).required(),
    Column::plain("ended_at", Kind::Instant).required(),
    Column::plain("prepare_minutes", Kind::Integer).required(),
    Column::plain("run_minutes", Kind::Integer).required(),
    Column::plain("post_minutes", Kind::Integer).required(),
    Column::plain("samples", Kind::Integer).required(),
    Column::plain("statutory", Kind::Truth).required(),
    Column::plain("evidence", Kind::Text).required(),
    Column::plain("status", Kind::Text).required(),
    Column::plain("fee_fen", Kind::Fen).required(),
    Column::plain("voucher_fen", Kind::Fen).required(),
    Column::plain("invoice_no", Kind::Text),
    Column::plain("invoiced_on", Kind::Date),
    Column::plain("paid_on", Kind::Date),
    Column::plain("satisfaction", Kind::Text),
    Column::plain("service_class", Kind::Word(words::SERVICE_CLASSES)).or_absent(),
    Column::plain("project", Kind::Text).or_absent(),
    Column::plain("project_level", Kind::Word(words::PROJECT_LEVELS)).or_absent(),
];

pub fn usage<R: Read>(
    input: R,
    encoding: Encoding,
) -> Result<Stream<R, ProvinceUsage>, Vec<Fault>> {
    Stream::open_in(input, encoding, COLUMNS, read)
}

fn read(row: &mut Row<'_>) -> Option<ProvinceUsage> {
    let (record_no, host_uscc) = (row.text("record_no"), row.text("host_uscc"));
    let (asset_no, user_uscc) = (row.key("asset_no"), row.text("user_uscc"));
    let (mode, purpose) = (row.word("mode"), row.word("purpose"));
    let slot = row.slot("started_at", "ended_at");
    let prepare_minutes = row.minutes("prepare_minutes");
    let run_minutes = row.minutes("run_minutes");
    let post_minutes = row.minutes("post_minutes");
    let (samples, statutory) = (row.count("samples"), row.truth("statutory"));
    let (evidence, state) = (row.word("evidence"), row.word("status"));
    let (fee_fen, voucher_fen) = (row.fen("fee_fen"), row.fen("voucher_fen"));
    let (invoice_no, invoiced_on) = (row.text("invoice_no"), row.date("invoiced_on"));
    let (paid_on, satisfaction) = (row.date("paid_on"), row.word("satisfaction"));
    let (service_class, project) = (row.word("service_class"), row.text("project"));
    let project_level = row.word("project_level");
    Some(ProvinceUsage {
        record_no: record_no?,
        host_uscc: host_uscc?,
        asset_no: asset_no?,
        user_uscc: user_uscc?,
        mode: mode?,
        purpose: purpose?,
        slot: slot?,
        prepare_minutes: prepare_minutes?,
        run_minutes: run_minutes?,
        post_minutes: post_minutes?,
        samples: samples?,
        statutory: statutory?,
        evidence: evidence?,
        state: state?,
        fee_fen: fee_fen?,
        voucher_fen: voucher_fen?,
        invoice_no,
        invoiced_on,
        paid_on,
        satisfaction,
        context: ContextChange {
            service_class: row.has("service_class").then_some(service_class),
            project: row.has("project").then_some(project),
            project_level: row.has("project_level").then_some(project_level),
        },
    })
}
