//! The canonical text of frozen inputs: one self-contained line per row, fields parted by tabs, in key order. Their
//! SHA-256 is the digest of a run; reading them back gives equal inputs.
//!
//! `year`, then `day`, `unit` (each followed by its `expert` lines), `user`, `instrument`, `cell`. Organization names are left
//! out: renaming a unit must not look like a change of the inputs.

use super::inputs::{Host, Inputs, Instrument, UsageGroup};
use crate::domain::policy::hex;
use crate::domain::review::Satisfaction;
use crate::domain::{InstrumentId, OrganizationId, ratio};
use sha2::{Digest, Sha256};
use std::fmt::Write;

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

    fn each_line(&self, mut tell: impl FnMut(&str)) {
        let mut line = Line(String::new());
        tell(line.of("year").field(self.year()).text());
        for (on, kind) in self.days() {
            tell(line.of("day").field(on).field(kind).text());
        }
        for unit in self.units() {
            tell(line.unit(unit).text());
            for (score, points) in &unit.expert_scores {
                let id = unit.organization_id;
                tell(
                    line.of("expert")
                        .field(id)
                        .escaped(score)
                        .field(ratio::exact(points))
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

    fn unit(&mut self, unit: &Host) -> &mut Self {
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

    fn cell(&mut self, instrument_id: InstrumentId, cell: &UsageGroup) -> &mut Self {
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
