//! `[metrics.*]`: what a pack counts, by names of its own. A metric is one quantity, and where it counts usage or income,
//! the records that belong to it.

use super::measure::{
    Customers, HostCount, Measure, RatedHours, RecordFilter, SatisfactionPoints, Stock,
    WeakEvidence,
};
use super::raw::{Node, Table};
use crate::domain::review::Satisfaction;
use crate::domain::{Fen, MAX_SAFE_INTEGER};
use std::collections::{BTreeMap, BTreeSet};

crate::vocabulary! {
    /// The words of `of`: every quantity the engine can count.
    Quantity {
        EffectiveMinutes = "usage.effective_minutes",
        UsingUnits = "usage.using_units",
        UsedInstruments = "usage.instruments",
        PayerIncome = "income.payer_fen",
        RatedMinutes = "instrument.rated_minutes",
        Counted = "instrument.counted",
        Complete = "instrument.complete",
        ShouldBeOpen = "instrument.should_be_open",
        ExternallyShared = "instrument.externally_shared",
        RegistrationsDue = "registration.due",
        RegistrationsOnTime = "registration.on_time",
        RequestsReceived = "request.received",
        RequestsAnswered = "request.answered_in_time",
        Answers = "review.answers",
    }
}

impl Quantity {
    const fn counts_records(self) -> bool {
        matches!(
            self,
            Self::EffectiveMinutes | Self::UsingUnits | Self::UsedInstruments | Self::PayerIncome
        )
    }
}

/// The metrics of a pack by name, and what the pack calls weak evidence.
#[derive(Debug)]
pub(super) struct Metrics {
    /// `None`: it is there, but has a mistake that was told.
    by_name: BTreeMap<String, Option<Measure>>,
    pub weak_evidence: Option<WeakEvidence>,
}

/// The metrics that every run reports per instrument.
const REPORTED: [&str; 2] = ["effective_minutes", "external_minutes"];

impl Metrics {
    /// The metric a node names.
    pub fn named(&self, node: &Node) -> Option<Measure> {
        let name = node.text()?;
        match self.by_name.get(name) {
            Some(measure) => measure.clone(),
            None => {
                let known: Vec<&str> = self.by_name.keys().map(String::as_str).collect();
                node.refuse(format!(
                    "unknown metric {name:?}; [metrics] has {}",
                    known.join(", ")
                ))
            }
        }
    }

    /// No metric says what weak evidence is, nor tried to.
    pub fn lack_weak_evidence(&self) -> bool {
        self.weak_evidence.is_none() && self.by_name.values().all(Option::is_some)
    }

    pub fn into_measures(self) -> BTreeMap<String, Measure> {
        let named = self.by_name.into_iter();
        named
            .filter_map(|(name, measure)| Some((name, measure?)))
            .collect()
    }

    /// One pack has one idea of weak evidence; awards that exclude it mean that one.
    fn note_weak_evidence(&mut self, node: &Node, measure: &Measure) {
        let filter = measure.filter();
        let Some(weak) = filter.and_then(|filter| filter.drop_weak_evidence.as_ref()) else {
            return;
        };
        match &self.weak_evidence {
            Some(other) if other != weak => {
                node.refuse::<()>("drop_weak_evidence differs from that of another metric");
            }
            _ => self.weak_evidence = Some(weak.clone()),
        }
    }
}

/// Reads `[metrics]`.
pub(super) fn read_all(node: &Node) -> Option<Metrics> {
    let table = node.table()?;
    let mut metrics = Metrics {
        by_name: BTreeMap::new(),
        weak_evidence: None,
    };
    for (name, entry) in table.entries() {
        let measure = read(&entry, &table);
        if let Some(measure) = &measure {
            metrics.note_weak_evidence(&entry, measure);
        }
        metrics.by_name.insert(name.to_owned(), measure);
    }
    for name in REPORTED {
        let Some(node) = table.required(name) else {
            continue;
        };
        if let Some(Some(measure)) = metrics.by_name.get(name)
            && !matches!(measure, Measure::EffectiveMinutes(_))
        {
            node.refuse::<()>("every run reports it: it must count usage.effective_minutes");
        }
    }
    Some(metrics)
}

fn read(node: &Node, all: &Table) -> Option<Measure> {
    let table = node.table()?;
    let quantity = table.required("of").and_then(|of| of.word::<Quantity>());
    let measure = quantity.and_then(|quantity| read_measure(quantity, &table, all));
    // What else may stand here depends on `of`; without it nothing can be called unknown.
    if quantity.is_some() {
        table.finish();
    }
    measure
}

fn read_measure(quantity: Quantity, table: &Table, all: &Table) -> Option<Measure> {
    let filter = || read_filter(table, all);
    Some(match quantity {
        Quantity::EffectiveMinutes => Measure::EffectiveMinutes(filter()?),
        Quantity::UsingUnits => Measure::UsingUnits(filter()?),
        Quantity::UsedInstruments => Measure::UsedInstruments(filter()?),
        Quantity::PayerIncome => Measure::PayerIncome(filter()?),
        Quantity::RatedMinutes => Measure::RatedMinutes(read_rated_hours(table)?),
        Quantity::Counted => Measure::Instruments(Stock::Counted),
        Quantity::Complete => Measure::Instruments(Stock::Complete),
        Quantity::ShouldBeOpen => Measure::Instruments(Stock::ShouldBeOpen),
        Quantity::ExternallyShared => Measure::Instruments(Stock::ExternallyShared),
        Quantity::RegistrationsDue => Measure::Count(HostCount::RegistrationsDue),
        Quantity::RegistrationsOnTime => Measure::Count(HostCount::RegistrationsOnTime),
        Quantity::RequestsReceived => Measure::Count(HostCount::RequestsReceived),
        Quantity::RequestsAnswered => Measure::Count(HostCount::RequestsAnswered),
        Quantity::Answers => Measure::Answers(read_points(table)?),
    })
}

/// The filter of a metric: its own, or by `same_records_as` that of another one.
fn read_filter(table: &Table, all: &Table) -> Option<RecordFilter> {
    match table.optional("same_records_as") {
        Some(same) => follow(&same, all),
        None => read_own_filter(table),
    }
}

/// Goes from metric to metric until one says for itself which records belong to it.
fn follow(same: &Node, all: &Table) -> Option<RecordFilter> {
    let mut name = same.text()?;
    let mut passed = BTreeSet::new();
    loop {
        if !passed.insert(name) {
            return same.refuse(format!("leads back to {name:?}, in a circle"));
        }
        let Some((_, metric)) = all.entries().find(|(other, _)| *other == name) else {
            return same.refuse(format!("unknown metric {name:?}"));
        };
        let metric = metric.table()?;
        if !metric.optional("of")?.word::<Quantity>()?.counts_records() {
            return same.refuse(format!("metric {name:?} counts no records"));
        }
        match metric.optional("same_records_as") {
            Some(next) => name = next.text()?,
            None => return read_own_filter(&metric),
        }
    }
}

fn read_own_filter(table: &Table) -> Option<RecordFilter> {
    let customers = match table.optional("user") {
        Some(user) => user.word()?,
        None => Customers::All,
    };
    let drop_weak_evidence = match table.optional("drop_weak_evidence") {
        Some(weak) => Some(read_weak_evidence(&weak)?),
        None => None,
    };
    Some(RecordFilter {
        customers,
        drop_weak_evidence,
    })
}

fn read_weak_evidence(node: &Node) -> Option<WeakEvidence> {
    let table = node.table()?;
    let classes = table.required("classes").and_then(|node| node.list());
    let classes = classes.map(|list| list.iter().map(Node::word).collect::<Vec<_>>());
    let value_fen_from = table
        .required("value_fen_from")
        .and_then(|node| node.integer(0..=MAX_SAFE_INTEGER));
    table.finish();
    Some(WeakEvidence {
        classes: classes?.into_iter().collect::<Option<_>>()?,
        value_fen_from: Fen::new(value_fen_from?),
    })
}

fn read_rated_hours(table: &Table) -> Option<RatedHours> {
    let hours = table.required("hours").and_then(|node| node.table());
    let hours = hours.and_then(|hours| {
        let of = |name| {
            let node = hours.required(name);
            node.and_then(|node| node.integer(0..=8_784))
        };
        let (general, special) = (of("general"), of("special"));
        hours.finish();
        Some(RatedHours {
            general: general?,
            special: special?,
        })
    });
    let prorated = super::check::only(table, "prorate_by", "days_in_service");
    let rounded = super::check::only(table, "round", "floor");
    prorated.and(rounded).and(hours)
}

fn read_points(table: &Table) -> Option<SatisfactionPoints> {
    let points = table.required("points")?.table()?;
    let mut by_level = BTreeMap::new();
    for level in Satisfaction::ALL {
        let node = points.required(level.as_str());
        if let Some(value) = node.and_then(|node| node.decimal()) {
            by_level.insert(*level, value);
        }
    }
    points.finish();
    (by_level.len() == Satisfaction::ALL.len()).then(|| SatisfactionPoints::new(by_level))
}
