//! The canonical text of frozen inputs: one self-contained line per row, fields parted by tabs, in key order. Their
//! SHA-256 is the digest of a run; reading them back gives equal inputs.
//!
//! `year`, then `unit` (each followed by its `expert` lines), `user`, `instrument`, `cell`. Organization names are left
//! out: renaming a unit must not look like a change of the inputs.

use super::inputs::{
    Cell, CellKey, Inputs, InputsMistake, Instrument, InstrumentFlags, Service, Unit, UnitCounts,
    UsingUnit,
};
use crate::domain::policy::hex;
use crate::domain::review::Satisfaction;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::FromStr;

/// Why lines are no inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineMistake {
    #[error("line {0} cannot be read")]
    Unreadable(usize),
    #[error(transparent)]
    Inputs(#[from] InputsMistake),
}

impl Inputs {
    /// The canonical lines, without line ends.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.each_line(|line| lines.push(line.to_owned()));
        lines
    }

    /// SHA-256 of the lines joined by `\n`, as lower-case hex.
    pub fn digest(&self) -> String {
        let mut sha = Sha256::new();
        let mut first = true;
        self.each_line(|line| {
            if !std::mem::take(&mut first) {
                sha.update(b"\n");
            }
            sha.update(line.as_bytes());
        });
        hex(&sha.finalize())
    }

    /// Reads canonical lines, in any order.
    pub fn from_lines<S: AsRef<str>>(
        lines: impl IntoIterator<Item = S>,
    ) -> Result<Inputs, LineMistake> {
        let mut rows = Rows::default();
        for (at, line) in lines.into_iter().enumerate() {
            let read = rows.read(&mut Fields(line.as_ref().split('\t')));
            read.ok_or(LineMistake::Unreadable(at + 1))?;
        }
        for (at, unit_id, id, points) in rows.experts {
            let mut units = rows.units.iter_mut();
            let unit = units.find(|unit| unit.organization_id == unit_id);
            let unit = unit.ok_or(InputsMistake::UnknownUnit(unit_id))?;
            if unit.expert_scores.insert(id, points).is_some() {
                return Err(LineMistake::Unreadable(at));
            }
        }
        let year = rows.year.ok_or(LineMistake::Unreadable(1))?;
        Ok(Inputs::assemble(
            year,
            rows.units,
            rows.instruments,
            rows.using_units,
            rows.cells,
        )?)
    }

    fn each_line(&self, mut tell: impl FnMut(&str)) {
        let mut line = Line(String::new());
        tell(line.of("year").field(self.year()).text());
        for unit in self.units() {
            tell(line.unit(unit).text());
            for (score, points) in &unit.expert_scores {
                let id = unit.organization_id;
                tell(
                    line.of("expert")
                        .field(id)
                        .escaped(score)
                        .field(points)
                        .text(),
                );
            }
        }
        for user in self.using_units() {
            line.of("user").field(user.organization_id);
            tell(line.escaped(&user.uscc).escaped(&user.region_code).text());
        }
        for unit in self.units() {
            for instrument in &unit.instruments {
                tell(line.instrument(unit.organization_id, instrument).text());
            }
        }
        for instrument in self.units().flat_map(|unit| &unit.instruments) {
            for cell in &instrument.cells {
                tell(line.cell(instrument.id, cell).text());
            }
        }
    }
}

/// A line being written; the buffer is used again for the next one.
struct Line(String);

impl Line {
    fn of(&mut self, kind: &str) -> &mut Self {
        self.0.clear();
        self.0.push_str(kind);
        self
    }

    fn field(&mut self, value: impl std::fmt::Display) -> &mut Self {
        // Writing to a String cannot fail.
        let _ = write!(self.0, "\t{value}");
        self
    }

    /// Text that people typed: a tab, line end or backslash in it must not look like structure.
    fn escaped(&mut self, text: &str) -> &mut Self {
        self.0.push('\t');
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '\t' => self.0.push_str("\\t"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                c => self.0.push(c),
            }
        }
        self
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn unit(&mut self, unit: &Unit) -> &mut Self {
        let counts = &unit.counts;
        self.of("unit").field(unit.organization_id);
        self.escaped(&unit.uscc).field(unit.kind);
        self.field(counts.registrations_due)
            .field(counts.registrations_on_time)
            .field(counts.requests_received)
            .field(counts.requests_answered_in_time);
        for level in Satisfaction::ALL {
            self.field(unit.answers.get(level).copied().unwrap_or(0));
        }
        self
    }

    fn instrument(&mut self, unit_id: OrganizationId, instrument: &Instrument) -> &mut Self {
        let flags = &instrument.flags;
        self.of("instrument")
            .field(unit_id)
            .escaped(&instrument.asset_no)
            .field(instrument.id)
            .field(instrument.purpose_type)
            .field(instrument.original_value_fen.number())
            .field(instrument.days_in_service)
            .field(u8::from(flags.counted))
            .field(u8::from(flags.externally_shared))
            .field(u8::from(flags.exempted))
            .field(u8::from(flags.complete))
    }

    fn cell(&mut self, instrument_id: InstrumentId, cell: &Cell) -> &mut Self {
        let service = &cell.service;
        self.of("cell")
            .field(instrument_id)
            .field(cell.key.using_unit_id)
            .field(cell.key.relation)
            .field(cell.key.evidence)
            .field(u8::from(cell.key.statutory))
            .field(service.effective_minutes.number())
            .field(service.records)
            .field(service.samples)
            .field(service.payer_fen.number())
            .field(service.voucher_fen.number())
    }
}

#[derive(Default)]
struct Rows {
    year: Option<i32>,
    units: Vec<Unit>,
    /// Line, unit, score id, ten-thousandths.
    experts: Vec<(usize, OrganizationId, String, i64)>,
    instruments: Vec<(OrganizationId, Instrument)>,
    using_units: Vec<UsingUnit>,
    cells: Vec<(InstrumentId, Cell)>,
    lines: usize,
}

impl Rows {
    fn read(&mut self, fields: &mut Fields) -> Option<()> {
        self.lines += 1;
        match fields.word()? {
            "year" if self.year.is_none() => self.year = Some(fields.parsed()?),
            "unit" => self.units.push(read_unit(fields)?),
            "expert" => {
                let unit_id = fields.parsed()?;
                let row = (self.lines, unit_id, fields.unescaped()?, fields.parsed()?);
                self.experts.push(row);
            }
            "user" => self.using_units.push(UsingUnit {
                organization_id: fields.parsed()?,
                uscc: fields.unescaped()?,
                region_code: fields.unescaped()?,
            }),
            "instrument" => {
                let unit_id = fields.parsed()?;
                self.instruments.push((unit_id, read_instrument(fields)?));
            }
            "cell" => {
                let instrument_id = fields.parsed()?;
                self.cells.push((instrument_id, read_cell(fields)?));
            }
            _ => return None,
        }
        fields.end()
    }
}

struct Fields<'a>(std::str::Split<'a, char>);

impl<'a> Fields<'a> {
    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn parsed<T: FromStr>(&mut self) -> Option<T> {
        self.word()?.parse().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.word()? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn unescaped(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.word()?.chars();
        while let Some(c) = chars.next() {
            text.push(match c {
                '\\' => match chars.next()? {
                    '\\' => '\\',
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    _ => return None,
                },
                c => c,
            });
        }
        Some(text)
    }

    fn end(&mut self) -> Option<()> {
        self.0.next().is_none().then_some(())
    }
}

fn read_unit(fields: &mut Fields) -> Option<Unit> {
    let mut unit = Unit {
        organization_id: fields.parsed()?,
        uscc: fields.unescaped()?,
        kind: fields.parsed()?,
        counts: UnitCounts {
            registrations_due: fields.parsed()?,
            registrations_on_time: fields.parsed()?,
            requests_received: fields.parsed()?,
            requests_answered_in_time: fields.parsed()?,
        },
        answers: BTreeMap::new(),
        expert_scores: BTreeMap::new(),
        instruments: Vec::new(),
    };
    for level in Satisfaction::ALL {
        unit.answers.insert(*level, fields.parsed()?);
    }
    Some(unit)
}

fn read_instrument(fields: &mut Fields) -> Option<Instrument> {
    Some(Instrument {
        asset_no: fields.unescaped()?,
        id: fields.parsed()?,
        purpose_type: fields.parsed()?,
        original_value_fen: Fen::new(fields.parsed()?),
        days_in_service: fields.parsed()?,
        flags: InstrumentFlags {
            counted: fields.flag()?,
            externally_shared: fields.flag()?,
            exempted: fields.flag()?,
            complete: fields.flag()?,
        },
        cells: Vec::new(),
    })
}

fn read_cell(fields: &mut Fields) -> Option<Cell> {
    Some(Cell {
        key: CellKey {
            using_unit_id: fields.parsed()?,
            relation: fields.parsed()?,
            evidence: fields.parsed()?,
            statutory: fields.flag()?,
        },
        service: Service {
            effective_minutes: Minutes::new(fields.parsed()?),
            records: fields.parsed()?,
            samples: fields.parsed()?,
            payer_fen: Fen::new(fields.parsed()?),
            voucher_fen: Fen::new(fields.parsed()?),
        },
    })
}
