//! Frozen inputs: the facts on which a year's evaluation and subsidy depend, as integers, dates and words. Whether something is
//! counted, due, answered, weak or excluded is judged by the policy at hand, not frozen.

use super::certified::Certified;
use super::effects::Effects;
use super::lines::Format;
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::calendar::DayKind;
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{Grade, Grain, ProjectLevel, ServiceClass, Span};
use crate::domain::review::Satisfaction;
use crate::domain::usage::Evidence;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use chrono::NaiveDate;
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

crate::vocabulary! {
    /// What a using unit is to the host of the instrument, as it was when the record ended.
    Relation {
        Host = "host",
        Related = "related",
        External = "external",
    }
}

/// Days in service: from the later of `enabled_on` and the first day to the last day or the day of retirement, both included.
pub fn days_in_service(span: &Span, enabled_on: NaiveDate, retired_on: Option<NaiveDate>) -> i64 {
    let from = enabled_on.max(span.first_on);
    let until = retired_on.map_or(span.last_on, |retired| retired.min(span.last_on));
    ((until - from).num_days() + 1).max(0)
}

/// The frozen inputs of a year. Units by id, their instruments by (`asset_no`, id), their cells by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    pub(super) format: Format,
    pub(super) year: i32,
    /// The days the inputs are of: the year of the policy, or one of its windows.
    pub(super) span: Span,
    /// How many days the year has of which the span is the whole or a window.
    pub(super) days_of_year: i64,
    /// The local day of the freeze; a deadline that ends later is not yet one. `None`: everything is over.
    pub(super) frozen_on: Option<NaiveDate>,
    pub(super) units: BTreeMap<OrganizationId, Host>,
    pub(super) using_units: BTreeMap<OrganizationId, UsingUnit>,
    pub(super) days: BTreeMap<NaiveDate, DayKind>,
    pub(super) awarded: BTreeSet<Awarded>,
    pub(super) effects: Effects,
    /// `None`: nothing was asked of the day of a service, or it was frozen before such days were.
    pub(super) certified: Option<Certified>,
}

/// Something an earlier final run paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Awarded {
    /// Code of the award in the pack.
    pub award_code: String,
    pub to: AwardedTo,
}

/// What it was paid for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum AwardedTo {
    Instrument(InstrumentId),
    /// A using unit's project.
    Project(OrganizationId, String),
}

/// Expert points by unit and score, exact.
pub type ExpertPoints = BTreeMap<OrganizationId, BTreeMap<String, BigRational>>;

/// A host with its instruments. Its name is no input: renaming a unit changes neither result nor digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub organization_id: OrganizationId,
    pub uscc: String,
    pub kind: OrganizationKind,
    pub region_code: String,
    /// Held at the end of the last day.
    pub certifications: BTreeSet<String>,
    pub counts: HostCounts,
    pub requests: Vec<RequestGroup>,
    /// Answers of external customers in confirmed records of the year, weak evidence included.
    pub answers: BTreeMap<Satisfaction, i64>,
    /// Numbers the unit reports, by name.
    pub reported: BTreeMap<String, i64>,
    /// Expert points by score id, exact: experts may give a third of a point.
    pub expert_scores: BTreeMap<String, BigRational>,
    /// The grade of an evaluation outside.
    pub adopted: Option<Grade>,
    /// Filled by [`Inputs::assemble`]; in the order of (`asset_no`, id).
    pub instruments: Vec<Instrument>,
}

impl Host {
    /// One of which nothing is known but who it is.
    pub fn new(organization_id: OrganizationId, uscc: String, kind: OrganizationKind) -> Self {
        Self {
            organization_id,
            uscc,
            kind,
            region_code: String::new(),
            certifications: BTreeSet::new(),
            counts: HostCounts::default(),
            requests: Vec::new(),
            answers: BTreeMap::new(),
            reported: BTreeMap::new(),
            expert_scores: BTreeMap::new(),
            adopted: None,
            instruments: Vec::new(),
        }
    }
}

/// Numbers of a unit that somebody counted already: it reports them itself, or they were frozen as verdicts (formats 1 and 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostCounts {
    pub registrations_due: i64,
    pub registrations_on_time: i64,
    pub requests_received: i64,
    pub requests_answered_in_time: i64,
}

/// External requests with the same days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestGroup {
    pub received_on: NaiveDate,
    /// `None`: not answered.
    pub answered_on: Option<NaiveDate>,
    /// Taken back before anybody answered.
    pub withdrawn_on: Option<NaiveDate>,
    pub requests: i64,
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
    pub facts: InstrumentFacts,
    /// Filled by [`Inputs::assemble`]; in the order of [`UsageGroupKey`].
    pub cells: Vec<UsageGroup>,
}

/// Stocks at the end of the last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstrumentFlags {
    /// Listed, or suspended or retired within the span, and in service by its end. In formats 1 and 2 also worth the threshold.
    pub listed: bool,
    pub externally_shared: bool,
    /// With an approved exemption.
    pub exempted: bool,
    pub complete: bool,
}

/// What packs may ask of an instrument besides. What is not known is `None` or empty, and no condition holds for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstrumentFacts {
    pub category_code: String,
    pub funding: Option<FundingSource>,
    pub is_set: Option<bool>,
    pub share_mode: Option<ShareMode>,
    pub accepted_on: Option<NaiveDate>,
    /// When it was first submitted for listing.
    pub submitted_on: Option<NaiveDate>,
    /// Numbers the unit reports of it, by name.
    pub reported: BTreeMap<String, i64>,
}

/// A using unit, a host among them when it uses its own instruments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsingUnit {
    pub organization_id: OrganizationId,
    pub uscc: String,
    pub region_code: String,
    /// `None` in formats 1 and 2.
    pub kind: Option<OrganizationKind>,
    /// Held at the end of the last day.
    pub certifications: BTreeSet<String>,
}

/// Who used an instrument, and in which class.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageGroupKey {
    pub using_unit_id: OrganizationId,
    pub relation: Relation,
    pub evidence: Evidence,
    pub statutory: bool,
    /// What only some packs ask; `None`: it was not asked.
    pub detail: Option<Arc<ServiceDetail>>,
}

/// The finer facts of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ServiceDetail {
    pub purpose: Option<BookingPurpose>,
    pub mode: Option<BookingMode>,
    pub service_class: Option<ServiceClass>,
    pub project: Option<String>,
    pub project_level: Option<ProjectLevel>,
    /// What the using unit was certified as on the local day of the service's last moment.
    pub certifications: BTreeSet<String>,
    /// Of one record alone, when packs pay by record.
    pub record: Option<RecordFacts>,
}

/// One record, and the order in which first come is first served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordFacts {
    pub paid_on: Option<NaiveDate>,
    pub ended_on: NaiveDate,
    pub record_no: String,
}

/// What was served to one using unit in one class. A cell may have income without minutes: income counts in the year of
/// its payment, minutes in the year of the record's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageGroup {
    pub key: UsageGroupKey,
    pub service: UsageTotals,
}

/// Sums over confirmed records; income is on invoiced charges, paid in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    pub effective_minutes: Minutes,
    /// Of which preparation and post-processing; 0 in formats 1 and 2.
    pub prepare_minutes: Minutes,
    pub post_minutes: Minutes,
    pub records: i64,
    pub samples: i64,
    pub payer_fen: Fen,
    pub voucher_fen: Fen,
}

impl Inputs {
    pub const fn year(&self) -> i32 {
        self.year
    }

    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// How many days the year has; the span may be a window of it.
    pub const fn days_of_year(&self) -> i64 {
        self.days_of_year
    }

    pub const fn frozen_on(&self) -> Option<NaiveDate> {
        self.frozen_on
    }

    /// With the local day of the freeze.
    pub const fn frozen_on_day(mut self, on: NaiveDate) -> Self {
        self.frozen_on = Some(on);
        self
    }

    /// With the holidays and make-up working days by which deadlines are counted: a notice that changes later must not
    /// change what was on time.
    pub fn with_days(mut self, days: BTreeMap<NaiveDate, DayKind>) -> Self {
        self.days = days;
        self
    }

    /// With what earlier runs paid.
    pub fn with_awarded(mut self, awarded: BTreeSet<Awarded>) -> Self {
        self.awarded = awarded;
        self
    }

    /// With what upheld findings do.
    pub fn with_effects(mut self, effects: Effects) -> Self {
        self.effects = effects;
        self
    }

    /// With the days on which using units were certified.
    pub fn with_certified(mut self, certified: Option<Certified>) -> Self {
        self.certified = certified;
        self
    }

    pub const fn certified(&self) -> Option<&Certified> {
        self.certified.as_ref()
    }

    /// With these best grades in place of those they had.
    pub fn with_best_grades(mut self, grades: BTreeMap<OrganizationId, Grade>) -> Self {
        if self.format == Format::Facts {
            self.effects.grades = grades;
        }
        self
    }

    pub const fn effects(&self) -> &Effects {
        &self.effects
    }

    /// How fine they are: as fine as a policy asks, and where they show it finer.
    pub fn grain(&self, asked: Grain) -> Grain {
        let instruments = || self.units.values().flat_map(|unit| &unit.instruments);
        let cells = instruments().flat_map(|instrument| &instrument.cells);
        let mut grain = asked;
        for detail in cells.filter_map(|cell| cell.key.detail.as_deref()) {
            grain.detail |= detail.purpose.is_some();
            grain.record |= detail.record.is_some();
        }
        grain.sets |= instruments().any(|instrument| instrument.facts.is_set.is_some());
        grain
    }

    /// As their lines are, or were, written.
    pub const fn in_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    pub const fn format(&self) -> Format {
        self.format
    }

    /// Whether the points and the best grades are these.
    pub fn has(&self, points: &ExpertPoints, best: &BTreeMap<OrganizationId, Grade>) -> bool {
        let none = BTreeMap::new();
        let same = |unit: &Host| {
            let points = points.get(&unit.organization_id).unwrap_or(&none);
            unit.expert_scores == *points
        };
        self.units().all(same) && self.effects.grades == *best
    }

    /// With these points in place of those they had.
    pub fn with_experts(mut self, mut points: ExpertPoints) -> Self {
        for unit in self.units.values_mut() {
            unit.expert_scores = points.remove(&unit.organization_id).unwrap_or_default();
        }
        self
    }

    /// With these grades of evaluations outside in place of those they had.
    pub fn with_adopted(mut self, mut grades: BTreeMap<OrganizationId, Grade>) -> Self {
        for unit in self.units.values_mut() {
            unit.adopted = grades.remove(&unit.organization_id);
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

    /// Every using unit, in the order of ids.
    pub fn using_units(&self) -> impl Iterator<Item = &UsingUnit> {
        self.using_units.values()
    }

    pub fn using_unit(&self, id: OrganizationId) -> Option<&UsingUnit> {
        self.using_units.get(&id)
    }

    /// What earlier runs paid.
    pub const fn awarded(&self) -> &BTreeSet<Awarded> {
        &self.awarded
    }

    /// Whether an earlier run paid for it.
    pub fn was_awarded(&self, award_code: &str, to: AwardedTo) -> bool {
        let award_code = award_code.to_owned();
        !self.awarded.is_empty() && self.awarded.contains(&Awarded { award_code, to })
    }
}

impl UsageTotals {
    /// What is neither preparation nor post-processing.
    pub fn run_minutes(&self) -> i64 {
        self.effective_minutes.number() - self.prepare_minutes.number() - self.post_minutes.number()
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
            let span = Span::of_calendar_year(year).unwrap();
            assert_eq!(
                days_in_service(&span, date(enabled_on), retired_on.map(date)),
                days,
                "{year}, {enabled_on}, {retired_on:?}"
            );
        }
    }
}
