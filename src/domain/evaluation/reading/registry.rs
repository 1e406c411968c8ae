//! Lines of the registry: units, using units and instruments.

use std::collections::BTreeMap;

use super::super::inputs::{
    Host, HostCounts, Instrument, InstrumentFacts, InstrumentFlags, UsingUnit,
};
use super::super::lines::Format;
use super::fields::Fields;
use crate::domain::Fen;
use crate::domain::review::Satisfaction;

pub(super) fn read_unit(fields: &mut Fields) -> Option<Host> {
    let is_facts = fields.format == Format::Facts;
    let id = fields.parsed("organization_id")?;
    let mut unit = Host::new(id, fields.unescaped("uscc")?, fields.parsed("kind")?);
    let mut counts = HostCounts::default();
    if is_facts {
        unit.region_code = fields.unescaped("region_code")?;
        unit.certifications = fields.words("certifications");
        unit.adopted = fields.optional("adopted")?;
    } else {
        counts.registrations_due = fields.parsed("registrations_due")?;
        counts.registrations_on_time = fields.parsed("registrations_on_time")?;
    }
    counts.requests_received = fields.parsed("requests_received")?;
    counts.requests_answered_in_time = fields.parsed("requests_answered_in_time")?;
    unit.counts = counts;
    for level in Satisfaction::ALL {
        let answers = fields.parsed(level.as_str())?;
        unit.answers.insert(*level, answers);
    }
    Some(unit)
}

pub(super) fn read_user(fields: &mut Fields) -> Option<UsingUnit> {
    Some(UsingUnit {
        organization_id: fields.parsed("organization_id")?,
        uscc: fields.unescaped("uscc")?,
        region_code: fields.unescaped("region_code")?,
        kind: fields.optional("kind")?,
        certifications: fields.words("certifications"),
    })
}

pub(super) fn read_instrument(fields: &mut Fields) -> Option<Instrument> {
    let is_facts = fields.format == Format::Facts;
    let mut instrument = Instrument {
        asset_no: fields.unescaped("asset_no")?,
        id: fields.parsed("instrument_id")?,
        purpose_type: fields.parsed("purpose_type")?,
        original_value_fen: Fen::new(fields.parsed("original_value_fen")?),
        days_in_service: fields.parsed("days_in_service")?,
        flags: InstrumentFlags {
            listed: fields.flag(if is_facts { "listed" } else { "counted" })?,
            externally_shared: fields.flag("externally_shared")?,
            exempted: fields.flag("exempted")?,
            complete: fields.flag("complete")?,
        },
        facts: InstrumentFacts::default(),
        cells: Vec::new(),
    };
    if is_facts {
        instrument.facts = InstrumentFacts {
            category_code: fields.optional_text("category_code")?.unwrap_or_default(),
            funding: fields.optional("funding")?,
            is_set: fields.optional::<u8>("is_set")?.map(|flag| flag == 1),
            share_mode: fields.optional("share_mode")?,
            accepted_on: fields.optional("accepted_on")?,
            submitted_on: fields.optional("submitted_on")?,
            reported: BTreeMap::new(),
        };
    }
    Some(instrument)
}
