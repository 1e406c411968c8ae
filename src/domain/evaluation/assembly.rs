//! From rows in any order to frozen inputs in theirs: what is unknown, given twice or impossible is refused.

use super::inputs::{Host, Inputs, Instrument, UsageGroup, UsageTotals, UsingUnit};
use super::lines::Format;
use crate::domain::policy::{YearRule, YearSpan};
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use num_traits::Signed;
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
        units: Vec<Host>,
        instruments: Vec<(OrganizationId, Instrument)>,
        using_units: Vec<UsingUnit>,
        cells: Vec<(InstrumentId, UsageGroup)>,
    ) -> Result<Self, InputsMistake> {
        let of = YearRule::default().of(year, None);
        let of = of.map_err(|_| InputsMistake::Year(year))?;
        Self::assemble_of(of, units, instruments, using_units, cells)
    }

    /// The same of a year that is no calendar year, or of a window of one.
    pub fn assemble_of(
        of: YearSpan,
        units: Vec<Host>,
        mut instruments: Vec<(OrganizationId, Instrument)>,
        using_units: Vec<UsingUnit>,
        mut cells: Vec<(InstrumentId, UsageGroup)>,
    ) -> Result<Self, InputsMistake> {
        let mut inputs = Self {
            format: Format::Facts,
            year: of.year,
            span: of.span,
            days_of_year: of.days_of_year,
            frozen_on: None,
            awarded: Default::default(),
            effects: Default::default(),
            certified: None,
            units: BTreeMap::new(),
            using_units: BTreeMap::new(),
            days: BTreeMap::new(),
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
        cells.sort_unstable_by(|(id, cell), (other, second)| {
            id.cmp(other).then_with(|| cell.key.cmp(&second.key))
        });
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

    fn add_unit(&mut self, mut unit: Host) -> Result<(), InputsMistake> {
        let id = unit.organization_id;
        unit.instruments.clear();
        unit.answers.retain(|_, count| *count != 0);
        unit.requests.sort_unstable();
        let counts = unit.counts;
        let numbers = [
            counts.registrations_due,
            counts.registrations_on_time,
            counts.requests_received,
            counts.requests_answered_in_time,
        ];
        let groups = unit.requests.iter().map(|group| &group.requests);
        let mut numbers = (numbers.iter())
            .chain(unit.answers.values())
            .chain(unit.reported.values())
            .chain(groups);
        let mut points = unit.expert_scores.values();
        if numbers.any(|number| *number < 0) || points.any(|points| points.is_negative()) {
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
        cells: &mut Peekable<impl Iterator<Item = (InstrumentId, UsageGroup)>>,
    ) -> Result<(), InputsMistake> {
        let id = instrument.id;
        let in_year = 0..=self.span.days();
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
        let nothing = UsageTotals::default();
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
    fn add_cell(&mut self, cell: UsageGroup) -> Option<()> {
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

impl UsageTotals {
    fn is_possible(&self) -> bool {
        self.effective_minutes >= Minutes::ZERO
            && self.prepare_minutes >= Minutes::ZERO
            && self.post_minutes >= Minutes::ZERO
            && self.run_minutes() >= 0
            && self.records >= 0
            && self.samples >= 0
            && self.payer_fen >= Fen::ZERO
            && self.voucher_fen >= Fen::ZERO
    }

    fn plus(&self, other: &UsageTotals) -> Option<UsageTotals> {
        let minutes = |mine: Minutes, theirs| mine.checked_add(theirs).ok();
        Some(UsageTotals {
            effective_minutes: minutes(self.effective_minutes, other.effective_minutes)?,
            prepare_minutes: minutes(self.prepare_minutes, other.prepare_minutes)?,
            post_minutes: minutes(self.post_minutes, other.post_minutes)?,
            records: self.records.checked_add(other.records)?,
            samples: self.samples.checked_add(other.samples)?,
            payer_fen: self.payer_fen.checked_add(other.payer_fen).ok()?,
            voucher_fen: self.voucher_fen.checked_add(other.voucher_fen).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Rows, cell, instrument, organization, unit, using_unit};
    use super::*;

    fn rows() -> Rows {
        let mut rows = Rows::of(2);
        rows.add(1, instrument(11), &[cell(901, 60, 100), cell(902, 30, 0)]);
        rows.add(2, instrument(12), &[cell(901, 15, 7)]);
        rows
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let mut turned = rows();
        turned.units.reverse();
        turned.instruments.reverse();
        turned.using_units.reverse();
        turned.cells.reverse();
        assert_eq!(turned.assemble(), rows().assemble());
    }

    #[test]
    fn cells_of_one_key_are_added_and_empty_ones_left_out() {
        let mut rows = Rows::of(1);
        let mut paid = cell(901, 0, 500);
        paid.service.records = 0;
        let mut nothing = cell(902, 0, 0);
        nothing.service.records = 0;
        rows.add(1, instrument(11), &[paid, nothing, cell(901, 60, 100)]);
        let inputs = rows.assemble().unwrap();
        let cells: Vec<UsageGroup> = inputs
            .units()
            .flat_map(|unit| unit.instruments.clone())
            .flat_map(|instrument| instrument.cells)
            .collect();
        assert_eq!(cells, [cell(901, 60, 600)]);
    }

    #[test]
    fn rows_that_fit_nowhere_are_refused() {
        type Spoil = fn(&mut Rows);
        let id = |number| InstrumentId::try_from(number).unwrap();
        let cases: [(Spoil, InputsMistake); 10] = [
            (
                |r| r.units.push(unit(1)),
                InputsMistake::RepeatedUnit(organization(1)),
            ),
            (
                |r| r.add(2, instrument(11), &[]),
                InputsMistake::RepeatedInstrument(id(11)),
            ),
            (
                |r| r.using_units.push(using_unit(901)),
                InputsMistake::RepeatedUsingUnit(organization(901)),
            ),
            (
                |r| r.add(3, instrument(13), &[]),
                InputsMistake::UnknownUnit(organization(3)),
            ),
            (
                |r| {
                    r.cells
                        .push((InstrumentId::try_from(10).unwrap(), cell(901, 1, 1)))
                },
                InputsMistake::UnknownInstrument(id(10)),
            ),
            (
                |r| {
                    r.cells
                        .push((InstrumentId::try_from(99).unwrap(), cell(901, 1, 1)))
                },
                InputsMistake::UnknownInstrument(id(99)),
            ),
            (
                |r| r.add(1, instrument(13), &[cell(1, 1, 1)]),
                InputsMistake::UnknownUsingUnit(organization(1)),
            ),
            (
                |r| r.units[0].counts.requests_received = -1,
                InputsMistake::NegativeUnit(organization(1)),
            ),
            (
                |r| r.instruments[0].1.days_in_service = 366,
                InputsMistake::ImpossibleInstrument(id(11)),
            ),
            (
                |r| r.cells[0].1 = cell(901, -1, 0),
                InputsMistake::ImpossibleCell(id(11)),
            ),
        ];
        for (spoil, mistake) in cases {
            let mut rows = rows();
            spoil(&mut rows);
            assert_eq!(rows.assemble(), Err(mistake));
        }
    }

    #[test]
    fn a_sum_beyond_64_bits_is_refused() {
        let mut rows = rows();
        rows.add(
            1,
            instrument(13),
            &[cell(901, 0, i64::MAX), cell(901, 0, 1)],
        );
        let id = InstrumentId::try_from(13).unwrap();
        assert_eq!(rows.assemble(), Err(InputsMistake::ImpossibleCell(id)));
    }
}
