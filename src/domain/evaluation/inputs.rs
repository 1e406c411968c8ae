//! Frozen inputs: everything a year's evaluation and subsidy depend on, as integers. Whether evidence is weak, who is
//! excluded and what is rated is derived from the policy later, not frozen.

use super::assembly::InputsMistake;
use super::lines::Format;
use crate::domain::calendar::DayKind;
use crate::domain::instrument::PurposeType;
use crate::domain::organization::OrganizationKind;
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use chrono::NaiveDate;
use num_rational::BigRational;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// What a using unit is to the host of the instrument, as it was when the record ended.
    Relation {
        Host = "host",
        Related = "related",
        External = "external",
    }
}

/// Days of a calendar year.
pub fn days_of_year(year: i32) -> Result<i64, InputsMistake> {
    let date = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let (first, last) = date(1, 1)
        .zip(date(12, 31))
        .ok_or(InputsMistake::Year(year))?;
    Ok((last - first).num_days() + 1)
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
    pub(super) format: Format,
    pub(super) year: i32,
    pub(super) units: BTreeMap<OrganizationId, Host>,
    pub(super) using_units: BTreeMap<OrganizationId, UsingUnit>,
    pub(super) days: BTreeMap<NaiveDate, DayKind>,
}

/// Expert points by unit and score, exact.
pub type ExpertPoints = BTreeMap<OrganizationId, BTreeMap<String, BigRational>>;

/// A host with its instruments. Its name is no input: renaming a unit changes neither result nor digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub organization_id: OrganizationId,
    pub uscc: String,
    pub kind: OrganizationKind,
    pub counts: HostCounts,
    /// Answers of external customers in confirmed records of the year, weak evidence included.
    pub answers: BTreeMap<Satisfaction, i64>,
    /// Expert points by score id, exact: experts may give a third of a point.
    pub expert_scores: BTreeMap<String, BigRational>,
    /// Filled by [`Inputs::assemble`]; in the order of (`asset_no`, id).
    pub instruments: Vec<Instrument>,
}

/// Numbers of a unit that are no sums over instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostCounts {
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
    /// Filled by [`Inputs::assemble`]; in the order of [`UsageGroupKey`].
    pub cells: Vec<UsageGroup>,
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
pub struct UsageGroupKey {
    pub using_unit_id: OrganizationId,
    pub relation: Relation,
    pub evidence: Evidence,
    pub statutory: bool,
}

/// What was served to one using unit in one class. A cell may have income without minutes: income counts in the year of
/// its payment, minutes in the year of the record's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageGroup {
    pub key: UsageGroupKey,
    pub service: UsageTotals,
}

/// Sums over confirmed records; income is on invoiced charges, paid in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    pub effective_minutes: Minutes,
    pub records: i64,
    pub samples: i64,
    pub payer_fen: Fen,
    pub voucher_fen: Fen,
}

impl Inputs {
    pub const fn year(&self) -> i32 {
        self.year
    }

    /// With the holidays and make-up working days by which deadlines were counted: a notice that changes later must not
    /// change what was on time.
    pub fn with_days(mut self, days: BTreeMap<NaiveDate, DayKind>) -> Self {
        self.days = days;
        self
    }

    /// As their lines are, or were, written.
    pub const fn in_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub const fn format(&self) -> Format {
        self.format
    }

    /// With these points in place of those they had.
    pub fn with_experts(mut self, mut points: ExpertPoints) -> Self {
        for unit in self.units.values_mut() {
            unit.expert_scores = points.remove(&unit.organization_id).unwrap_or_default();
        }
        self
    }

    pub const fn days(&self) -> &BTreeMap<NaiveDate, DayKind> {
        &self.days
    }

    /// Every unit, in the order of ids.
    pub fn units(&self) -> impl Iterator<Item = &Host> {
        self.units.values()
    }

    /// The evaluated units: those with at least one counted instrument, in the order of ids.
    pub fn evaluated(&self) -> impl Iterator<Item = &Host> {
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

impl Host {
    /// Its counted instruments, in the order of `asset_no`.
    pub fn counted(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter().filter(|i| i.flags.counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_service_have_both_ends_in_them() {
        for (year, enabled_on, retired_on, days) in [
            (2025, "2016-05-01", None, 365),
            (2024, "2016-05-01", None, 366),
            (2025, "2025-01-01", None, 365),
            (2025, "2025-12-31", None, 1),
            (2025, "2026-01-01", None, 0),
            (2024, "2024-02-29", Some("2024-02-29"), 1),
            (2025, "2020-01-01", Some("2025-01-01"), 1),
            (2025, "2020-01-01", Some("2024-12-31"), 0),
            (2025, "2020-01-01", Some("2026-03-01"), 365),
            (2025, "2025-06-01", Some("2025-05-01"), 0),
        ] {
            let date = |text: &str| text.parse().unwrap();
            assert_eq!(
                days_in_service(year, date(enabled_on), retired_on.map(date)),
                Ok(days),
                "{year}, {enabled_on}, {retired_on:?}"
            );
        }
    }

    #[test]
    fn a_year_beyond_the_calendar_is_refused() {
        assert_eq!(days_of_year(i32::MAX), Err(InputsMistake::Year(i32::MAX)));
        assert_eq!(days_of_year(2100), Ok(365));
        assert_eq!(days_of_year(2000), Ok(366));
    }
}
