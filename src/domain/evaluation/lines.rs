//! The canonical text of frozen inputs: one self-contained line per row, fields parted by tabs, in key order. Their
//! SHA-256 is the digest of a run; reading them back gives equal inputs.
//!
//! The first line names the version and the year, then `day`, `unit` (each followed by its `expert` lines), `user`,
//! `instrument`, `cell`, every field as `key=value`. In version 1 there were no keys and no first line but `year`; what was
//! stored so keeps its text, and with it its digest. Organization names are left out: renaming a unit must not look like a
//! change of the inputs.

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
        let format = self.format;
        let mut line = Line {
            text: String::new(),
            format,
        };
        match format {
            Format::Positional => line.of("year"),
            Format::Keyed => line.of(HEAD).field("version", 2),
        };
        tell(line.field("year", self.year()).text());
        for (on, kind) in self.days() {
            tell(line.of("day").field("on", on).field("kind", kind).text());
        }
        for unit in self.units() {
            tell(line.unit(unit).text());
            for (score, points) in &unit.expert_scores {
                line.of("expert")
                    .field("organization_id", unit.organization_id)
                    .escaped("score", score)
                    .field("points", ratio::exact(points));
                tell(line.text());
            }
        }
        for user in self.using_units() {
            line.of("user")
                .field("organization_id", user.organization_id)
                .escaped("uscc", &user.uscc)
                .escaped("region_code", &user.region_code);
            tell(line.text());
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

/// How lines are written. Inputs keep the format in which they were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Version 1: values by their place.
    Positional,
    /// Version 2, in which new inputs are written: `key=value`.
    Keyed,
}

/// The kind of the first line since version 2.
pub(super) const HEAD: &str = "inputs";

/// A line being written; the buffer is used again for the next one.
struct Line {
    text: String,
    format: Format,
}

impl Line {
    fn of(&mut self, kind: &str) -> &mut Self {
        self.text.clear();
        self.text.push_str(kind);
        self
    }

    fn begin(&mut self, key: &str) {
        self.text.push('\t');
        if self.format == Format::Keyed {
            self.text.push_str(key);
            self.text.push('=');
        }
    }

    fn field(&mut self, key: &str, value: impl std::fmt::Display) -> &mut Self {
        self.begin(key);
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    fn flag(&mut self, key: &str, flag: bool) -> &mut Self {
        self.field(key, u8::from(flag))
    }

    /// Text that people typed: a tab, line end or backslash in it must not look like structure.
    fn escaped(&mut self, key: &str, text: &str) -> &mut Self {
        self.begin(key);
        for c in text.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                c => self.text.push(c),
            }
        }
        self
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn unit(&mut self, unit: &Host) -> &mut Self {
        let counts = &unit.counts;
        self.of("unit")
            .field("organization_id", unit.organization_id)
            .escaped("uscc", &unit.uscc)
            .field("kind", unit.kind)
            .field("registrations_due", counts.registrations_due)
            .field("registrations_on_time", counts.registrations_on_time)
            .field("requests_received", counts.requests_received)
            .field(
                "requests_answered_in_time",
                counts.requests_answered_in_time,
            );
        for level in Satisfaction::ALL {
            let answers = unit.answers.get(level).copied().unwrap_or(0);
            self.field(level.as_str(), answers);
        }
        self
    }

    fn instrument(&mut self, unit_id: OrganizationId, instrument: &Instrument) -> &mut Self {
        let flags = &instrument.flags;
        self.of("instrument")
            .field("organization_id", unit_id)
            .escaped("asset_no", &instrument.asset_no)
            .field("instrument_id", instrument.id)
            .field("purpose_type", instrument.purpose_type)
            .field("original_value_fen", instrument.original_value_fen.number())
            .field("days_in_service", instrument.days_in_service)
            .flag("counted", flags.counted)
            .flag("externally_shared", flags.externally_shared)
            .flag("exempted", flags.exempted)
            .flag("complete", flags.complete)
    }

    fn cell(&mut self, instrument_id: InstrumentId, cell: &UsageGroup) -> &mut Self {
        let (key, service) = (&cell.key, &cell.service);
        self.of("cell")
            .field("instrument_id", instrument_id)
            .field("using_unit_id", key.using_unit_id)
            .field("relation", key.relation)
            .field("evidence", key.evidence)
            .flag("statutory", key.statutory)
            .field("effective_minutes", service.effective_minutes.number())
            .field("records", service.records)
            .field("samples", service.samples)
            .field("payer_fen", service.payer_fen.number())
            .field("voucher_fen", service.voucher_fen.number())
    }
}
