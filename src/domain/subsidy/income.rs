//! The base of an award: which services earn subsidy, and how much was left out for which reason.

use crate::domain::evaluation::{AwardedTo, Judge, Relation, Subject, UsageGroup, tally_of};
use crate::domain::policy::{Award, Base, Exclusion, Measure};
use crate::domain::{Fen, InstrumentId, TooLarge, ratio};
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// Why income is not in the base. Of several reasons the first of the policy is named; the region comes last.
    LeftOut {
        /// Not a customer that the base counts at all: the host itself.
        Customer = "customer",
        Statutory = "statutory",
        WeakEvidence = "weak_evidence",
        RelatedParty = "related_party",
        /// What the policy says by a class or a condition.
        Condition = "condition",
        /// An earlier run paid for the project.
        AlreadyAwarded = "already_awarded",
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
    pub(super) fn new(instrument_id: InstrumentId, asset_no: &str) -> Self {
        Self {
            instrument_id,
            asset_no: asset_no.to_owned(),
            base: Fen::ZERO,
            left_out: BTreeMap::new(),
        }
    }

    /// Everything paid for the instrument's services, by payers and by vouchers.
    pub fn income(&self) -> Result<Fen, TooLarge> {
        Fen::sum(self.left_out.values().copied().chain([self.base]))
    }

    /// Adds what a service brings, and what of it is left out.
    pub(super) fn add(&mut self, share: &Share) -> Result<(), TooLarge> {
        // A base that is no money is shown as its whole part.
        let base = share.value.to_integer().to_i64().ok_or(TooLarge)?;
        self.base = self.base.checked_add(Fen::new(base))?;
        for (reason, fen) in &share.left_out {
            if *fen != Fen::ZERO {
                let sum = self.left_out.entry(*reason).or_default();
                *sum = sum.checked_add(*fen)?;
            }
        }
        Ok(())
    }
}

/// What one service brings to a base.
pub(super) struct Share {
    pub value: BigRational,
    pub left_out: Vec<(LeftOut, Fen)>,
}

/// What a service of the subject brings to an award whose base is made of records.
pub(super) fn share(judge: &Judge, award: &Award, cell: &UsageGroup, subject: &Subject) -> Share {
    let reason = reason_against(judge, award, subject);
    let mut left_out = vec![(LeftOut::Voucher, cell.service.voucher_fen)];
    let value = match reason {
        Some(reason) => {
            left_out.push((reason, cell.service.payer_fen));
            BigRational::zero()
        }
        None => taken(judge, award, cell, subject),
    };
    if counts_vouchers(award) {
        left_out.retain(|(reason, _)| *reason != LeftOut::Voucher);
    }
    Share { value, left_out }
}

/// Whether what vouchers pay is in the base itself.
pub(super) fn counts_vouchers(award: &Award) -> bool {
    use crate::domain::policy::Tally;
    let tallies = parts(award)
        .into_iter()
        .filter_map(|(_, measure)| measure.of_records());
    let mut tallies = tallies.map(|(tally, _)| tally);
    tallies.any(|tally| matches!(tally, Tally::Income | Tally::VoucherIncome))
}

/// The metrics of a base, each with its weight.
pub(super) fn parts(award: &Award) -> Vec<(Option<&BigRational>, &Measure)> {
    match &award.base {
        Base::Metric {
            measure: Measure::Sum(parts),
            ..
        } => {
            let parts = parts.iter();
            parts.map(|(weight, part)| (Some(weight), part)).collect()
        }
        Base::Metric { measure, .. } => vec![(None, measure)],
        Base::Award(_) | Base::Nothing => Vec::new(),
    }
}

fn taken(judge: &Judge, award: &Award, cell: &UsageGroup, subject: &Subject) -> BigRational {
    let mut sum = BigRational::zero();
    for (weight, measure) in parts(award) {
        let Some((tally, filter)) = measure.of_records() else {
            continue;
        };
        if judge.takes(filter, subject) {
            let value = ratio::whole(tally_of(tally, &cell.service));
            sum += match weight {
                Some(weight) => weight * value,
                None => value,
            };
        }
    }
    sum
}

/// Why what a service's customer paid is not in the base; `None` when it is.
pub fn reason_against(judge: &Judge, award: &Award, subject: &Subject) -> Option<LeftOut> {
    let cell = subject.cell?;
    let excluded = award.exclude.iter().find_map(|exclusion| {
        let weak = award.weak_evidence.as_ref();
        let reason = match exclusion {
            Exclusion::Statutory => LeftOut::Statutory,
            Exclusion::WeakEvidence => LeftOut::WeakEvidence,
            Exclusion::RelatedParty => LeftOut::RelatedParty,
            Exclusion::Class(_) | Exclusion::Condition(_) => LeftOut::Condition,
        };
        judge.excludes(exclusion, weak, subject).then_some(reason)
    });
    let mut filters = parts(award)
        .into_iter()
        .filter_map(|(_, measure)| measure.of_records());
    if !filters.any(|(_, filter)| judge.takes(filter, subject)) {
        let own = match cell.key.relation {
            Relation::Host => LeftOut::Customer,
            _ => first_reason(judge, award, subject),
        };
        return Some(excluded.unwrap_or(own));
    }
    excluded.or_else(|| {
        let only = award.only.as_ref();
        if only.is_some_and(|only| !judge.holds(only, subject)) {
            return Some(LeftOut::Condition);
        }
        let detail = cell.key.detail.as_deref();
        if award.once_per_project
            && let Some(project) = detail.and_then(|detail| detail.project.clone())
        {
            let to = AwardedTo::Project(cell.key.using_unit_id, project);
            if judge.inputs.was_awarded(&award.code, to) {
                return Some(LeftOut::AlreadyAwarded);
            }
        }
        let regions = award.user_regions.as_ref()?;
        let user = judge.user(subject);
        let seat = user.map_or("", |user| user.region_code.as_str());
        let counts = regions.iter().any(|region| seat.starts_with(region));
        (!counts).then_some(LeftOut::Region)
    })
}

/// Why no metric of the base takes a service of another unit: a related party, a class or condition, or the customer.
fn first_reason(judge: &Judge, award: &Award, subject: &Subject) -> LeftOut {
    let is_refused = |measure: &Measure| {
        let (_, filter) = measure.of_records()?;
        let plain = crate::domain::policy::RecordFilter::of(filter.customers);
        Some(judge.takes(&plain, subject))
    };
    let mut of_customers = parts(award)
        .into_iter()
        .filter_map(|(_, measure)| is_refused(measure));
    match of_customers.any(|takes| takes) {
        true => LeftOut::Condition,
        false => LeftOut::Customer,
    }
}
