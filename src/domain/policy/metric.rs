//! `[metrics.*]`: what a pack counts, by names of its own. A metric is one quantity, and where it counts usage or income,
//! the records that belong to it; or a weighted sum of others.

use super::award::{Exclusion, read_exclusions};
use super::condition::{self, ConditionKey, FactOf};
use super::measure::{Customers, HostCount, Measure, RecordFilter, Stock, Tally, WeakEvidence};
use super::metric_parts::{read_points, read_rated_hours, read_reported_name, read_weak_evidence};
use super::raw::{Node, Table};
use num_traits::Zero;
use std::collections::{BTreeMap, BTreeSet};

crate::vocabulary! {
    /// The words of `of`: every quantity the engine can count. Besides, `reported.NAME`: any number that units report.
    Quantity {
        EffectiveMinutes = "usage.effective_minutes",
        PrepareMinutes = "usage.prepare_minutes",
        RunMinutes = "usage.run_minutes",
        PostMinutes = "usage.post_minutes",
        Records = "usage.records",
        Samples = "usage.samples",
        UsingUnits = "usage.using_units",
        UsedInstruments = "usage.instruments",
        PayerIncome = "income.payer_fen",
        VoucherIncome = "income.voucher_fen",
        Income = "income.amount_fen",
        RatedMinutes = "instrument.rated_minutes",
        DaysInService = "instrument.days_in_service",
        OriginalValue = "instrument.original_value_fen",
        Value = "instrument.value_fen",
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

/// What begins the name of a reported number.
const REPORTED: &str = "reported.";

impl Quantity {
    const fn tally(self) -> Option<Tally> {
        Some(match self {
            Self::EffectiveMinutes => Tally::EffectiveMinutes,
            Self::PrepareMinutes => Tally::PrepareMinutes,
            Self::RunMinutes => Tally::RunMinutes,
            Self::PostMinutes => Tally::PostMinutes,
            Self::Records => Tally::Records,
            Self::Samples => Tally::Samples,
            Self::UsingUnits => Tally::UsingUnits,
            Self::UsedInstruments => Tally::Instruments,
            Self::PayerIncome => Tally::PayerIncome,
            Self::VoucherIncome => Tally::VoucherIncome,
            Self::Income => Tally::Income,
            _ => return None,
        })
    }
}

/// A metric of a pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// For people; `None`: its name in the pack is all there is.
    pub name: Option<String>,
    pub measure: Measure,
}

/// The metrics of a pack by name, and what the pack calls weak evidence.
#[derive(Debug)]
pub(super) struct Metrics {
    /// `None`: it is there, but has a mistake that was told.
    by_name: BTreeMap<String, Option<Metric>>,
    pub weak_evidence: Option<WeakEvidence>,
}

/// Every key of a metric but `of`, whatever it counts.
const OF_ANY: [&str; 11] = [
    "name",
    "sum",
    "user",
    "where",
    "exclude",
    "same_records_as",
    "drop_weak_evidence",
    "hours",
    "prorate_by",
    "round",
    "points",
];

/// The most names that a mistake lists.
const LISTED: usize = 20;

impl Metrics {
    /// The metric a node names.
    pub fn named(&self, node: &Node) -> Option<Measure> {
        let name = node.text()?;
        match self.by_name.get(name) {
            Some(metric) => metric.as_ref().map(|metric| metric.measure.clone()),
            None => {
                let names = self.by_name.keys().map(String::as_str);
                let known: Vec<&str> = names.take(LISTED).collect();
                node.refuse((
                    format!("没有指标 {name:?}；[metrics] 中有 {}", known.join("、")),
                    format!(
                        "unknown metric {name:?}; [metrics] has {}",
                        known.join(", ")
                    ),
                ))
            }
        }
    }

    /// No metric says what weak evidence is, nor tried to.
    pub fn lack_weak_evidence(&self) -> bool {
        self.weak_evidence.is_none() && self.by_name.values().all(Option::is_some)
    }

    pub fn into_metrics(self) -> BTreeMap<String, Metric> {
        let named = self.by_name.into_iter();
        named
            .filter_map(|(name, metric)| Some((name, metric?)))
            .collect()
    }

    /// One pack has one idea of weak evidence; awards that exclude it mean that one.
    fn note_weak_evidence(&mut self, table: &Table, measure: &Measure) {
        let filter = measure.of_records().map(|(_, filter)| filter);
        let Some(weak) = filter.and_then(|filter| filter.drop_weak_evidence.as_ref()) else {
            return;
        };
        match &self.weak_evidence {
            Some(other) if other != weak => {
                let node = table.optional("drop_weak_evidence");
                let node = node.as_ref().unwrap_or(&table.node);
                node.refuse::<()>((
                    "drop_weak_evidence 与另一指标的不同",
                    "drop_weak_evidence differs from that of another metric",
                ));
            }
            _ => self.weak_evidence = Some(weak.clone()),
        }
    }
}

/// The tables of all metrics, and the filters that were read already: a chain of `same_records_as` is followed once.
struct Tables<'a> {
    by_name: BTreeMap<&'a str, Table<'a>>,
    filters: BTreeMap<&'a str, Option<RecordFilter>>,
}

/// Reads `[metrics]`.
pub(super) fn read_all(node: &Node) -> Option<Metrics> {
    let table = node.table()?;
    let mut metrics = Metrics {
        by_name: BTreeMap::new(),
        weak_evidence: None,
    };
    let mut tables = Tables {
        by_name: BTreeMap::new(),
        filters: BTreeMap::new(),
    };
    for (name, entry) in table.entries() {
        match entry.table() {
            Some(own) => {
                tables.by_name.insert(name, own);
            }
            None => {
                metrics.by_name.insert(name.to_owned(), None);
            }
        }
    }
    let names: Vec<&str> = tables.by_name.keys().copied().collect();
    // Sums come last: they name what is read before them.
    let (sums, plain): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| tables.is_sum(name));
    for name in plain {
        let metric = tables.read_plain(name);
        if let (Some(metric), Some(own)) = (&metric, tables.by_name.get(name)) {
            metrics.note_weak_evidence(own, &metric.measure);
        }
        metrics.by_name.insert(name.to_owned(), metric);
    }
    let mut added = Vec::new();
    for name in sums {
        let metric = tables
            .by_name
            .get(name)
            .and_then(|own| read_sum(own, &metrics));
        added.push((name.to_owned(), metric));
    }
    metrics.by_name.extend(added);
    Some(metrics)
}

/// `sum = { NAME = "weight" }`.
fn read_sum(table: &Table, metrics: &Metrics) -> Option<Metric> {
    let name = table.name();
    let parts = table.required("sum").and_then(|node| {
        let sum = node.table()?;
        let mut parts = Vec::new();
        for (metric, weight) in sum.entries() {
            let measure = match metrics.by_name.get(metric) {
                Some(known) => known.as_ref().map(|known| known.measure.clone()),
                None => weight.refuse((
                    format!("没有指标 {metric:?}，或它本身也是合计"),
                    format!("unknown metric {metric:?}, or one that is a sum itself"),
                )),
            };
            if let Some(Measure::Answers(_)) = measure {
                weight.refuse::<()>(("评价没有合计", "answers have a mean, not a sum"));
            }
            let said = weight.decimal();
            if said.as_ref().is_some_and(Zero::is_zero) {
                weight.warn((
                    "权数为 0：不起作用，请改正或删去",
                    "a weight of 0 adds nothing; say another or remove it",
                ));
            }
            parts.push(said.zip(measure));
        }
        if parts.is_empty() {
            return node.refuse(("合计至少有一个指标", "a sum has at least one metric"));
        }
        let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
        let of_money = parts.iter().filter(|(_, part)| part.is_money()).count();
        if of_money > 0 && of_money < parts.len() {
            node.warn((
                "合计中既有金额（分），又有别的数：请分开",
                "the sum adds money in fen to what is no money; keep them apart",
            ));
        }
        Some(parts)
    });
    table.finish();
    Some(Metric {
        name,
        measure: Measure::Sum(parts?),
    })
}

impl<'a> Tables<'a> {
    fn is_sum(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|table| table.has("sum"))
    }

    fn read_plain(&mut self, name: &'a str) -> Option<Metric> {
        let table = self.by_name.get(name)?;
        let Some(of) = table.required("of") else {
            table.finish_with(&OF_ANY);
            return None;
        };
        let text = of.text()?;
        if let Some(reported) = text.strip_prefix(REPORTED) {
            let table = self.by_name.get(name)?;
            let read = read_reported_name(&of, reported);
            let people = table.name();
            table.finish();
            return Some(Metric {
                name: people,
                measure: Measure::Reported(read?),
            });
        }
        let quantity = of.word::<Quantity>()?;
        let filter = match quantity.tally() {
            Some(_) => self.filter(name),
            None => None,
        };
        let table = self.by_name.get(name)?;
        let people = table.name();
        note_tables(&of, quantity);
        let measure = read_measure(quantity, table, filter);
        // What else may stand here depends on `of`; without it nothing can be called unknown.
        table.finish();
        Some(Metric {
            name: people,
            measure: measure?,
        })
    }

    /// The filter of a metric: its own, or by `same_records_as` that of another one. Goes from metric to metric until one says
    /// for itself which records belong to it; what is found holds for all that were passed.
    fn filter(&mut self, name: &'a str) -> Option<RecordFilter> {
        let mut passed: Vec<&'a str> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = name;
        let found = loop {
            if let Some(known) = self.filters.get(at) {
                break known.clone();
            }
            seen.insert(at);
            passed.push(at);
            let Some(table) = self.by_name.get(at) else {
                break None;
            };
            let Some(same) = table.optional("same_records_as") else {
                break read_own_filter(table);
            };
            let Some(next) = same.text() else {
                break None;
            };
            if seen.contains(next) {
                break same.refuse((
                    format!("又回到 {next:?}，成为循环"),
                    format!("leads back to {next:?}, in a circle"),
                ));
            }
            match self.counts_records(next) {
                Some(true) => at = next,
                Some(false) => {
                    break same.refuse((
                        format!("指标 {next:?} 不统计记录"),
                        format!("metric {next:?} counts no records"),
                    ));
                }
                None => {
                    break same.refuse((
                        format!("没有指标 {next:?}"),
                        format!("unknown metric {next:?}"),
                    ));
                }
            }
        };
        for name in passed {
            self.filters.insert(name, found.clone());
        }
        found
    }

    /// `None`: there is no such metric.
    fn counts_records(&self, name: &str) -> Option<bool> {
        let table = self.by_name.get(name)?;
        let quantity = table.optional("of").and_then(|of| of.text()?.parse().ok());
        Some(quantity.is_some_and(|quantity: Quantity| quantity.tally().is_some()))
    }
}

fn read_measure(
    quantity: Quantity,
    table: &Table,
    filter: Option<RecordFilter>,
) -> Option<Measure> {
    if let Some(tally) = quantity.tally() {
        // Told as known here, whatever was found by way of another metric.
        if table.optional("same_records_as").is_none() {
            for key in ["user", "drop_weak_evidence", "where", "exclude"] {
                table.optional(key);
            }
        }
        return Some(Measure::Records(tally, filter?));
    }
    Some(match quantity {
        Quantity::RatedMinutes => Measure::RatedMinutes(read_rated_hours(table)?),
        Quantity::DaysInService => Measure::DaysInService,
        Quantity::OriginalValue | Quantity::Value => Measure::OriginalValue,
        Quantity::Counted => Measure::Instruments(Stock::Counted),
        Quantity::Complete => Measure::Instruments(Stock::Complete),
        Quantity::ShouldBeOpen => Measure::Instruments(Stock::ShouldBeOpen),
        Quantity::ExternallyShared => Measure::Instruments(Stock::ExternallyShared),
        Quantity::RegistrationsDue => Measure::Count(HostCount::RegistrationsDue),
        Quantity::RegistrationsOnTime => Measure::Count(HostCount::RegistrationsOnTime),
        Quantity::RequestsReceived => Measure::Count(HostCount::RequestsReceived),
        Quantity::RequestsAnswered => Measure::Count(HostCount::RequestsAnswered),
        Quantity::Answers => Measure::Answers(read_points(table)?),
        _ => return None,
    })
}

/// What a quantity cannot be told without.
fn note_tables(of: &Node, quantity: Quantity) {
    match quantity {
        Quantity::RequestsReceived | Quantity::RequestsAnswered => of.leans_on(
            "requests",
            (
                "统计申请答复的指标需要 [requests]：请写出答复期限",
                "metrics of requests need [requests]: say within how many days they are answered",
            ),
        ),
        Quantity::RegistrationsDue | Quantity::RegistrationsOnTime => of.leans_on(
            "registration",
            (
                "统计登记的指标需要 [registration]：没有起点金额和期限，就没有应登记的仪器",
                "metrics of registrations need [registration]: without threshold and deadline none is due",
            ),
        ),
        _ => {}
    }
}

fn read_own_filter(table: &Table) -> Option<RecordFilter> {
    let customers = match table.optional("user") {
        Some(user) => user.word::<Customers>(),
        None => Some(Customers::All),
    };
    let drop_weak_evidence = match table.optional("drop_weak_evidence") {
        Some(weak) => read_weak_evidence(&weak).map(Some),
        None => Some(None),
    };
    let only = match table.optional("where") {
        Some(node) => condition::read(&node, &may_ask).map(Some),
        None => Some(None),
    };
    let exclude: Option<Vec<Exclusion>> = match table.optional("exclude") {
        Some(node) => read_exclusions(&node),
        None => Some(Vec::new()),
    };
    Some(RecordFilter {
        customers: customers?,
        drop_weak_evidence: drop_weak_evidence?,
        only: only?,
        exclude: exclude?,
    })
}

/// Metrics are counted before anybody is graded.
pub(super) fn may_ask(key: ConditionKey) -> bool {
    key.is_fact_of() != FactOf::Grade
        && !matches!(key, ConditionKey::Instruments | ConditionKey::AwardedBefore)
}
