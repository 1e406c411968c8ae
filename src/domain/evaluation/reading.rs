//! Reading the canonical lines of frozen inputs back: the inverse of `lines`.

mod fact;
mod fields;
mod registry;
mod service;

use super::assembly::InputsMistake;
use super::certified::Certified;
use super::effects::Effects;
use super::inputs::{Awarded, Host, Inputs, Instrument, RequestGroup, UsageGroup, UsingUnit};
use super::lines::{Format, HEAD};
use crate::domain::calendar::DayKind;
use crate::domain::policy::{Span, YearSpan};
use crate::domain::{InstrumentId, OrganizationId};
use chrono::NaiveDate;
use fields::Fields;
use num_rational::BigRational;
use registry::{read_instrument, read_unit, read_user};
use service::read_cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Why lines are no inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineMistake {
    #[error("line {0} cannot be read")]
    Unreadable(usize),
    #[error(transparent)]
    Inputs(#[from] InputsMistake),
}

impl Inputs {
    /// Reads canonical lines, in any order, one by one or in blocks parted by `\n`; a block is gone when it is read.
    pub fn from_lines<S: AsRef<str>>(
        blocks: impl IntoIterator<Item = S>,
    ) -> Result<Inputs, LineMistake> {
        let mut rows = Rows::default();
        let mut format = Format::Positional;
        for block in blocks {
            for line in block.as_ref().split('\n') {
                let mut words = line.split('\t');
                let kind = words.next().unwrap_or_default();
                let words: VecDeque<&str> = words.collect();
                if rows.lines == 0 && kind == HEAD {
                    format = match words.contains(&"version=3") {
                        true => Format::Facts,
                        false => Format::Keyed,
                    };
                }
                let read = rows.read(kind, &mut Fields { words, format });
                read.ok_or(LineMistake::Unreadable(rows.lines))?;
            }
        }
        rows.assemble(format)
    }
}

/// The first line of format 3.
struct Head {
    span: Span,
    days_of_year: i64,
    frozen_on: Option<NaiveDate>,
}

#[derive(Default)]
struct Rows {
    year: Option<i32>,
    head: Option<Head>,
    days: BTreeMap<NaiveDate, DayKind>,
    units: Vec<Host>,
    /// Line, unit, score id, points.
    experts: Vec<(usize, OrganizationId, String, BigRational)>,
    /// Line, unit, name, value.
    reported: Vec<(usize, OrganizationId, String, i64)>,
    reported_of_instruments: Vec<(usize, InstrumentId, String, i64)>,
    requests: Vec<(OrganizationId, RequestGroup)>,
    instruments: Vec<(OrganizationId, Instrument)>,
    using_units: Vec<UsingUnit>,
    cells: Vec<(InstrumentId, UsageGroup)>,
    awarded: BTreeSet<Awarded>,
    effects: Effects,
    /// Where the first line says that such days were frozen.
    certified: Option<Certified>,
    lines: usize,
}

impl Rows {
    fn read(&mut self, kind: &str, fields: &mut Fields) -> Option<()> {
        self.lines += 1;
        match (kind, fields.format) {
            (HEAD, Format::Keyed) if self.lines == 1 => {
                (fields.word("version")? == "2").then_some(())?;
                self.year = Some(fields.parsed("year")?);
            }
            (HEAD, Format::Facts) if self.lines == 1 => {
                (fields.word("version")? == "3").then_some(())?;
                self.year = Some(fields.parsed("year")?);
                let span = Span {
                    first_on: fields.parsed("first_on")?,
                    last_on: fields.parsed("last_on")?,
                };
                self.head = Some(Head {
                    span,
                    days_of_year: fields.parsed("days_of_year")?,
                    frozen_on: fields.optional("frozen_on")?,
                });
                let asks_days = fields.optional::<u8>("certified")?;
                self.certified = asks_days.map(|_| Certified::new());
            }
            ("year", Format::Positional) if self.year.is_none() => {
                self.year = Some(fields.parsed("year")?);
            }
            ("day", _) => {
                let (on, kind) = (fields.parsed("on")?, fields.parsed("kind")?);
                if self.days.insert(on, kind).is_some() {
                    return None;
                }
            }
            ("unit", _) => self.units.push(read_unit(fields)?),
            ("expert", _) => {
                let unit_id = fields.parsed("organization_id")?;
                let (id, points) = (fields.unescaped("score")?, fields.exact("points")?);
                let row = (self.lines, unit_id, id, points);
                self.experts.push(row);
            }
            ("user", _) => self.using_units.push(read_user(fields)?),
            ("instrument", _) => {
                let unit_id = fields.parsed("organization_id")?;
                self.instruments.push((unit_id, read_instrument(fields)?));
            }
            ("cell", _) => {
                let instrument_id = fields.parsed("instrument_id")?;
                self.cells.push((instrument_id, read_cell(fields)?));
            }
            (kind, Format::Facts) => self.read_fact(kind, fields)?,
            _ => return None,
        }
        fields.end()
    }

    fn assemble(mut self, format: Format) -> Result<Inputs, LineMistake> {
        let places = self.units.iter().enumerate();
        let units: BTreeMap<OrganizationId, usize> = places
            .map(|(at, unit)| (unit.organization_id, at))
            .collect();
        let unit_at = |all: &mut Vec<Host>, id: OrganizationId| -> Option<usize> {
            units.get(&id).copied().filter(|at| *at < all.len())
        };
        for (line, id, score, points) in self.experts {
            let at = unit_at(&mut self.units, id);
            let unit = at.and_then(|at| self.units.get_mut(at));
            let unit = unit.ok_or(InputsMistake::UnknownUnit(id))?;
            if unit.expert_scores.insert(score, points).is_some() {
                return Err(LineMistake::Unreadable(line));
            }
        }
        for (line, id, name, value) in self.reported {
            let at = unit_at(&mut self.units, id);
            let unit = at.and_then(|at| self.units.get_mut(at));
            let unit = unit.ok_or(InputsMistake::UnknownUnit(id))?;
            if unit.reported.insert(name, value).is_some() {
                return Err(LineMistake::Unreadable(line));
            }
        }
        for (id, group) in self.requests {
            let at = unit_at(&mut self.units, id);
            let unit = at.and_then(|at| self.units.get_mut(at));
            let unit = unit.ok_or(InputsMistake::UnknownUnit(id))?;
            unit.requests.push(group);
        }
        let places = self.instruments.iter().enumerate();
        let places: BTreeMap<InstrumentId, usize> = places
            .map(|(at, (_, instrument))| (instrument.id, at))
            .collect();
        for (line, id, name, value) in self.reported_of_instruments {
            let at = places.get(&id).copied();
            let instrument = at.and_then(|at| self.instruments.get_mut(at));
            let (_, instrument) = instrument.ok_or(InputsMistake::UnknownInstrument(id))?;
            if instrument.facts.reported.insert(name, value).is_some() {
                return Err(LineMistake::Unreadable(line));
            }
        }
        let year = self.year.ok_or(LineMistake::Unreadable(1))?;
        let (units, instruments) = (self.units, self.instruments);
        let inputs = match &self.head {
            Some(head) => {
                let of = YearSpan {
                    year,
                    span: head.span,
                    days_of_year: head.days_of_year,
                };
                Inputs::assemble_of(of, units, instruments, self.using_units, self.cells)?
            }
            None => Inputs::assemble(year, units, instruments, self.using_units, self.cells)?,
        };
        let inputs = inputs.with_days(self.days).with_awarded(self.awarded);
        let inputs = inputs.with_effects(self.effects);
        let mut inputs = inputs.with_certified(self.certified);
        inputs.frozen_on = self.head.and_then(|head| head.frozen_on);
        Ok(inputs.in_format(format))
    }
}

#[cfg(test)]
mod tests;
