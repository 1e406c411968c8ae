//! What a table of charges calls instruments and units.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::Whole;
use crate::domain::{InstrumentId, OrganizationId, Uscc};
use crate::store::schema::{instrument, organization};
use crate::store::{Conn, Result};

/// Asset number and name of instruments, name and code of units.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub instruments: BTreeMap<InstrumentId, (String, String)>,
    pub units: BTreeMap<OrganizationId, (String, Uscc)>,
}

pub fn list_names(conn: &mut Conn, charges: &[Whole]) -> Result<Names> {
    let instruments: BTreeSet<InstrumentId> = charges
        .iter()
        .map(|whole| whole.service.instrument_id)
        .collect();
    let sides = |whole: &Whole| {
        let charge = &whole.charge;
        [charge.host_organization_id, charge.payer_organization_id]
    };
    let units: BTreeSet<OrganizationId> = charges.iter().flat_map(sides).collect();
    let (instruments, units) = (Vec::from_iter(instruments), Vec::from_iter(units));
    let mut names = Names::default();
    // No list of ids becomes longer than the databases read.
    for some in instruments.chunks(1_000) {
        let rows: Vec<(InstrumentId, (String, String))> = instrument::table
            .filter(instrument::id.eq_any(some))
            .select((instrument::id, (instrument::asset_no, instrument::name)))
            .load(conn)?;
        names.instruments.extend(rows);
    }
    for some in units.chunks(1_000) {
        let rows: Vec<(OrganizationId, (String, Uscc))> = organization::table
            .filter(organization::id.eq_any(some))
            .select((organization::id, (organization::name, organization::uscc)))
            .load(conn)?;
        names.units.extend(rows);
    }
    Ok(names)
}
