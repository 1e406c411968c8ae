//! Reading the canonical lines of frozen inputs back: the inverse of `lines`.

use super::assembly::InputsMistake;
use super::effects::Effects;
use super::inputs::{
    Awarded, AwardedTo, Host, HostCounts, Inputs, Instrument, InstrumentFacts, InstrumentFlags,
    RecordFacts, RequestGroup, ServiceDetail, UsageGroup, UsageGroupKey, UsageTotals, UsingUnit,
};
use super::lines::{Format, HEAD};
use crate::domain::calendar::DayKind;
use crate::domain::policy::{Span, YearSpan};
use crate::domain::review::Satisfaction;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, ratio};
use chrono::NaiveDate;
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::str::FromStr;
use std::sync::Arc;

/// Why lines are no inputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineMistake {
    #[error("line {0} cannot be read")]
    Unreadable(usize),
    #[error(transparent)]
    Inputs(#[from] InputsMistake),
}

impl Inputs {
    /// Reads canonical lines, in any order.
    pub fn from_lines<S: AsRef<str>>(
        lines: impl IntoIterator<Item = S>,
    ) -> Result<Inputs, LineMistake> {
        let mut rows = Rows::default();
        let mut format = Format::Positional;
        for (at, line) in lines.into_iter().enumerate() {
            let mut words = line.as_ref().split('\t');
            let kind = words.next().unwrap_or_default();
            let words: VecDeque<&str> = words.collect();
            if at == 0 && kind == HEAD {
                format = match words.contains(&"version=3") {
                    true => Format::Facts,
                    false => Format::Keyed,
                };
            }
            let read = rows.read(kind, &mut Fields { words, format });
            read.ok_or(LineMistake::Unreadable(at + 1))?;
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

    /// The lines that came with format 3.
    fn read_fact(&mut self, kind: &str, fields: &mut Fields) -> Option<()> {
        match kind {
            "reported" => {
                let (name, value) = (fields.unescaped("name")?, fields.parsed("value")?);
                if let Some(id) = fields.optional("instrument_id")? {
                    self.reported_of_instruments
                        .push((self.lines, id, name, value));
                } else {
                    let id = fields.parsed("organization_id")?;
                    self.reported.push((self.lines, id, name, value));
                }
            }
            "request" => self.requests.push((
                fields.parsed("organization_id")?,
                RequestGroup {
                    received_on: fields.parsed("received_on")?,
                    answered_on: fields.optional("answered_on")?,
                    withdrawn_on: fields.optional("withdrawn_on")?,
                    requests: fields.parsed("requests")?,
                },
            )),
            "awarded" => {
                let award_code = fields.unescaped("award")?;
                let to = match fields.optional("instrument_id")? {
                    Some(id) => AwardedTo::Instrument(id),
                    None => AwardedTo::Project(
                        fields.parsed("organization_id")?,
                        fields.unescaped("project")?,
                    ),
                };
                self.awarded
                    .insert(Awarded { award_code, to })
                    .then_some(())?;
            }
            "effect" => {
                let known = match fields.optional("usage_record_id")? {
                    Some(record) => {
                        let effect = fields.parsed("effect")?;
                        self.effects.records.insert(record, effect).is_some()
                    }
                    None => {
                        let (unit, grade) =
                            (fields.parsed("organization_id")?, fields.parsed("at_most")?);
                        self.effects.grades.insert(unit, grade).is_some()
                    }
                };
                (!known).then_some(())?;
            }
            _ => return None,
        }
        Some(())
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
        let mut inputs = inputs.with_effects(self.effects);
        inputs.frozen_on = self.head.and_then(|head| head.frozen_on);
        Ok(inputs.in_format(format))
    }
}

/// What a line has not yet been asked for.
struct Fields<'a> {
    words: VecDeque<&'a str>,
    format: Format,
}

impl<'a> Fields<'a> {
    /// The value of a key; without keys, the next one.
    fn word(&mut self, key: &str) -> Option<&'a str> {
        match self.format {
            Format::Positional => self.words.pop_front(),
            Format::Keyed | Format::Facts => {
                let value = |word: &&'a str| word.strip_prefix(key)?.strip_prefix('=');
                let at = self.words.iter().position(|word| value(word).is_some())?;
                value(&self.words.remove(at)?)
            }
        }
    }

    fn parsed<T: FromStr>(&mut self, key: &str) -> Option<T> {
        self.word(key)?.parse().ok()
    }

    /// `Some(None)`: there is no such key.
    fn optional<T: FromStr>(&mut self, key: &str) -> Option<Option<T>> {
        match self.word(key) {
            Some(word) => word.parse().ok().map(Some),
            None => Some(None),
        }
    }

    /// Words parted by commas; none without the key.
    fn words(&mut self, key: &str) -> BTreeSet<String> {
        let words = self.word(key).map(|words| words.split(','));
        words.into_iter().flatten().map(str::to_owned).collect()
    }

    fn exact(&mut self, key: &str) -> Option<BigRational> {
        ratio::parse_exact(self.word(key)?).ok()
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        match self.word(key)? {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn unescaped(&mut self, key: &str) -> Option<String> {
        unescape(self.word(key)?)
    }

    /// `Some(None)`: there is no such key.
    fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        match self.word(key) {
            Some(word) => unescape(word).map(Some),
            None => Some(None),
        }
    }

    /// Nothing is left that nobody asked for: it would be missing from the digest.
    fn end(&self) -> Option<()> {
        self.words.is_empty().then_some(())
    }
}

fn unescape(word: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = word.chars();
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

fn read_unit(fields: &mut Fields) -> Option<Host> {
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

fn read_user(fields: &mut Fields) -> Option<UsingUnit> {
    Some(UsingUnit {
        organization_id: fields.parsed("organization_id")?,
        uscc: fields.unescaped("uscc")?,
        region_code: fields.unescaped("region_code")?,
        kind: fields.optional("kind")?,
        certifications: fields.words("certifications"),
    })
}

fn read_instrument(fields: &mut Fields) -> Option<Instrument> {
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

fn read_cell(fields: &mut Fields) -> Option<UsageGroup> {
    let is_facts = fields.format == Format::Facts;
    let key = UsageGroupKey {
        using_unit_id: fields.parsed("using_unit_id")?,
        relation: fields.parsed("relation")?,
        evidence: fields.parsed("evidence")?,
        statutory: fields.flag("statutory")?,
        detail: None,
    };
    let mut minutes = |key| fields.parsed(key).map(Minutes::new);
    let effective_minutes = minutes("effective_minutes")?;
    let (prepare_minutes, post_minutes) = match is_facts {
        true => (minutes("prepare_minutes")?, minutes("post_minutes")?),
        false => (Minutes::ZERO, Minutes::ZERO),
    };
    let service = UsageTotals {
        effective_minutes,
        prepare_minutes,
        post_minutes,
        records: fields.parsed("records")?,
        samples: fields.parsed("samples")?,
        payer_fen: Fen::new(fields.parsed("payer_fen")?),
        voucher_fen: Fen::new(fields.parsed("voucher_fen")?),
    };
    let detail = match is_facts && !fields.words.is_empty() {
        true => Some(Arc::new(read_detail(fields)?)),
        false => None,
    };
    Some(UsageGroup {
        key: UsageGroupKey { detail, ..key },
        service,
    })
}

fn read_detail(fields: &mut Fields) -> Option<ServiceDetail> {
    let record_no = fields.optional_text("record_no")?;
    let record = match record_no {
        Some(record_no) => Some(RecordFacts {
            paid_on: fields.optional("paid_on")?,
            ended_on: fields.parsed("ended_on")?,
            record_no,
        }),
        None => None,
    };
    Some(ServiceDetail {
        purpose: fields.optional("purpose")?,
        mode: fields.optional("mode")?,
        service_class: fields.optional("service_class")?,
        project: fields.optional_text("project")?,
        project_level: fields.optional("project_level")?,
        certifications: fields.words("certifications"),
        record,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Rows, cell, instrument, unit};
    use super::*;
    use proptest::prelude::*;

    fn inputs(asset_no: &str) -> Inputs {
        let mut rows = Rows::of(1);
        rows.using_units.truncate(1);
        rows.units[0]
            .expert_scores
            .insert("A4".to_owned(), ratio::parse("3.14286").unwrap());
        rows.units[0].answers.insert(Satisfaction::Neutral, 2);
        let mut renamed = instrument(11);
        renamed.asset_no = asset_no.to_owned();
        rows.add(1, renamed, &[cell(901, 60, 100)]);
        let new_year = ("2025-01-01".parse().unwrap(), DayKind::Holiday);
        rows.assemble().unwrap().with_days([new_year].into())
    }

    /// Every format in which inputs were ever stored. These files never change.
    const GOLDEN: [(Format, &str); 2] = [
        (
            Format::Positional,
            include_str!("../../../tests/golden/frozen_inputs.v1.txt"),
        ),
        (
            Format::Keyed,
            include_str!("../../../tests/golden/frozen_inputs.v2.txt"),
        ),
    ];

    #[test]
    fn lines_are_what_digests_were_made_of() {
        for (format, stored) in GOLDEN {
            let inputs = inputs("A 1").in_format(format);
            assert_eq!(inputs.lines(), stored.lines().collect::<Vec<_>>());
            let joined = crate::domain::policy::digest(&inputs.lines().join("\n"));
            assert_eq!(inputs.digest(), joined);
            assert_eq!(Inputs::from_lines(stored.lines()), Ok(inputs));
        }
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_number() {
        for bad in [
            "",
            "year\t2025",
            "unit\t2",
            "user\t902\tC902\t130102\tmore",
            "cell\t11\t901\texternal\tautomatic\ttrue\t60\t1\t0\t100\t0",
            "expert\t1\tA\\4\t35000",
            "expert\t1\tA4\t1/0",
            "day\t2025-02-30\tholiday",
            "thing\t1",
            "inputs\tversion=2\tyear=2025",
        ] {
            let mut lines = inputs("A1").in_format(Format::Positional).lines();
            lines.insert(1, bad.to_owned());
            let read = Inputs::from_lines(lines);
            assert_eq!(read, Err(LineMistake::Unreadable(2)), "{bad:?}");
        }
        for bad in [
            "inputs\tversion=2\tyear=2025",
            "year\t2025",
            "user\torganization_id=902\tuscc=C902",
            "user\torganization_id=902\tuscc=C902\tregion_code=130102\tmore=1",
            "user\t902\tC902\t130102",
        ] {
            let mut lines = inputs("A1").lines();
            lines.insert(1, bad.to_owned());
            let read = Inputs::from_lines(lines);
            assert_eq!(read, Err(LineMistake::Unreadable(2)), "{bad:?}");
        }
        let later = ["inputs\tversion=3\tyear=2025"];
        assert_eq!(Inputs::from_lines(later), Err(LineMistake::Unreadable(1)));
        assert!(Inputs::from_lines(["unit"; 0]).is_err());
        let stray = "expert\torganization_id=7\tscore=A4\tpoints=1".to_owned();
        let lines = inputs("A1").lines().into_iter().chain([stray]);
        assert!(matches!(
            Inputs::from_lines(lines),
            Err(LineMistake::Inputs(_))
        ));
    }

    #[test]
    fn keys_stand_in_any_order() {
        let turned = |line: &str| {
            let mut words: Vec<&str> = line.split('\t').collect();
            words[1..].reverse();
            words.join("\t")
        };
        let inputs = inputs("A1");
        let lines: Vec<String> = inputs.lines().iter().map(|line| turned(line)).collect();
        assert_eq!(Inputs::from_lines(lines), Ok(inputs));
    }

    proptest! {
        #[test]
        fn reading_what_was_written_gives_the_same(asset_no in "[a-z\\\\\t\n\r 仪\"]{0,8}", units in 1i64..4,
            cells in proptest::collection::vec((901i64..909, 0i64..1000, 0i64..1000), 0..20)) {
            let mut rows = Rows::of(units);
            rows.units.push(unit(77));
            let mut named = instrument(11);
            named.asset_no = asset_no;
            let cells: Vec<UsageGroup> = cells.into_iter().map(|(user, minutes, fen)| cell(user, minutes, fen)).collect();
            rows.add(1, named, &cells);
            let inputs = rows.assemble().unwrap();
            let lines = inputs.lines();
            prop_assert!(lines.iter().all(|line| !line.contains('\n')));
            let read = Inputs::from_lines(&lines).unwrap();
            prop_assert_eq!(read.digest(), inputs.digest());
            prop_assert_eq!(read, inputs);
        }
    }
}
