//! `instruments.csv`: what the hosts have listed. Texts may be missing; the evaluation asks which are.

use std::io::Read;

use crate::domain::Fault;
use crate::exchange::sheet::{Column, Encoding, Kind, Row, Stream};
use crate::exchange::words;
use crate::operations::province::ProvinceInstrument;

const COLUMNS: &[Column] = &[
    Column::plain("host_uscc", Kind::Text).required(),
    Column::plain("asset_no", Kind::Text).required(),
    Column::plain("name", Kind::Text).required(),
    Column::plain("model", Kind::Text),
    Column::plain("manufacturer", Kind::Text),
    Column::plain("country", Kind::Text),
    Column::plain("original_value_fen", Kind::Fen).required(),
    Column::plain("category_code", Kind::Text).required(),
    Column::plain("purpose_type", Kind::Word(words::PURPOSE_TYPES)).required(),
    Column::plain("accepted_on", Kind::Date).required(),
    Column::plain("enabled_on", Kind::Date).required(),
    Column::plain("submitted_on", Kind::Date).required(),
    Column::plain("share_mode", Kind::Word(words::SHARE_MODES)).required(),
    Column::plain("exempted", Kind::Truth).required(),
    Column::plain("region_code", Kind::Text).required(),
    Column::plain("technical", Kind::Text),
    Column::plain("functions", Kind::Text),
    Column::plain("service_content", Kind::Text),
    Column::plain("user_notice", Kind::Text),
    Column::plain("contact_name", Kind::Text),
    Column::plain("contact_phone", Kind::Text),
    Column::plain("location", Kind::Text),
    Column::plain("public_price_fen_per_hour", Kind::Fen),
    Column::plain("funding", Kind::Word(words::FUNDING_SOURCES)).or_absent(),
    Column::plain("is_set", Kind::Truth).or_absent(),
];

pub fn instruments<R: Read>(
    input: R,
    encoding: Encoding,
) -> Result<Stream<R, ProvinceInstrument>, Vec<Fault>> {
    Stream::open_in(input, encoding, COLUMNS, read)
}

fn read(row: &mut Row<'_>) -> Option<ProvinceInstrument> {
    let (host_uscc, asset_no) = (row.text("host_uscc"), row.key("asset_no"));
    let (name, value) = (row.text("name"), row.fen("original_value_fen"));
    let (category_code, purpose_type) = (row.text("category_code"), row.word("purpose_type"));
    let (accepted_on, enabled_on) = (row.date("accepted_on"), row.date("enabled_on"));
    let (submitted_on, share_mode) = (row.date("submitted_on"), row.word("share_mode"));
    let (exempted, region_code) = (row.truth("exempted"), row.text("region_code"));
    let (model, manufacturer) = (row.text("model"), row.text("manufacturer"));
    let (country, technical) = (row.text("country"), row.text("technical"));
    let (functions, service_content) = (row.text("functions"), row.text("service_content"));
    let (user_notice, contact_name) = (row.text("user_notice"), row.text("contact_name"));
    let (contact_phone, location) = (row.text("contact_phone"), row.text("location"));
    let public_price_fen_per_hour = row.fen("public_price_fen_per_hour");
    let (funding, is_set) = (row.word("funding"), row.truth("is_set"));
    Some(ProvinceInstrument {
        host_uscc: host_uscc?,
        asset_no: asset_no?,
        name: name?,
        model,
        manufacturer,
        country,
        original_value_fen: value?,
        category_code: category_code?,
        purpose_type: purpose_type?,
        accepted_on: accepted_on?,
        enabled_on: enabled_on?,
        submitted_on: submitted_on?,
        share_mode: share_mode?,
        exempted: exempted?,
        region_code: region_code?,
        technical,
        functions,
        service_content,
        user_notice,
        contact_name,
        contact_phone,
        location,
        public_price_fen_per_hour,
        funding,
        is_set,
    })
}
