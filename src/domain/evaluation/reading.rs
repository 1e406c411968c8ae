//! Reading the canonical lines of frozen inputs back: the inverse of `lines`.

use super::assembly::InputsMistake;
use super::inputs::{
    Host, HostCounts, Inputs, Instrument, InstrumentFlags, UsageGroup, UsageGroupKey, UsageTotals,
    UsingUnit,
};
use crate::domain::calendar::DayKind;
use crate::domain::review::Satisfaction;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, ratio};
use chrono::NaiveDate;
use num_rational::BigRational;
use std::collections::BTreeMap;
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
        let inputs = Inputs::assemble(
            year,
            rows.units,
            rows.instruments,
            rows.using_units,
            rows.cells,
        )?;
        Ok(inputs.with_days(rows.days))
    }
}

#[derive(Default)]
struct Rows {
    year: Option<i32>,
    days: BTreeMap<NaiveDate, DayKind>,
    units: Vec<Host>,
    /// Line, unit, score id, points.
    experts: Vec<(usize, OrganizationId, String, BigRational)>,
    instruments: Vec<(OrganizationId, Instrument)>,
    using_units: Vec<UsingUnit>,
    cells: Vec<(InstrumentId, UsageGroup)>,
    lines: usize,
}

impl Rows {
    fn read(&mut self, fields: &mut Fields) -> Option<()> {
        self.lines += 1;
        match fields.word()? {
            "year" if self.year.is_none() => self.year = Some(fields.parsed()?),
            "day" => {
                let (on, kind) = (fields.parsed()?, fields.parsed()?);
                if self.days.insert(on, kind).is_some() {
                    return None;
                }
            }
            "unit" => self.units.push(read_unit(fields)?),
            "expert" => {
                let unit_id = fields.parsed()?;
                let (id, points) = (fields.unescaped()?, fields.exact()?);
                let row = (self.lines, unit_id, id, points);
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

    fn exact(&mut self) -> Option<BigRational> {
        ratio::parse_exact(self.word()?).ok()
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

fn read_unit(fields: &mut Fields) -> Option<Host> {
    let mut unit = Host {
        organization_id: fields.parsed()?,
        uscc: fields.unescaped()?,
        kind: fields.parsed()?,
        counts: HostCounts {
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

fn read_cell(fields: &mut Fields) -> Option<UsageGroup> {
    Some(UsageGroup {
        key: UsageGroupKey {
            using_unit_id: fields.parsed()?,
            relation: fields.parsed()?,
            evidence: fields.parsed()?,
            statutory: fields.flag()?,
        },
        service: UsageTotals {
            effective_minutes: Minutes::new(fields.parsed()?),
            records: fields.parsed()?,
            samples: fields.parsed()?,
            payer_fen: Fen::new(fields.parsed()?),
            voucher_fen: Fen::new(fields.parsed()?),
        },
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

    #[test]
    fn lines_are_what_digests_were_made_of() {
        let inputs = inputs("A 1");
        assert_eq!(
            inputs.lines(),
            [
                "year\t2025",
                "day\t2025-01-01\tholiday",
                "unit\t1\tU001\tuniversity\t0\t0\t0\t0\t0\t0\t2\t0\t0",
                "expert\t1\tA4\t157143/50000",
                "user\t901\tC901\t130102",
                "instrument\t1\tA 1\t11\tgeneral\t30000000\t365\t1\t1\t0\t1",
                "cell\t11\t901\texternal\tautomatic\t0\t60\t1\t0\t100\t0",
            ]
        );
        let joined = crate::domain::policy::digest(&inputs.lines().join("\n"));
        assert_eq!(inputs.digest(), joined);
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
        ] {
            let mut lines = inputs("A1").lines();
            lines.insert(1, bad.to_owned());
            let read = Inputs::from_lines(lines);
            assert_eq!(read, Err(LineMistake::Unreadable(2)), "{bad:?}");
        }
        assert!(Inputs::from_lines(["unit"; 0]).is_err());
        let stray = "expert\t7\tA4\t1".to_owned();
        let lines = inputs("A1").lines().into_iter().chain([stray]);
        assert!(matches!(
            Inputs::from_lines(lines),
            Err(LineMistake::Inputs(_))
        ));
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
