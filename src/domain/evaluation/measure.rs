//! Counting: what a metric of the pack comes to, for an instrument and for a unit. Sums are 128 bits wide, so no sum of
//! 64-bit rows overflows.

use super::inputs::{Host, Instrument, UsageGroup, UsageTotals};
use super::judge::Judge;
use crate::domain::policy::{Measure, RatedHours, RecordFilter, Stock, Tally};
use crate::domain::{OrganizationId, ratio};
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeSet;

impl<'a> Judge<'a> {
    /// A measure of one counted instrument.
    pub fn measure_instrument(
        &self,
        host: &'a Host,
        instrument: &'a Instrument,
        measure: &Measure,
    ) -> BigRational {
        match measure {
            Measure::Sum(parts) => parts
                .iter()
                .fold(BigRational::zero(), |sum, (weight, part)| {
                    sum + weight * self.measure_instrument(host, instrument, part)
                }),
            measure => ratio::whole(self.whole_of_instrument(host, instrument, measure)),
        }
    }

    /// A measure of a unit: over its counted instruments, or of its own.
    pub fn measure_unit(&self, host: &'a Host, measure: &Measure) -> BigRational {
        match measure {
            Measure::Sum(parts) => parts
                .iter()
                .fold(BigRational::zero(), |sum, (weight, part)| {
                    sum + weight * self.measure_unit(host, part)
                }),
            measure => ratio::whole(self.whole_of_unit(host, measure)),
        }
    }

    /// What services to one using unit bring to a measure of records; 0 of any other measure.
    pub fn measure_user(&self, user: OrganizationId, measure: &Measure) -> BigRational {
        let (tally, filter) = match measure {
            Measure::Sum(parts) => {
                return parts
                    .iter()
                    .fold(BigRational::zero(), |sum, (weight, part)| {
                        sum + weight * self.measure_user(user, part)
                    });
            }
            Measure::Records(tally, filter) => (*tally, filter),
            _ => return BigRational::zero(),
        };
        let hosts = self.hosts();
        let instruments = hosts.flat_map(|host| self.counted(host).map(move |one| (host, one)));
        let of_instrument = instruments.map(|(host, instrument)| {
            let cells = self.cells(host, instrument, filter);
            let mut cells = cells.filter(|cell| cell.key.using_unit_id == user);
            match tally {
                Tally::Instruments => {
                    i128::from(cells.any(|cell| cell.service.effective_minutes.number() > 0))
                }
                Tally::UsingUnits => i128::from(cells.any(|cell| cell.service.records > 0)),
                tally => cells.map(|cell| tally_of(tally, &cell.service)).sum(),
            }
        });
        let sum: i128 = of_instrument.sum();
        // It is one unit, however many instruments it used.
        let is_one = tally == Tally::UsingUnits;
        ratio::whole(if is_one { sum.min(1) } else { sum })
    }

    /// What is no weighted sum is a whole number.
    pub(super) fn whole_of_instrument(
        &self,
        host: &'a Host,
        instrument: &'a Instrument,
        measure: &Measure,
    ) -> i128 {
        match measure {
            Measure::Records(Tally::Instruments, filter) => {
                let used = |cell: &UsageGroup| cell.service.effective_minutes.number() > 0;
                i128::from(self.cells(host, instrument, filter).any(used))
            }
            Measure::Records(Tally::UsingUnits, filter) => {
                let mut served = BTreeSet::new();
                self.add_using_units(host, instrument, filter, &mut served);
                i128::try_from(served.len()).unwrap_or(i128::MAX)
            }
            Measure::Records(tally, filter) => self
                .cells(host, instrument, filter)
                .map(|cell| tally_of(*tally, &cell.service))
                .sum(),
            Measure::RatedMinutes(hours) => self.rated_minutes(instrument, hours),
            Measure::DaysInService => i128::from(instrument.days_in_service),
            Measure::OriginalValue => i128::from(instrument.original_value_fen.number()),
            Measure::Instruments(stock) => i128::from(is_in(instrument, *stock)),
            Measure::Reported(name) => {
                let reported = instrument.facts.reported.get(name);
                i128::from(reported.copied().unwrap_or(0))
            }
            // Told of whole units only, and by their parts.
            Measure::Count(_) | Measure::Answers(_) | Measure::Sum(_) => 0,
        }
    }

    fn whole_of_unit(&self, host: &'a Host, measure: &Measure) -> i128 {
        match measure {
            Measure::Records(Tally::UsingUnits, filter) => {
                let mut served = BTreeSet::new();
                for instrument in self.counted(host) {
                    self.add_using_units(host, instrument, filter, &mut served);
                }
                i128::try_from(served.len()).unwrap_or(i128::MAX)
            }
            Measure::Count(count) => i128::from(self.count(host, *count)),
            Measure::Answers(_) => host.answers.values().map(|count| i128::from(*count)).sum(),
            measure => {
                let own = match measure {
                    Measure::Reported(name) => host.reported.get(name).copied().unwrap_or(0),
                    _ => 0,
                };
                let of_instruments = self
                    .counted(host)
                    .map(|instrument| self.whole_of_instrument(host, instrument, measure));
                i128::from(own) + of_instruments.sum::<i128>()
            }
        }
    }

    fn add_using_units(
        &self,
        host: &'a Host,
        instrument: &'a Instrument,
        filter: &RecordFilter,
        served: &mut BTreeSet<OrganizationId>,
    ) {
        let cells = self.cells(host, instrument, filter);
        let with_records = cells.filter(|cell| cell.service.records > 0);
        served.extend(with_records.map(|cell| cell.key.using_unit_id));
    }

    /// The cells of an instrument that a filter takes.
    pub fn cells(
        &self,
        host: &'a Host,
        instrument: &'a Instrument,
        filter: &RecordFilter,
    ) -> impl Iterator<Item = &'a UsageGroup> {
        let cells = instrument.cells.iter();
        cells.filter(move |cell| self.takes(filter, &self.service(host, instrument, cell)))
    }

    /// Hours × 60 × days in service ÷ days of the year, rounded down.
    fn rated_minutes(&self, instrument: &Instrument, hours: &RatedHours) -> i128 {
        let minutes = i128::from(hours.of(instrument.purpose_type)) * 60;
        let days = i128::from(self.inputs.days_of_year().max(1));
        (minutes * i128::from(instrument.days_in_service)).div_euclid(days)
    }
}

/// What a sum takes of a cell.
pub(crate) fn tally_of(tally: Tally, service: &UsageTotals) -> i128 {
    i128::from(match tally {
        Tally::EffectiveMinutes => service.effective_minutes.number(),
        Tally::PrepareMinutes => service.prepare_minutes.number(),
        Tally::RunMinutes => service.run_minutes(),
        Tally::PostMinutes => service.post_minutes.number(),
        Tally::Records => service.records,
        Tally::Samples => service.samples,
        Tally::PayerIncome => service.payer_fen.number(),
        Tally::VoucherIncome => service.voucher_fen.number(),
        Tally::Income => {
            return i128::from(service.payer_fen.number())
                + i128::from(service.voucher_fen.number());
        }
        // Distinct things are no sums.
        Tally::UsingUnits | Tally::Instruments => 0,
    })
}

const fn is_in(instrument: &Instrument, stock: Stock) -> bool {
    let flags = &instrument.flags;
    match stock {
        Stock::Counted => true,
        Stock::Complete => flags.complete,
        Stock::ShouldBeOpen => !flags.exempted,
        Stock::ExternallyShared => flags.externally_shared && !flags.exempted,
    }
}
