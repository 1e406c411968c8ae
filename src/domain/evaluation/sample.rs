//! Small inputs for tests.

use super::*;
use crate::domain::instrument::PurposeType;
use crate::domain::organization::OrganizationKind;
use crate::domain::policy::{
    Deadline, Discipline, EvaluationRule, Grades, Notice, Policy, Registration, Requests, YearRule,
};
use crate::domain::usage::Evidence;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId, ratio};
use std::collections::BTreeMap;

/// Not a leap year.
pub(crate) const YEAR: i32 = 2025;

pub(crate) fn organization(id: i64) -> OrganizationId {
    OrganizationId::try_from(id).unwrap()
}

pub(crate) fn unit(id: i64) -> Host {
    let kind = OrganizationKind::University;
    Host::new(organization(id), format!("U{id:03}"), kind)
}

/// A counted general instrument of 300,000 yuan, in service all year.
pub(crate) fn instrument(id: i64) -> Instrument {
    Instrument {
        id: InstrumentId::try_from(id).unwrap(),
        asset_no: format!("A{id:05}"),
        purpose_type: PurposeType::General,
        original_value_fen: Fen::new(30_000_000),
        days_in_service: 365,
        flags: InstrumentFlags {
            listed: true,
            externally_shared: true,
            exempted: false,
            complete: true,
        },
        facts: InstrumentFacts::default(),
        cells: Vec::new(),
    }
}

/// A using unit of Hebei.
pub(crate) fn using_unit(id: i64) -> UsingUnit {
    UsingUnit {
        organization_id: organization(id),
        uscc: format!("C{id:03}"),
        region_code: "130102".to_owned(),
        kind: None,
        certifications: Default::default(),
    }
}

/// One external record with automatic evidence, its fee paid by the payer.
pub(crate) fn cell(using_unit: i64, minutes: i64, payer_fen: i64) -> UsageGroup {
    UsageGroup {
        key: UsageGroupKey {
            using_unit_id: organization(using_unit),
            relation: Relation::External,
            evidence: Evidence::Automatic,
            statutory: false,
            detail: None,
        },
        service: UsageTotals {
            effective_minutes: Minutes::new(minutes),
            prepare_minutes: Minutes::ZERO,
            post_minutes: Minutes::ZERO,
            records: 1,
            samples: 0,
            payer_fen: Fen::new(payer_fen),
            voucher_fen: Fen::ZERO,
        },
    }
}

/// Rows on their way to inputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub units: Vec<Host>,
    pub instruments: Vec<(OrganizationId, Instrument)>,
    pub using_units: Vec<UsingUnit>,
    pub cells: Vec<(InstrumentId, UsageGroup)>,
}

impl Rows {
    /// Units 1…`units` and using units 901…909.
    pub(crate) fn of(units: i64) -> Self {
        Self {
            units: (1..=units).map(unit).collect(),
            using_units: (901..=909).map(using_unit).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn add(&mut self, unit: i64, instrument: Instrument, cells: &[UsageGroup]) {
        let id = instrument.id;
        self.instruments.push((organization(unit), instrument));
        self.cells
            .extend(cells.iter().map(|cell| (id, cell.clone())));
    }

    pub(crate) fn assemble(self) -> Result<Inputs, InputsMistake> {
        Inputs::assemble(
            YEAR,
            self.units,
            self.instruments,
            self.using_units,
            self.cells,
        )
    }
}

/// A pack in which nothing matters but what a test puts in its place.
pub(crate) fn policy() -> Policy {
    let points = |number: i64| ratio::whole(number);
    Policy {
        code: "sample".to_owned(),
        version: 1,
        title: "sample".to_owned(),
        issuer: "sample".to_owned(),
        document_no: None,
        published_on: None,
        parameters: Vec::new(),
        registration: Some(Registration {
            threshold_fen: Fen::new(20_000_000),
            report_within: Deadline::WorkingDays(30),
        }),
        requests: Some(Requests {
            answer_within_working_days: 3,
        }),
        year: YearRule::default(),
        pools: Vec::new(),
        evaluation: EvaluationRule::default(),
        metrics: BTreeMap::new(),
        scores: Vec::new(),
        grades: Some(Grades {
            excellent: points(90),
            good: points(75),
            pass: points(60),
            quota: None,
            ties: Vec::new(),
            vetoes: Vec::new(),
            adopt: false,
        }),
        awards: Vec::new(),
        notice: Notice::default(),
        discipline: Discipline::default(),
        duty: None,
        purchase: None,
        sources: Vec::new(),
        parameter_places: Vec::new(),
    }
}
