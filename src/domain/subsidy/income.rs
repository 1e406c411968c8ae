//! The base of an instrument: income that earns subsidy, and how much was left out for which reason.

use crate::domain::evaluation::{Host, Inputs, Instrument, Relation, UsageGroup};
use crate::domain::policy::{Award, Exclusion};
use crate::domain::{Fen, InstrumentId, TooLarge};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// Why income is not in the base. Of several reasons the first of the policy is named; the region comes last.
    LeftOut {
        /// Not a customer that the base counts at all: the host itself.
        Customer = "customer",
        Statutory = "statutory",
        WeakEvidence = "weak_evidence",
        RelatedParty = "related_party",
        Region = "region",
        /// Paid by a voucher, whoever the customer is.
        Voucher = "voucher",
    }
}

/// What an instrument starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentBase {
    pub instrument_id: InstrumentId,
    pub asset_no: String,
    pub base: Fen,
    /// Income that is not in the base; reasons without any are left out.
    pub left_out: BTreeMap<LeftOut, Fen>,
}

impl InstrumentBase {
    /// Everything paid for the instrument's services, by payers and by vouchers.
    pub fn income(&self) -> Result<Fen, TooLarge> {
        Fen::sum(self.left_out.values().copied().chain([self.base]))
    }
}

/// The bases of a unit's counted instruments, in the order of `asset_no`.
pub(super) fn of_unit(
    unit: &Host,
    inputs: &Inputs,
    award: &Award,
) -> Result<Vec<InstrumentBase>, TooLarge> {
    let instruments = unit.counted();
    instruments
        .map(|i| of_instrument(i, inputs, award))
        .collect()
}

fn of_instrument(
    instrument: &Instrument,
    inputs: &Inputs,
    award: &Award,
) -> Result<InstrumentBase, TooLarge> {
    let mut base = Fen::ZERO;
    let mut left_out: BTreeMap<LeftOut, Fen> = BTreeMap::new();
    for cell in &instrument.cells {
        let mut leave_out = |reason, fen: Fen| -> Result<(), TooLarge> {
            if fen != Fen::ZERO {
                let sum = left_out.entry(reason).or_default();
                *sum = sum.checked_add(fen)?;
            }
            Ok(())
        };
        leave_out(LeftOut::Voucher, cell.service.voucher_fen)?;
        match reason_against(instrument, cell, inputs, award) {
            Some(reason) => leave_out(reason, cell.service.payer_fen)?,
            None => base = base.checked_add(cell.service.payer_fen)?,
        }
    }
    Ok(InstrumentBase {
        instrument_id: instrument.id,
        asset_no: instrument.asset_no.clone(),
        base,
        left_out,
    })
}

/// Why what a cell's customer paid is not in the base; `None` when it is.
pub fn reason_against(
    instrument: &Instrument,
    cell: &UsageGroup,
    inputs: &Inputs,
    award: &Award,
) -> Option<LeftOut> {
    let excluded = award.exclude.iter().find_map(|exclusion| {
        let weak = award.weak_evidence.as_ref();
        let (reason, holds) = match exclusion {
            Exclusion::Statutory => (LeftOut::Statutory, cell.key.statutory),
            Exclusion::WeakEvidence => (
                LeftOut::WeakEvidence,
                weak.is_some_and(|weak| weak.covers(instrument, cell)),
            ),
            Exclusion::RelatedParty => (
                LeftOut::RelatedParty,
                cell.key.relation == Relation::Related,
            ),
        };
        holds.then_some(reason)
    });
    let foreign = || {
        let regions = award.user_regions.as_ref()?;
        let seat = inputs.region_of(cell.key.using_unit_id).unwrap_or("");
        let counts = regions.iter().any(|region| seat.starts_with(region));
        (!counts).then_some(LeftOut::Region)
    };
    if award.base.takes(instrument, cell) {
        excluded.or_else(foreign)
    } else {
        Some(excluded.unwrap_or(LeftOut::Customer))
    }
}
