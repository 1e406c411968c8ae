//! From rows in any order to frozen inputs in theirs: what is unknown, given twice or impossible is refused.

use super::inputs::{Cell, Inputs, Instrument, Service, Unit, UsingUnit, days_of_year};
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use std::collections::BTreeMap;
use std::iter::Peekable;

/// Why rows do not make inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputsMistake {
    #[error("no calendar year {0}")]
    Year(i32),
    #[error("unit {0} is given twice")]
    RepeatedUnit(OrganizationId),
    #[error("instrument {0} is given twice")]
    RepeatedInstrument(InstrumentId),
    #[error("using unit {0} is given twice")]
    RepeatedUsingUnit(OrganizationId),
    #[error("unit {0} is not among the units")]
    UnknownUnit(OrganizationId),
    #[error("instrument {0} is not among the instruments")]
    UnknownInstrument(InstrumentId),
    #[error("using unit {0} is not among the using units")]
    UnknownUsingUnit(OrganizationId),
    #[error("unit {0} has a negative number")]
    NegativeUnit(OrganizationId),
    #[error("instrument {0} has a negative number or more days in service than the year has")]
    ImpossibleInstrument(InstrumentId),
    #[error("usage or income on instrument {0} is negative or too large")]
    ImpossibleCell(InstrumentId),
}

impl Inputs {
    /// Puts rows in order: any order of the rows gives equal inputs. Cells of one key are added, so usage and income may
    /// come from two queries.
    pub fn assemble(
        year: i32,
        units: Vec<Unit>,
        mut instruments: Vec<(OrganizationId, Instrument)>,
        using_units: Vec<UsingUnit>,
        mut cells: Vec<(InstrumentId, Cell)>,
    ) -> Result<Self, InputsMistake> {
        let mut inputs = Self {
            year,
            units: BTreeMap::new(),
            using_units: BTreeMap::new(),
        };
        for using_unit in using_units {
            let id = using_unit.organization_id;
            if inputs.using_units.insert(id, using_unit).is_some() {
                return Err(InputsMistake::RepeatedUsingUnit(id));
            }
        }
        for unit in units {
            inputs.add_unit(unit)?;
        }
        // Sorted in place and walked side by side: cells are by far the most, and are never held twice.
        instruments.sort_by_key(|(_, instrument)| instrument.id);
        cells.sort_unstable_by_key(|(id, cell)| (*id, cell.key));
        let mut cells = cells.into_iter().peekable();
        let mut last = None;
        for (unit_id, instrument) in instruments {
            if last.replace(instrument.id) == Some(instrument.id) {
                return Err(InputsMistake::RepeatedInstrument(instrument.id));
            }
            inputs.add_instrument(unit_id, instrument, &mut cells)?;
        }
        if let Some((id, _)) = cells.next() {
            return Err(InputsMistake::UnknownInstrument(id));
        }
        for unit in inputs.units.values_mut() {
            let key = |i: &Instrument| (i.asset_no.clone(), i.id);
            unit.instruments.sort_by_cached_key(key);
        }
        Ok(inputs)
    }

    fn add_unit(&mut self, mut unit: Unit) -> Result<(), InputsMistake> {
        let id = unit.organization_id;
        unit.instruments.clear();
        unit.answers.retain(|_, count| *count != 0);
        let counts = unit.counts;
        let numbers = [
            counts.registrations_due,
            counts.registrations_on_time,
            counts.requests_received,
            counts.requests_answered_in_time,
        ];
        let others = unit.answers.values().chain(unit.expert_scores.values());
        if numbers.iter().chain(others).any(|number| *number < 0) {
            return Err(InputsMistake::NegativeUnit(id));
        }
        match self.units.insert(id, unit) {
            Some(_) => Err(InputsMistake::RepeatedUnit(id)),
            None => Ok(()),
        }
    }

    fn add_instrument(
        &mut self,
        unit_id: OrganizationId,
        mut instrument: Instrument,
        cells: &mut Peekable<impl Iterator<Item = (InstrumentId, Cell)>>,
    ) -> Result<(), InputsMistake> {
        let id = instrument.id;
        let in_year = 0..=days_of_year(self.year)?;
        if !in_year.contains(&instrument.days_in_service)
            || instrument.original_value_fen < Fen::ZERO
        {
            return Err(InputsMistake::ImpossibleInstrument(id));
        }
        instrument.cells.clear();
        while let Some((owner, cell)) = cells.next_if(|(owner, _)| *owner <= id) {
            if owner != id {
                return Err(InputsMistake::UnknownInstrument(owner));
            }
            let using_unit_id = cell.key.using_unit_id;
            if !self.using_units.contains_key(&using_unit_id) {
                return Err(InputsMistake::UnknownUsingUnit(using_unit_id));
            }
            let added = instrument.add_cell(cell);
            added.ok_or(InputsMistake::ImpossibleCell(id))?;
        }
        let nothing = Service::default();
        instrument.cells.retain(|cell| cell.service != nothing);
        instrument.cells.shrink_to_fit();
        let unit = self.units.get_mut(&unit_id);
        let unit = unit.ok_or(InputsMistake::UnknownUnit(unit_id))?;
        unit.instruments.push(instrument);
        Ok(())
    }
}

impl Instrument {
    /// Takes the next cell in key order; one of the same key is added to the last.
    fn add_cell(&mut self, cell: Cell) -> Option<()> {
        if !cell.service.is_possible() {
            return None;
        }
        match self.cells.last_mut() {
            Some(last) if last.key == cell.key => {
                last.service = last.service.plus(&cell.service)?
            }
            _ => self.cells.push(cell),
        }
        Some(())
    }
}

impl Service {
    fn is_possible(&self) -> bool {
        self.effective_minutes >= Minutes::ZERO
            && self.records >= 0
            && self.samples >= 0
            && self.payer_fen >= Fen::ZERO
            && self.voucher_fen >= Fen::ZERO
    }

    fn plus(&self, other: &Service) -> Option<Service> {
        let minutes = self.effective_minutes.checked_add(other.effective_minutes);
        Some(Service {
            effective_minutes: minutes.ok()?,
            records: self.records.checked_add(other.records)?,
            samples: self.samples.checked_add(other.samples)?,
            payer_fen: self.payer_fen.checked_add(other.payer_fen).ok()?,
            voucher_fen: self.voucher_fen.checked_add(other.voucher_fen).ok()?,
        })
    }
}
