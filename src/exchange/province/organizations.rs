//! `organizations.csv`: hosts and using units of the province.

use std::io::Read;

use crate::domain::Fault;
use crate::exchange::sheet::{Column, Encoding, Kind, Row, Stream};
use crate::operations::province::ProvinceOrganization;

const COLUMNS: &[Column] = &[
    Column::plain("uscc", Kind::Text).required(),
    Column::plain("name", Kind::Text).required(),
    Column::plain("kind", Kind::Text).required(),
    Column::plain("region_code", Kind::Text).required(),
    Column::plain("is_sme", Kind::Truth).required(),
    Column::plain("role", Kind::Text).required(),
    Column::plain("related_to", Kind::Text),
];

pub fn organizations<R: Read>(
    input: R,
    encoding: Encoding,
) -> Result<Stream<R, ProvinceOrganization>, Vec<Fault>> {
    Stream::open_in(input, encoding, COLUMNS, read)
}

fn read(row: &mut Row<'_>) -> Option<ProvinceOrganization> {
    let (uscc, name, kind) = (row.text("uscc"), row.text("name"), row.word("kind"));
    let (region_code, is_sme) = (row.text("region_code"), row.truth("is_sme"));
    let (role, related_to) = (row.word("role"), row.text("related_to"));
    Some(ProvinceOrganization {
        uscc: uscc?,
        name: name?,
        kind: kind?,
        region_code: region_code?,
        is_sme: is_sme?,
        role: role?,
        related_to,
    })
}
