//! `[[scores]]`: how points are made of metrics. A value is counted (a metric, a ratio, a mean, a sum of points of its parts),
//! a shape turns it into points, and no score has more than its `max`.

use super::measure::{Measure, SatisfactionPoints};
use super::metric::Metrics;
use super::raw::{Node, Table};
use super::shape::{Shape, ShapeWord, read_part_shape, read_shape};
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::Zero;

crate::vocabulary! {
    /// The words of `aggregate`: public reports mix the two up, so the pack says which.
    Aggregate {
        RatioOfSums = "ratio_of_sums",
        MeanOfRatios = "mean_of_ratios",
    }
}

crate::vocabulary! {
    /// The words of `within`: whom a rank compares.
    Peers {
        Kind = "kind",
        All = "all",
    }
}

/// One indicator.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Group letter and number, such as `C1`.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    pub max: BigRational,
    pub value: Value,
    pub shape: Shape,
    /// Points when there is nothing to divide by.
    pub points_when_empty: BigRational,
}

/// What is scored, per unit or per instrument.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Amount(Measure),
    /// Σ over the unit ÷ Σ over the unit.
    RatioOfSums {
        of: Measure,
        to: Measure,
    },
    /// Mean over the instruments whose divisor is not zero, each ratio capped.
    MeanOfRatios {
        of: Measure,
        to: Measure,
        each_at_most: Option<BigRational>,
    },
    /// Mean points of the customers' answers; empty when there are fewer than `at_least`.
    MeanAnswer {
        points: SatisfactionPoints,
        at_least: i64,
    },
    /// Peers strictly below ÷ (peers − 1); empty for who has no peer.
    Rank {
        of: Measure,
        within: Peers,
    },
    /// Points of parts, added up.
    Points(Vec<Part>),
    /// Points given by experts.
    Expert,
}

/// One part of a value that is made of points.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub value: Value,
    pub shape: Shape,
    pub at_most: Option<BigRational>,
}

impl Value {
    /// Everything it counts.
    pub fn measures(&self) -> Vec<&Measure> {
        match self {
            Self::Amount(of) | Self::Rank { of, .. } => vec![of],
            Self::RatioOfSums { of, to } | Self::MeanOfRatios { of, to, .. } => vec![of, to],
            Self::Points(parts) => parts
                .iter()
                .flat_map(|part| part.value.measures())
                .collect(),
            Self::MeanAnswer { .. } | Self::Expert => Vec::new(),
        }
    }
}

/// Reads `[[scores]]`; `None` when one has a mistake. `is_per_instrument`: `[evaluation] per`.
pub(super) fn read_all(
    node: &Node,
    metrics: &Metrics,
    is_per_instrument: bool,
) -> Option<Vec<Score>> {
    let nodes = node.list()?;
    let mut scores: Vec<Score> = Vec::new();
    let expected = nodes.len();
    for node in &nodes {
        if let Some(score) = read(node, metrics, is_per_instrument) {
            if scores.iter().any(|other| other.id == score.id) {
                let id = node.table().and_then(|table| table.optional("id"));
                id.as_ref().unwrap_or(node).refuse::<()>((
                    format!("第二个 {:?}：请另取编号", score.id),
                    format!("a second score {:?}; give it another id", score.id),
                ));
            }
            scores.push(score);
        }
    }
    if nodes.is_empty() {
        return node.refuse(("至少有一项得分", "a pack has at least one score"));
    }
    (scores.len() == expected).then_some(scores)
}

fn read(node: &Node, metrics: &Metrics, is_per_instrument: bool) -> Option<Score> {
    let table = node.table()?;
    let id = table.required("id").and_then(|node| read_id(&node));
    let name = table.name();
    let max = table.required("max").and_then(|node| read_max(&node));
    let word = table
        .required("shape")
        .and_then(|node| node.word::<ShapeWord>());
    let parts = word.and_then(|word| {
        let value = match word {
            ShapeWord::Expert => Some(Value::Expert),
            ShapeWord::Rank => read_rank(&table, metrics),
            _ => table
                .required("value")
                .and_then(|node| read_value(&node, metrics, is_per_instrument)),
        };
        let shape = read_shape(&table, word, max.as_ref());
        let empty = read_when_empty(&table, max.as_ref(), value.as_ref());
        if is_per_instrument && let Some(value) = &value {
            let place = match value {
                Value::Rank { .. } => table.optional("shape"),
                _ => table.optional("value"),
            };
            refuse_units_only(place.as_ref().unwrap_or(&table.node), value);
        }
        if let (Some(value), Some(Shape::Linear { full_at, .. })) = (&value, &shape)
            && let Some(node) = table.optional("full_at")
        {
            warn_of_reach(&node, value, full_at);
        }
        Some((value?, shape?, empty?))
    });
    // What else may stand here depends on the shape.
    match word {
        Some(_) => table.finish(),
        None => table.finish_with(&OF_ANY_SHAPE),
    }
    let (value, shape, points_when_empty) = parts?;
    Some(Score {
        id: id?,
        name,
        max: max?,
        value,
        shape,
        points_when_empty,
    })
}

/// Every key of a score but `id`, `name`, `max` and `shape`.
const OF_ANY_SHAPE: [&str; 9] = [
    "value",
    "full_at",
    "each",
    "per",
    "whole",
    "steps",
    "curve",
    "within",
    "when_empty",
];

/// The maxima of a pack sum to 100, so none is above it.
fn read_max(node: &Node) -> Option<BigRational> {
    let max = node.positive_decimal()?;
    if max > ratio::whole(100) {
        let said = ratio::plain(&max);
        node.warn((
            format!("满分 {said} 高于 100：各项满分合计应为 100"),
            format!("a maximum of {said} is above 100, to which all maxima should sum"),
        ));
    }
    Some(max)
}

/// All points from where nobody comes, or where everybody stands.
fn warn_of_reach(node: &Node, value: &Value, full_at: &BigRational) {
    let one = ratio::whole(1);
    let most = match value {
        Value::MeanOfRatios {
            each_at_most: Some(most),
            ..
        } => most.clone(),
        Value::RatioOfSums { of, to } | Value::MeanOfRatios { of, to, .. } if of.is_part_of(to) => {
            one
        }
        Value::MeanAnswer { points, .. } => points.most(),
        _ => return,
    };
    let said = ratio::plain(full_at);
    if *full_at > most {
        let most = ratio::plain(&most);
        node.warn((
            format!("{said} 达不到：此值最高为 {most}；20 % 写成 \"0.20\""),
            format!(
                "{said} is never reached: the value is at most {most}; 20 % is written \"0.20\""
            ),
        ));
    }
    if let Value::MeanAnswer { points, .. } = value
        && *full_at < points.least()
    {
        let least = ratio::plain(&points.least());
        node.warn((
            format!("{said} 低于评价的最低分值 {least}：几乎人人满分"),
            format!(
                "{said} is below {least}, the least points of an answer: nearly all get full points"
            ),
        ));
    }
}

/// What only whole units have cannot score an instrument.
fn refuse_units_only(node: &Node, value: &Value) {
    let of_units = matches!(value, Value::MeanAnswer { .. } | Value::Rank { .. })
        || value
            .measures()
            .iter()
            .any(|measure| !measure.is_per_instrument());
    if of_units {
        node.refuse::<()>((
            "按仪器评价时，不能使用只有单位才有的指标",
            "where instruments are evaluated, what only units have cannot be scored",
        ));
    }
}

fn read_rank(table: &Table, metrics: &Metrics) -> Option<Value> {
    let of = table.required("value").and_then(|node| {
        let value = node.table()?;
        let named = value.required("metric");
        let measure = named.and_then(|named| countable(&named, metrics));
        value.finish();
        measure
    });
    let within = table.required("within").and_then(|node| node.word());
    Some(Value::Rank {
        of: of?,
        within: within?,
    })
}

/// A value: `{ metric }`, `{ ratio, aggregate }`, `{ mean, at_least }` or `{ points }`.
fn read_value(node: &Node, metrics: &Metrics, is_per_instrument: bool) -> Option<Value> {
    let table = node.table()?;
    let value = if let Some(mean) = table.optional("mean") {
        read_mean(&table, &mean, metrics)
    } else if let Some(points) = table.optional("points") {
        points
            .list()
            .and_then(|parts| {
                if parts.is_empty() {
                    points.warn((
                        "空列表：总是 0 分，请写出各部分",
                        "an empty list: always 0 points; say its parts",
                    ));
                }
                let parts = parts
                    .iter()
                    .map(|part| read_part(part, metrics, is_per_instrument));
                parts.collect::<Vec<_>>().into_iter().collect()
            })
            .map(Value::Points)
    } else {
        read_counted(&table, metrics, is_per_instrument)
    };
    table.finish();
    value
}

/// One part: a counted value, its shape, and at most so many points.
fn read_part(node: &Node, metrics: &Metrics, is_per_instrument: bool) -> Option<Part> {
    let table = node.table()?;
    // A part is small: a ratio of it that says nothing else is one of sums.
    let value = match table.optional("mean") {
        Some(mean) => read_mean(&table, &mean, metrics),
        None => read_counted(&table, metrics, true),
    };
    let shape = read_part_shape(&table);
    let at_most = match table.optional("at_most") {
        Some(node) => node.positive_decimal().map(Some),
        None => Some(None),
    };
    table.finish();
    if is_per_instrument && let Some(value) = &value {
        refuse_units_only(node, value);
    }
    Some(Part {
        value: value?,
        shape: shape?,
        at_most: at_most?,
    })
}

fn read_mean(table: &Table, mean: &Node, metrics: &Metrics) -> Option<Value> {
    let at_least = match table.optional("at_least") {
        Some(node) => node.integer(1..=1_000_000),
        None => Some(1),
    };
    match metrics.named(mean)? {
        Measure::Answers(points) => Some(Value::MeanAnswer {
            points,
            at_least: at_least?,
        }),
        _ => mean.refuse((
            "只有 review.answers 的指标有平均值",
            "only a metric of review.answers has a mean",
        )),
    }
}

/// `metric`, or `ratio` with `aggregate`, which may be left out where there is but one kind of it.
fn read_counted(table: &Table, metrics: &Metrics, sums_unsaid: bool) -> Option<Value> {
    if let Some(metric) = table.optional("metric") {
        return countable(&metric, metrics).map(Value::Amount);
    }
    let pair = match table.optional("ratio") {
        Some(pair) => Some(pair),
        None => table.node.refuse((
            "缺少 \"metric\"、\"ratio\" 或 \"mean\"：请写出计算什么",
            "\"metric\", \"ratio\" or \"mean\" is missing: say what is counted",
        )),
    };
    let aggregate = match table.optional("aggregate") {
        Some(node) => node.word::<Aggregate>(),
        None if sums_unsaid => Some(Aggregate::RatioOfSums),
        None => table.required("aggregate").and_then(|node| node.word()),
    };
    let each_at_most = match aggregate {
        Some(Aggregate::RatioOfSums) => None,
        _ => table.optional("each_at_most"),
    };
    let each_at_most = match each_at_most {
        Some(node) => node.positive_decimal().map(Some),
        None => Some(None),
    };
    let pair = pair?;
    let list = pair.list()?;
    let [of_node, to_node] = list.as_slice() else {
        return pair.refuse(("比值为两个指标", "a ratio has two metrics"));
    };
    let (of, to) = (countable(of_node, metrics), countable(to_node, metrics));
    let (of, to) = (of?, to?);
    match aggregate? {
        Aggregate::RatioOfSums => Some(Value::RatioOfSums { of, to }),
        Aggregate::MeanOfRatios if !of.is_per_instrument() || !to.is_per_instrument() => pair
            .refuse((
                "mean_of_ratios 需要两个单台仪器的指标",
                "mean_of_ratios needs two metrics of single instruments",
            )),
        Aggregate::MeanOfRatios => Some(Value::MeanOfRatios {
            of,
            to,
            each_at_most: each_at_most?,
        }),
    }
}

fn countable(node: &Node, metrics: &Metrics) -> Option<Measure> {
    match metrics.named(node)? {
        Measure::Answers(_) => {
            node.refuse(("评价有平均值，没有合计", "answers have a mean, not a sum"))
        }
        measure => Some(measure),
    }
}

/// `full`, `zero`, or points up to `max`. Where something is divided it must be said.
fn read_when_empty(
    table: &Table,
    max: Option<&BigRational>,
    value: Option<&Value>,
) -> Option<BigRational> {
    let is_never_empty = matches!(
        value,
        Some(Value::Expert | Value::Amount(_) | Value::Points(_))
    );
    let node = match is_never_empty || value.is_none() {
        true => match table.optional("when_empty") {
            Some(node) => node,
            None => return Some(BigRational::zero()),
        },
        false => table.required("when_empty")?,
    };
    let max = max?;
    match node.text()? {
        "full" => Some(max.clone()),
        "zero" => Some(BigRational::zero()),
        _ => match node.decimal()? {
            points if points <= *max => Some(points),
            _ => node.refuse(("得分高于 max", "more points than max")),
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
        node.refuse((
            "编号为大写字母加数字，例如 \"C1\"",
            "an id is capital letters and a number, such as \"C1\"",
        ))
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
