//! `organizations.csv`: hosts and using units of the province.

use std::io::Read;

use crate::domain::organization::OrganizationKind;
use crate::exchange::sheet::{CellFault, Column, Kind, Row, Stream};

crate::vocabulary! {
    /// What the file says an organization is here.
    OrganizationRole {
        Host = "host",
        User = "user",
    }
}

/// One organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceOrganization {
    pub uscc: String,
    pub name: String,
    pub kind: OrganizationKind,
    pub region_code: String,
    pub is_sme: bool,
    pub role: OrganizationRole,
    /// The USCC of a host it is affiliated with.
    pub related_to: Option<String>,
}

const COLUMNS: &[Column] = &[
    Column::plain("uscc", Kind::Text).required(),
    Column::plain("name", Kind::Text).required(),
    Column::plain("kind", Kind::Text).required(),
    Column::plain("region_code", Kind::Text).required(),
    Column::plain("is_sme", Kind::Truth).required(),
    Column::plain("role", Kind::Text).required(),
    Column::plain("related_to", Kind::Text),
];

pub fn organizations<R: Read>(input: R) -> Result<Stream<R, ProvinceOrganization>, Vec<CellFault>> {
    Stream::open(input, COLUMNS, read)
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
