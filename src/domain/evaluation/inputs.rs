//! Frozen inputs: everything a year's evaluation and subsidy depend on, as integers. Whether evidence is weak, who is
//! excluded and what is rated is derived from the policy later, not frozen.

use crate::domain::instrument::PurposeType;
use crate::domain::organization::OrganizationKind;
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use chrono::NaiveDate;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// What a using unit is to the host of the instrument, as it was when the record ended.
    Relation {
        Host = "host",
        Related = "related",
        External = "external",
    }
}

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

/// Days of a calendar year.
pub fn days_of_year(year: i32) -> Result<i64, InputsMistake> {
    let first = |year| NaiveDate::from_ymd_opt(year, 1, 1).ok_or(InputsMistake::Year(year));
    Ok((first(year + 1)? - first(year)?).num_days())
}

/// Days in service: from the later of `enabled_on` and 1 January to 31 December or the day of retirement, both included.
pub fn days_in_service(
    year: i32,
    enabled_on: NaiveDate,
    retired_on: Option<NaiveDate>,
) -> Result<i64, InputsMistake> {
    let date =
        |month, day| NaiveDate::from_ymd_opt(year, month, day).ok_or(InputsMistake::Year(year));
    let from = enabled_on.max(date(1, 1)?);
    let last = date(12, 31)?;
    let until = retired_on.map_or(last, |retired| retired.min(last));
    Ok(((until - from).num_days() + 1).max(0))
}

/// The frozen inputs of a year. Units by id, their instruments by (`asset_no`, id), their cells by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    year: i32,
    units: BTreeMap<OrganizationId, Unit>,
    using_units: BTreeMap<OrganizationId, UsingUnit>,
}

/// A host with its instruments. Its name is no input: renaming a unit changes neither result nor digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub organization_id: OrganizationId,
    pub uscc: String,
    pub kind: OrganizationKind,
    pub counts: UnitCounts,
    /// Answers of external customers in confirmed records of the year, weak evidence included.
    pub answers: BTreeMap<Satisfaction, i64>,
    /// Expert points by score id, in ten-thousandths of a point.
    pub expert_scores: BTreeMap<String, i64>,
    /// Filled by [`Inputs::assemble`]; in the order of (`asset_no`, id).
    pub instruments: Vec<Instrument>,
}

/// Numbers of a unit that are no sums over instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnitCounts {
    /// Accepted in the year, deadline not after the freeze.
    pub registrations_due: i64,
    pub registrations_on_time: i64,
    /// External requests; withdrawn before the deadline are not counted.
    pub requests_received: i64,
    pub requests_answered_in_time: i64,
}

/// An instrument of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    pub id: InstrumentId,
    pub asset_no: String,
    pub purpose_type: PurposeType,
    pub original_value_fen: Fen,
    pub days_in_service: i64,
    pub flags: InstrumentFlags,
    /// Filled by [`Inputs::assemble`]; in the order of [`CellKey`].
    pub cells: Vec<Cell>,
}

/// Stocks at the end of 31 December. An instrument that is not counted has no part in anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstrumentFlags {
    pub counted: bool,
    pub externally_shared: bool,
    /// With an approved exemption.
    pub exempted: bool,
    pub complete: bool,
}

/// A using unit, a host among them when it uses its own instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsingUnit {
    pub organization_id: OrganizationId,
    pub uscc: String,
    pub region_code: String,
}

/// Who used an instrument, and in which class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    pub using_unit_id: OrganizationId,
    pub relation: Relation,
    pub evidence: Evidence,
    pub statutory: bool,
}

/// What was served to one using unit in one class. A cell may have income without minutes: income counts in the year of
/// its payment, minutes in the year of the record's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub key: CellKey,
    pub service: Service,
}

/// Sums over confirmed records; income is on invoiced charges, paid in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Service {
    pub effective_minutes: Minutes,
    pub records: i64,
    pub samples: i64,
    pub payer_fen: Fen,
    pub voucher_fen: Fen,
}

impl Inputs {
    /// Puts rows in order: any order of the rows gives equal inputs. Cells of one key are added, so usage and income may
    /// come from two queries.
    pub fn assemble(
        year: i32,
        units: Vec<Unit>,
        instruments: Vec<(OrganizationId, Instrument)>,
        using_units: Vec<UsingUnit>,
        cells: Vec<(InstrumentId, Cell)>,
    ) -> Result<Self, InputsMistake> {
        let mut inputs = Self {
            year,
            units: BTreeMap::new(),
            using_units: BTreeMap::new(),
        };
        let days = days_of_year(year)?;
        for using_unit in using_units {
            let id = using_unit.organization_id;
            if inputs.using_units.insert(id, using_unit).is_some() {
                return Err(InputsMistake::RepeatedUsingUnit(id));
            }
        }
        for unit in units {
            inputs.add_unit(unit)?;
        }
        let mut cells_of = inputs.group_cells(cells)?;
        let mut known = std::collections::BTreeSet::new();
        for (unit_id, mut instrument) in instruments {
            if !known.insert(instrument.id) {
                return Err(InputsMistake::RepeatedInstrument(instrument.id));
            }
            if !(0..=days).contains(&instrument.days_in_service)
                || instrument.original_value_fen < Fen::ZERO
            {
                return Err(InputsMistake::ImpossibleInstrument(instrument.id));
            }
            instrument.cells = merged(instrument.id, cells_of.remove(&instrument.id))?;
            let unit = inputs.units.get_mut(&unit_id);
            unit.ok_or(InputsMistake::UnknownUnit(unit_id))?
                .instruments
                .push(instrument);
        }
        if let Some((id, _)) = cells_of.pop_first() {
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

    fn group_cells(
        &self,
        cells: Vec<(InstrumentId, Cell)>,
    ) -> Result<BTreeMap<InstrumentId, Vec<Cell>>, InputsMistake> {
        let mut grouped: BTreeMap<InstrumentId, Vec<Cell>> = BTreeMap::new();
        for (instrument_id, cell) in cells {
            let using_unit_id = cell.key.using_unit_id;
            if !self.using_units.contains_key(&using_unit_id) {
                return Err(InputsMistake::UnknownUsingUnit(using_unit_id));
            }
            grouped.entry(instrument_id).or_default().push(cell);
        }
        Ok(grouped)
    }

    pub const fn year(&self) -> i32 {
        self.year
    }

    /// Every unit, in the order of ids.
    pub fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// The evaluated units: those with at least one counted instrument, in the order of ids.
    pub fn evaluated(&self) -> impl Iterator<Item = &Unit> {
        self.units().filter(|unit| unit.counted().next().is_some())
    }

    /// Every using unit, in the order of ids.
    pub fn using_units(&self) -> impl Iterator<Item = &UsingUnit> {
        self.using_units.values()
    }

    /// The region of a using unit's seat.
    pub fn region_of(&self, id: OrganizationId) -> Option<&str> {
        self.using_units
            .get(&id)
            .map(|unit| unit.region_code.as_str())
    }
}

impl Unit {
    /// Its counted instruments, in the order of `asset_no`.
    pub fn counted(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().filter(|i| i.flags.counted)
    }
}

/// The cells in key order, those of one key added up, empty ones left out.
fn merged(id: InstrumentId, cells: Option<Vec<Cell>>) -> Result<Vec<Cell>, InputsMistake> {
    let mut cells = cells.unwrap_or_default();
    cells.sort_by_key(|cell| cell.key);
    let mut merged: Vec<Cell> = Vec::with_capacity(cells.len());
    for cell in cells {
        if !cell.service.is_possible() {
            return Err(InputsMistake::ImpossibleCell(id));
        }
        match merged.last_mut() {
            Some(last) if last.key == cell.key => {
                let sum = last.service.plus(&cell.service);
                last.service = sum.ok_or(InputsMistake::ImpossibleCell(id))?;
            }
            _ => merged.push(cell),
        }
    }
    merged.retain(|cell| cell.service != Service::default());
    merged.shrink_to_fit();
    Ok(merged)
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
