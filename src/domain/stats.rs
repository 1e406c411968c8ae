//! Open figures of a year: sums over the instruments that count in it, for all of them and by group, and which of them are not
//! told because too few using units stand behind them.

use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};

use super::evaluation::{Relation, UsageGroup};
use super::{Fen, OrganizationId, ratio};

crate::vocabulary! {
    /// By what figures are grouped.
    StatsBy {
        /// The city of the host's seat.
        Region = "region",
        Organization = "organization",
        /// Of the host.
        Kind = "kind",
        /// The widest class of the instrument.
        Category = "category",
    }
}

/// What rests on fewer using units is not told.
pub const USING_UNITS_MIN: usize = 3;

/// The using units that a figure rests on.
pub type Units = BTreeSet<OrganizationId>;

/// Figures of all, or of a group, with the using units behind them.
#[derive(Debug, Clone, Default)]
pub struct YearStats {
    pub hosts: BTreeSet<OrganizationId>,
    pub instruments: i64,
    pub externally_shared_instruments: i64,
    pub original_value_fen: i128,
    pub records: i64,
    pub samples: i64,
    pub effective_minutes: i64,
    pub external_minutes: i64,
    /// What others than the host and its related parties paid.
    pub income_fen: i128,
    /// Whoever used something, its host included.
    pub users: Units,
    /// Those of them that are neither host nor related party of what they used.
    pub customers: Units,
    /// Those of these that are small or medium enterprises.
    pub sme: Units,
    /// External and effective minutes of each instrument that has some.
    shares: Vec<(i64, i64)>,
    pub requests_received: i64,
    pub requests_answered: i64,
    /// Who asked for a booking.
    pub requesters: Units,
    /// Minutes from the request to its first answer.
    pub waited_minutes: Vec<i64>,
}

/// What an instrument is and served.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    pub host: OrganizationId,
    pub externally_shared: bool,
    pub original_value_fen: Fen,
    pub cells: &'a [UsageGroup],
    /// The small and medium enterprises among the using units.
    pub sme: &'a Units,
}

impl YearStats {
    /// Adds an instrument that counts.
    pub fn add(&mut self, served: Served<'_>) {
        self.hosts.insert(served.host);
        self.instruments += 1;
        self.externally_shared_instruments += i64::from(served.externally_shared);
        self.original_value_fen += i128::from(served.original_value_fen.number());
        let (mut effective, mut external) = (0, 0);
        for cell in served.cells {
            let (unit, service) = (cell.key.using_unit_id, &cell.service);
            let minutes = service.effective_minutes.number();
            effective += minutes;
            self.records += service.records;
            self.samples += service.samples;
            if service.records > 0 {
                self.users.insert(unit);
            }
            if cell.key.relation != Relation::External {
                continue;
            }
            external += minutes;
            self.income_fen += i128::from(service.payer_fen.number());
            self.income_fen += i128::from(service.voucher_fen.number());
            // Who only paid in this year is behind its money, too.
            if service.records > 0 || service.payer_fen != Fen::ZERO {
                self.customers.insert(unit);
                self.sme.extend(served.sme.get(&unit));
            }
        }
        self.effective_minutes += effective;
        self.external_minutes += external;
        if effective > 0 {
            self.shares.push((external, effective));
        }
    }

    /// External ÷ effective minutes, of the sums.
    pub fn share_rate_of_sums(&self) -> Option<BigRational> {
        let effective = self.effective_minutes;
        (effective > 0).then(|| BigRational::new(self.external_minutes.into(), effective.into()))
    }

    /// The mean of that rate over the instruments that were used.
    pub fn share_rate_mean(&self) -> Option<BigRational> {
        let count = i64::try_from(self.shares.len())
            .ok()
            .filter(|count| *count > 0)?;
        let parts = self.shares.iter();
        let sum = ratio::sum(
            parts.map(|(external, effective)| ((*external).into(), (*effective).into())),
        );
        Some(sum / ratio::whole(count))
    }

    pub fn answered_in_time_rate(&self) -> Option<BigRational> {
        (self.requests_received > 0)
            .then(|| BigRational::new(self.requests_answered.into(), self.requests_received.into()))
    }

    /// Half of the answers came within so many hours.
    pub fn answer_hours_median(&self) -> Option<BigRational> {
        let mut waited = self.waited_minutes.clone();
        waited.sort_unstable();
        let middle = waited.len() / 2;
        let above = *waited.get(middle)?;
        let below = match waited.len() % 2 {
            0 => *waited.get(middle.checked_sub(1)?)?,
            _ => above,
        };
        let both = i128::from(below) + i128::from(above);
        Some(BigRational::new(both.into(), 120.into()))
    }
}

/// Which groups are not told, of groups whose figures rest on these units and whose sum is told, too.
///
/// A group with fewer than three units is not told. What is not told must not follow from the sum less the others: as long as
/// the groups that are not told have together fewer than three units, the one with the fewest of the others is not told either.
pub fn hidden(groups: &[&Units]) -> Vec<bool> {
    let mut hidden: Vec<bool> = groups
        .iter()
        .map(|units| units.len() < USING_UNITS_MIN)
        .collect();
    loop {
        let told = hidden.iter().zip(groups);
        let behind: Units = told
            .filter(|(is_hidden, _)| **is_hidden)
            .flat_map(|(_, units)| units.iter().copied())
            .collect();
        if behind.is_empty() || behind.len() >= USING_UNITS_MIN {
            return hidden;
        }
        let shown = hidden
            .iter_mut()
            .zip(groups)
            .filter(|(is_hidden, _)| !**is_hidden);
        match shown.min_by_key(|(_, units)| units.len()) {
            Some((next, _)) => *next = true,
            None => return hidden,
        }
    }
}

/// The groups of each kind, by what they are called.
pub type Groups = BTreeMap<StatsBy, BTreeMap<String, YearStats>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn units(ids: &[i64]) -> Units {
        ids.iter().map(|id| (*id).try_into().unwrap()).collect()
    }

    fn told(groups: &[&[i64]]) -> Vec<bool> {
        let groups: Vec<Units> = groups.iter().map(|ids| units(ids)).collect();
        hidden(&groups.iter().collect::<Vec<_>>())
    }

    #[test]
    fn no_group_follows_from_the_sum_and_the_others() {
        for (groups, expected) in [
            (vec![&[1_i64, 2, 3][..], &[4, 5, 6]], vec![false, false]),
            // The one would be the sum less the other.
            (vec![&[1, 2, 3], &[4, 5]], vec![true, true]),
            (
                vec![&[1, 2, 3, 4], &[5, 6, 7], &[8]],
                vec![false, true, true],
            ),
            // Two groups of one unit each are its sum.
            (
                vec![&[1, 2, 3], &[4, 5, 6], &[7], &[7]],
                vec![true, false, true, true],
            ),
            (vec![&[1, 2, 3], &[4, 5], &[6]], vec![false, true, true]),
            // What nobody stands behind tells nothing.
            (vec![&[1, 2, 3], &[]], vec![false, true]),
            (vec![&[1, 2]], vec![true]),
            (vec![], vec![]),
        ] {
            assert_eq!(told(&groups), expected, "{groups:?}");
        }
    }

    #[test]
    fn rates_are_exact_and_the_two_means_differ() {
        let stats = YearStats {
            effective_minutes: 400,
            external_minutes: 100,
            shares: vec![(100, 100), (0, 300)],
            requests_received: 3,
            requests_answered: 2,
            waited_minutes: vec![60, 600, 90, 30],
            ..YearStats::default()
        };
        let printed = |rate: Option<BigRational>| rate.map(|rate| ratio::decimal(&rate, 4));
        assert_eq!(
            printed(stats.share_rate_of_sums()).as_deref(),
            Some("0.2500")
        );
        assert_eq!(printed(stats.share_rate_mean()).as_deref(), Some("0.5000"));
        assert_eq!(
            printed(stats.answered_in_time_rate()).as_deref(),
            Some("0.6667")
        );
        assert_eq!(
            printed(stats.answer_hours_median()).as_deref(),
            Some("1.2500")
        );
        let nothing = YearStats::default();
        assert_eq!(nothing.share_rate_of_sums(), None);
        assert_eq!(nothing.share_rate_mean(), None);
        assert_eq!(nothing.answer_hours_median(), None);
    }
}
