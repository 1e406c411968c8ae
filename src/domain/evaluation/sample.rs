//! Small inputs for tests.

use super::*;
use crate::domain::instrument::PurposeType;
use crate::domain::organization::OrganizationKind;
use crate::domain::usage::Evidence;
use crate::domain::{Fen, InstrumentId, Minutes, OrganizationId};
use std::collections::BTreeMap;

/// Not a leap year.
pub(crate) const YEAR: i32 = 2025;

pub(crate) fn organization(id: i64) -> OrganizationId {
    OrganizationId::try_from(id).unwrap()
}

pub(crate) fn unit(id: i64) -> Host {
    Host {
        organization_id: organization(id),
        uscc: format!("U{id:03}"),
        kind: OrganizationKind::University,
        counts: HostCounts::default(),
        answers: BTreeMap::new(),
        expert_scores: BTreeMap::new(),
        instruments: Vec::new(),
    }
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
            counted: true,
            externally_shared: true,
            exempted: false,
            complete: true,
        },
        cells: Vec::new(),
    }
}

/// A using unit of Hebei.
pub(crate) fn using_unit(id: i64) -> UsingUnit {
    UsingUnit {
        organization_id: organization(id),
        uscc: format!("C{id:03}"),
        region_code: "130102".to_owned(),
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
        },
        service: UsageTotals {
            effective_minutes: Minutes::new(minutes),
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
        self.cells.extend(cells.iter().map(|cell| (id, *cell)));
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
