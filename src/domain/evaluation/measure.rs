//! Counting: what a metric of the pack comes to, for an instrument and for a unit. Sums are 128 bits wide, so no sum of
//! 64-bit rows overflows.

use super::inputs::{Host, Inputs, Instrument, Relation, UsageGroup, days_of_year};
use crate::domain::policy::{
    Customers, HostCount, Measure, RatedHours, RecordFilter, Stock, WeakEvidence,
};
use std::collections::BTreeSet;

impl RecordFilter {
    /// Whether a cell of an instrument counts.
    pub(crate) fn takes(&self, instrument: &Instrument, cell: &UsageGroup) -> bool {
        let customer = match self.customers {
            Customers::All => true,
            Customers::NotHost => cell.key.relation != Relation::Host,
            Customers::External => cell.key.relation == Relation::External,
        };
        let weak = self.drop_weak_evidence.as_ref();
        customer && !weak.is_some_and(|weak| weak.covers(instrument, cell))
    }
}

impl WeakEvidence {
    /// Whether a cell's evidence is too weak for the value of its instrument.
    pub(crate) fn covers(&self, instrument: &Instrument, cell: &UsageGroup) -> bool {
        instrument.original_value_fen >= self.value_fen_from
            && self.classes.contains(&cell.key.evidence)
    }
}

/// A measure of one counted instrument.
pub fn of_instrument(inputs: &Inputs, instrument: &Instrument, measure: &Measure) -> i128 {
    match measure {
        Measure::EffectiveMinutes(filter) => cells(instrument, filter)
            .map(|cell| i128::from(cell.service.effective_minutes.number()))
            .sum(),
        Measure::PayerIncome(filter) => cells(instrument, filter)
            .map(|cell| i128::from(cell.service.payer_fen.number()))
            .sum(),
        Measure::UsedInstruments(filter) => {
            let used = |cell: &UsageGroup| cell.service.effective_minutes.number() > 0;
            i128::from(cells(instrument, filter).any(used))
        }
        Measure::RatedMinutes(hours) => rated_minutes(inputs, instrument, hours),
        Measure::Instruments(stock) => i128::from(is_in(instrument, *stock)),
        // Told of whole units only: `of_unit`.
        Measure::UsingUnits(_) | Measure::Count(_) | Measure::Answers(_) => 0,
    }
}

/// A measure of a unit: over its counted instruments, or of its own.
pub fn of_unit(inputs: &Inputs, unit: &Host, measure: &Measure) -> i128 {
    match measure {
        Measure::UsingUnits(filter) => {
            let served: BTreeSet<_> = unit
                .counted()
                .flat_map(|instrument| cells(instrument, filter))
                .filter(|cell| cell.service.records > 0)
                .map(|cell| cell.key.using_unit_id)
                .collect();
            i128::try_from(served.len()).unwrap_or(i128::MAX)
        }
        Measure::Count(count) => i128::from(of_counts(unit, *count)),
        Measure::Answers(_) => unit.answers.values().map(|count| i128::from(*count)).sum(),
        measure => unit
            .counted()
            .map(|instrument| of_instrument(inputs, instrument, measure))
            .sum(),
    }
}

fn cells<'a>(
    instrument: &'a Instrument,
    filter: &RecordFilter,
) -> impl Iterator<Item = &'a UsageGroup> {
    let cells = instrument.cells.iter();
    cells.filter(move |cell| filter.takes(instrument, cell))
}

/// Hours × 60 × days in service ÷ days of the year, rounded down.
fn rated_minutes(inputs: &Inputs, instrument: &Instrument, hours: &RatedHours) -> i128 {
    let minutes = i128::from(hours.of(instrument.purpose_type)) * 60;
    // Inputs exist only for years that the calendar has.
    let days = days_of_year(inputs.year()).map_or(365, i128::from);
    (minutes * i128::from(instrument.days_in_service)).div_euclid(days)
}

const fn is_in(instrument: &Instrument, stock: Stock) -> bool {
    let flags = &instrument.flags;
    match stock {
        Stock::Counted => flags.counted,
        Stock::Complete => flags.complete,
        Stock::ShouldBeOpen => !flags.exempted,
        Stock::ExternallyShared => flags.externally_shared && !flags.exempted,
    }
}

const fn of_counts(unit: &Host, count: HostCount) -> i64 {
    match count {
        HostCount::RegistrationsDue => unit.counts.registrations_due,
        HostCount::RegistrationsOnTime => unit.counts.registrations_on_time,
        HostCount::RequestsReceived => unit.counts.requests_received,
        HostCount::RequestsAnswered => unit.counts.requests_answered_in_time,
    }
}
