//! `[[scores]]`: how points are made of metrics. Known shapes: `linear`, `rank`, `expert`; points are always
//! min(1, value ÷ `full_at`) × `max`.

use super::measure::{Measure, SatisfactionPoints};
use super::metric::Metrics;
use super::raw::{Node, Table};
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::Zero;

crate::vocabulary! {
    /// The words of `shape`.
    Shape {
        Linear = "linear",
        Rank = "rank",
        Expert = "expert",
    }
}

crate::vocabulary! {
    /// The words of `aggregate`: public reports mix the two up, so the pack says which.
    Aggregate {
        RatioOfSums = "ratio_of_sums",
        MeanOfRatios = "mean_of_ratios",
    }
}

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Group letter and number, such as `C1`.
    pub id: String,
    pub max: BigRational,
    /// The value that earns all points.
    pub full_at: BigRational,
    pub value: Value,
    /// Points when there is nothing to divide by.
    pub points_when_empty: BigRational,
}

/// What is scored, per unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Σ over the unit ÷ Σ over the unit.
    RatioOfSums { of: Measure, to: Measure },
    /// Mean over the instruments whose divisor is not zero, each ratio capped.
    MeanOfRatios {
        of: Measure,
        to: Measure,
        each_at_most: BigRational,
    },
    /// Mean points of the customers' answers; empty when there are fewer than `at_least`.
    MeanAnswer {
        points: SatisfactionPoints,
        at_least: i64,
    },
    /// Units of the same kind strictly below ÷ (units of the kind − 1); empty when alone in its kind.
    RankWithinKind(Measure),
    /// Points given by experts.
    Expert,
}

/// Reads `[[scores]]`; `None` when one has a mistake.
pub(super) fn read_all(node: &Node, metrics: &Metrics) -> Option<Vec<Score>> {
    let nodes = node.list()?;
    let mut scores: Vec<Score> = Vec::new();
    let expected = nodes.len();
    for node in &nodes {
        if let Some(score) = read(node, metrics) {
            if scores.iter().any(|other| other.id == score.id) {
                node.refuse::<()>(format!("a second score {:?}", score.id));
            }
            scores.push(score);
        }
    }
    if nodes.is_empty() {
        return node.refuse("a pack has at least one score");
    }
    (scores.len() == expected).then_some(scores)
}

fn read(node: &Node, metrics: &Metrics) -> Option<Score> {
    let table = node.table()?;
    let id = table.required("id").and_then(|node| read_id(&node));
    let max = table
        .required("max")
        .and_then(|node| node.positive_decimal());
    let shape = table
        .required("shape")
        .and_then(|node| node.word::<Shape>());
    let parts = shape.and_then(|shape| match shape {
        Shape::Linear => read_linear(&table, max.as_ref(), metrics),
        Shape::Rank => read_rank(&table, max.as_ref(), metrics),
        Shape::Expert => max
            .clone()
            .map(|max| (Value::Expert, max, BigRational::zero())),
    });
    // What else may stand here depends on the shape; an unknown shape is told alone.
    if shape.is_some() {
        table.finish();
    }
    let (value, full_at, points_when_empty) = parts?;
    Some(Score {
        id: id?,
        max: max?,
        full_at,
        value,
        points_when_empty,
    })
}

type Parts = (Value, BigRational, BigRational);

fn read_linear(table: &Table, max: Option<&BigRational>, metrics: &Metrics) -> Option<Parts> {
    let value = table
        .required("value")
        .and_then(|node| read_value(&node, metrics));
    let full_at = table
        .required("full_at")
        .and_then(|node| node.positive_decimal());
    let empty = read_when_empty(table, max);
    Some((value?, full_at?, empty?))
}

fn read_rank(table: &Table, max: Option<&BigRational>, metrics: &Metrics) -> Option<Parts> {
    let value = table.required("value").and_then(|node| {
        let value = node.table()?;
        let named = value.required("metric");
        let measure = named.and_then(|named| countable(&named, metrics));
        value.finish();
        measure
    });
    let within = super::check::only(table, "within", "kind");
    let empty = read_when_empty(table, max);
    within?;
    Some((Value::RankWithinKind(value?), ratio::whole(1), empty?))
}

fn read_value(node: &Node, metrics: &Metrics) -> Option<Value> {
    let table = node.table()?;
    let value = match table.optional("mean") {
        Some(mean) => read_mean(&table, &mean, metrics),
        None => read_ratio(&table, metrics),
    };
    table.finish();
    value
}

fn read_mean(table: &Table, mean: &Node, metrics: &Metrics) -> Option<Value> {
    let at_least = table
        .required("at_least")
        .and_then(|node| node.integer(1..=1_000_000));
    match metrics.named(mean)? {
        Measure::Answers(points) => Some(Value::MeanAnswer {
            points,
            at_least: at_least?,
        }),
        _ => mean.refuse("only a metric of review.answers has a mean"),
    }
}

fn read_ratio(table: &Table, metrics: &Metrics) -> Option<Value> {
    let pair = table.required("ratio");
    let aggregate = table
        .required("aggregate")
        .and_then(|node| node.word::<Aggregate>());
    let each_at_most = match aggregate {
        Some(Aggregate::RatioOfSums) => None,
        Some(Aggregate::MeanOfRatios) => table.required("each_at_most"),
        None => table.optional("each_at_most"),
    };
    let each_at_most = each_at_most.and_then(|node| node.positive_decimal());
    let pair = pair?;
    let list = pair.list()?;
    let [of_node, to_node] = list.as_slice() else {
        return pair.refuse("a ratio has two metrics");
    };
    let (of, to) = (countable(of_node, metrics), countable(to_node, metrics));
    let (of, to) = (of?, to?);
    match aggregate? {
        Aggregate::RatioOfSums => Some(Value::RatioOfSums { of, to }),
        Aggregate::MeanOfRatios if !of.is_per_instrument() || !to.is_per_instrument() => {
            pair.refuse("mean_of_ratios needs two metrics of single instruments")
        }
        Aggregate::MeanOfRatios => Some(Value::MeanOfRatios {
            of,
            to,
            each_at_most: each_at_most?,
        }),
    }
}

fn countable(node: &Node, metrics: &Metrics) -> Option<Measure> {
    match metrics.named(node)? {
        Measure::Answers(_) => node.refuse("answers have a mean, not a sum"),
        measure => Some(measure),
    }
}

/// `full`, `zero`, or points up to `max`.
fn read_when_empty(table: &Table, max: Option<&BigRational>) -> Option<BigRational> {
    let node = table.required("when_empty")?;
    let max = max?;
    match node.text()? {
        "full" => Some(max.clone()),
        "zero" => Some(BigRational::zero()),
        _ => match node.decimal()? {
            points if points <= *max => Some(points),
            _ => node.refuse("more points than max"),
        },
    }
}

fn read_id(node: &Node) -> Option<String> {
    let id = node.text()?;
    let group = group_of(id);
    let lettered = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_uppercase());
    if lettered && group.len() < id.len() && id.len() <= 16 {
        Some(id.to_owned())
    } else {
        node.refuse("an id is capital letters and a number, such as \"C1\"")
    }
}

impl Score {
    /// The letters of its id.
    pub fn group(&self) -> &str {
        group_of(&self.id)
    }
}

/// The group a score belongs to, by its id: `C` for `C1`.
pub fn group_of(id: &str) -> &str {
    id.trim_end_matches(|c: char| c.is_ascii_digit())
}
