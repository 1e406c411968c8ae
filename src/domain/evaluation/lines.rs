//! The canonical text of frozen inputs: one self-contained line per row, fields parted by tabs, in key order. Their
//! SHA-256 is the digest of a run; reading them back gives equal inputs.
//!
//! The first line names the version and the year, then `day`, `unit` (each followed by its `expert`, `reported` and `request`
//! lines), `user`, `instrument` (each followed by its `reported` lines), `cell`, `awarded`, `effect` (of an upheld finding), `certified` (where the first line says so), every field as `key=value`; what is not
//! known has no field. Version 2 had verdicts where version 3 has dates; in version 1 there were no keys and no first line but
//! `year`. What was stored so keeps its text, and with it its digest. Organization names are left out: renaming a unit must not look like a
//! change of the inputs.

use super::inputs::{
    Awarded, AwardedTo, Host, Inputs, Instrument, ServiceDetail, UsageGroup, UsingUnit,
};
use crate::domain::policy::LinesDigest;
use crate::domain::review::Satisfaction;
use crate::domain::{InstrumentId, OrganizationId, ratio};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The lines of a block: hundreds of thousands are only ever written and read together.
const BLOCK_LINES: usize = 1_000;

/// The canonical text as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredText {
    /// Whole lines parted by `\n`.
    pub blocks: Vec<String>,
    /// As [`Inputs::digest`].
    pub digest: String,
}

impl Inputs {
    /// The canonical lines in blocks, and their digest.
    pub fn text(&self) -> StoredText {
        let (mut blocks, mut digest) = (Vec::new(), LinesDigest::default());
        let (mut block, mut lines) = (String::new(), 0);
        let mut close = |block: &mut String| {
            digest.add(block);
            blocks.push(block.as_str().to_owned());
            block.clear();
        };
        self.each_line(|line| {
            if lines == BLOCK_LINES {
                close(&mut block);
                lines = 0;
            }
            if lines > 0 {
                block.push('\n');
            }
            block.push_str(line);
            lines += 1;
        });
        close(&mut block);
        StoredText {
            blocks,
            digest: digest.finish(),
        }
    }

    /// The canonical lines, without line ends.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.each_line(|line| lines.push(line.to_owned()));
        lines
    }

    /// SHA-256 of the lines joined by `\n`, as lower-case hex.
    pub fn digest(&self) -> String {
        let mut digest = LinesDigest::default();
        self.each_line(|line| digest.add(line));
        digest.finish()
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
            Format::Facts => line.of(HEAD).field("version", 3),
        };
        line.field("year", self.year());
        if format == Format::Facts {
            line.field("first_on", self.span.first_on)
                .field("last_on", self.span.last_on)
                .field("days_of_year", self.days_of_year)
                .optional("frozen_on", self.frozen_on)
                .optional("certified", self.certified.as_ref().map(|_| 1));
        }
        tell(line.text());
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
            for (name, value) in &unit.reported {
                line.of("reported")
                    .field("organization_id", unit.organization_id)
                    .reported(name, *value);
                tell(line.text());
            }
            for group in &unit.requests {
                line.of("request")
                    .field("organization_id", unit.organization_id)
                    .field("received_on", group.received_on)
                    .optional("answered_on", group.answered_on)
                    .optional("withdrawn_on", group.withdrawn_on)
                    .field("requests", group.requests);
                tell(line.text());
            }
        }
        for user in self.using_units() {
            tell(line.user(user).text());
        }
        for unit in self.units() {
            for instrument in &unit.instruments {
                tell(line.instrument(unit.organization_id, instrument).text());
                for (name, value) in &instrument.facts.reported {
                    line.of("reported")
                        .field("instrument_id", instrument.id)
                        .reported(name, *value);
                    tell(line.text());
                }
            }
        }
        for instrument in self.units().flat_map(|unit| &unit.instruments) {
            for cell in &instrument.cells {
                tell(line.cell(instrument.id, cell).text());
            }
        }
        self.each_outcome(&mut line, tell);
    }

    /// What earlier runs paid, what upheld findings do, and what using units were certified as.
    fn each_outcome(&self, line: &mut Line, mut tell: impl FnMut(&str)) {
        for awarded in &self.awarded {
            tell(line.awarded(awarded).text());
        }
        for (record, effect) in &self.effects.records {
            line.of("effect").field("usage_record_id", record);
            tell(line.field("effect", effect).text());
        }
        for (unit, grade) in &self.effects.grades {
            line.of("effect").field("organization_id", unit);
            tell(line.field("at_most", grade).text());
        }
        for (unit, days) in self.certified.iter().flatten() {
            for one in days {
                line.of("certified")
                    .field("organization_id", unit)
                    .escaped("certification", &one.certification)
                    .optional("from_on", one.from_on)
                    .optional("until_on", one.until_on);
                tell(line.text());
            }
        }
    }
}

/// How lines are written. Inputs keep the format in which they were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Version 1: values by their place.
    Positional,
    /// Version 2: `key=value`, with verdicts of the policy.
    Keyed,
    /// Version 3, in which new inputs are written: `key=value`, facts alone.
    Facts,
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
        if self.format != Format::Positional {
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

    /// Nothing of what is not known.
    fn optional(&mut self, key: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.field(key, value),
            None => self,
        }
    }

    /// Words of small letters, digits and `_`.
    fn words(&mut self, key: &str, words: &BTreeSet<String>) -> &mut Self {
        if words.is_empty() {
            return self;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.field(key, words.join(","))
    }

    fn reported(&mut self, name: &str, value: i64) -> &mut Self {
        self.escaped("name", name).field("value", value)
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

    fn user(&mut self, user: &UsingUnit) -> &mut Self {
        self.of("user")
            .field("organization_id", user.organization_id)
            .escaped("uscc", &user.uscc)
            .escaped("region_code", &user.region_code);
        if self.format == Format::Facts {
            self.optional("kind", user.kind)
                .words("certifications", &user.certifications);
        }
        self
    }

    fn awarded(&mut self, awarded: &Awarded) -> &mut Self {
        self.of("awarded").escaped("award", &awarded.award_code);
        match &awarded.to {
            AwardedTo::Instrument(id) => self.field("instrument_id", id),
            AwardedTo::Project(user, project) => self
                .field("organization_id", user)
                .escaped("project", project),
        }
    }

    fn unit(&mut self, unit: &Host) -> &mut Self {
        let counts = &unit.counts;
        self.of("unit")
            .field("organization_id", unit.organization_id)
            .escaped("uscc", &unit.uscc)
            .field("kind", unit.kind);
        if self.format == Format::Facts {
            self.escaped("region_code", &unit.region_code)
                .words("certifications", &unit.certifications)
                .optional("adopted", unit.adopted);
        } else {
            self.field("registrations_due", counts.registrations_due)
                .field("registrations_on_time", counts.registrations_on_time);
        }
        self.field("requests_received", counts.requests_received)
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
        let is_facts = self.format == Format::Facts;
        self.of("instrument")
            .field("organization_id", unit_id)
            .escaped("asset_no", &instrument.asset_no)
            .field("instrument_id", instrument.id)
            .field("purpose_type", instrument.purpose_type)
            .field("original_value_fen", instrument.original_value_fen.number())
            .field("days_in_service", instrument.days_in_service)
            .flag(listed_key(is_facts), flags.listed)
            .flag("externally_shared", flags.externally_shared)
            .flag("exempted", flags.exempted)
            .flag("complete", flags.complete);
        if is_facts {
            let facts = &instrument.facts;
            if !facts.category_code.is_empty() {
                self.escaped("category_code", &facts.category_code);
            }
            self.optional("funding", facts.funding)
                .optional("is_set", facts.is_set.map(u8::from))
                .optional("share_mode", facts.share_mode)
                .optional("accepted_on", facts.accepted_on)
                .optional("submitted_on", facts.submitted_on);
        }
        self
    }

    fn cell(&mut self, instrument_id: InstrumentId, cell: &UsageGroup) -> &mut Self {
        let (key, service) = (&cell.key, &cell.service);
        self.of("cell")
            .field("instrument_id", instrument_id)
            .field("using_unit_id", key.using_unit_id)
            .field("relation", key.relation)
            .field("evidence", key.evidence)
            .flag("statutory", key.statutory);
        if let Some(detail) = key.detail.as_deref() {
            self.detail(detail);
        }
        self.field("effective_minutes", service.effective_minutes.number());
        if self.format == Format::Facts {
            self.field("prepare_minutes", service.prepare_minutes.number())
                .field("post_minutes", service.post_minutes.number());
        }
        self.field("records", service.records)
            .field("samples", service.samples)
            .field("payer_fen", service.payer_fen.number())
            .field("voucher_fen", service.voucher_fen.number())
    }

    fn detail(&mut self, detail: &ServiceDetail) -> &mut Self {
        self.optional("purpose", detail.purpose)
            .optional("mode", detail.mode)
            .optional("service_class", detail.service_class)
            .optional("project_level", detail.project_level)
            .words("certifications", &detail.certifications);
        if let Some(project) = &detail.project {
            self.escaped("project", project);
        }
        if let Some(record) = &detail.record {
            self.optional("paid_on", record.paid_on)
                .field("ended_on", record.ended_on)
                .escaped("record_no", &record.record_no);
        }
        self
    }
}

/// The key of the first flag: in formats 1 and 2 it was a verdict.
const fn listed_key(is_facts: bool) -> &'static str {
    match is_facts {
        true => "listed",
        false => "counted",
    }
}
