//! Shapes: how a value becomes points. Reading them; and what each makes of a value, which needs nothing but the value.

use super::raw::{Node, Table};
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::{One, Zero};

crate::vocabulary! {
    /// The words of `shape`.
    ShapeWord {
        Linear = "linear",
        PerUnit = "per_unit",
        Steps = "steps",
        Curve = "curve",
        Rank = "rank",
        Expert = "expert",
    }
}

/// How a value becomes points, before they are cut at a maximum.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// min(1, value ÷ `full_at`) × `max`.
    Linear {
        full_at: BigRational,
        max: BigRational,
    },
    /// value ÷ `per` (full ones only, where `whole`) × `each`.
    PerUnit {
        per: BigRational,
        each: BigRational,
        whole: bool,
    },
    /// The points of the last step that the value reaches; 0 below the first.
    Steps(Vec<Point>),
    /// Straight between the points, flat outside.
    Curve(Vec<Point>),
}

/// A value and its points.
pub type Point = (BigRational, BigRational);

impl Shape {
    /// The word of the pack.
    pub const fn word(&self) -> ShapeWord {
        match self {
            Self::Linear { .. } => ShapeWord::Linear,
            Self::PerUnit { .. } => ShapeWord::PerUnit,
            Self::Steps(_) => ShapeWord::Steps,
            Self::Curve(_) => ShapeWord::Curve,
        }
    }

    pub fn points(&self, value: &BigRational) -> BigRational {
        match self {
            Self::Linear { full_at, max } => (value / full_at).min(BigRational::one()) * max,
            Self::PerUnit { per, each, whole } => {
                let units = value / per;
                let units = if *whole { units.floor() } else { units };
                units * each
            }
            Self::Steps(steps) => {
                let reached = steps.iter().rev().find(|(from, _)| value >= from);
                reached.map_or_else(BigRational::zero, |(_, points)| points.clone())
            }
            Self::Curve(curve) => on_curve(curve, value),
        }
    }

    /// The value from which more of it earns nothing more, as far as the shape says.
    pub fn full_at(&self) -> Option<&BigRational> {
        match self {
            Self::Linear { full_at, .. } => Some(full_at),
            Self::PerUnit { .. } => None,
            Self::Steps(points) | Self::Curve(points) => points.last().map(|(at, _)| at),
        }
    }
}

fn on_curve(curve: &[Point], value: &BigRational) -> BigRational {
    let after = curve.iter().position(|(at, _)| value <= at);
    let points = match after {
        Some(0) => curve.first().map(|(_, points)| points.clone()),
        None => curve.last().map(|(_, points)| points.clone()),
        Some(after) => match (curve.get(after - 1), curve.get(after)) {
            (Some((x0, y0)), Some((x1, y1))) => Some(y0 + (y1 - y0) * (value - x0) / (x1 - x0)),
            _ => None,
        },
    };
    points.unwrap_or_else(BigRational::zero)
}

/// The shape of a score by its word. A rank and an expert's points are linear: a share of the peers, points of `max`.
pub(super) fn read_shape(
    table: &Table,
    word: ShapeWord,
    max: Option<&BigRational>,
) -> Option<Shape> {
    match word {
        ShapeWord::Linear => {
            let full_at = table
                .required("full_at")
                .and_then(|node| node.positive_decimal());
            Some(Shape::Linear {
                full_at: full_at?,
                max: max?.clone(),
            })
        }
        ShapeWord::PerUnit => read_per_unit(table),
        ShapeWord::Steps => read_points(&table.required("steps")?, false).map(Shape::Steps),
        ShapeWord::Curve => read_points(&table.required("curve")?, true).map(Shape::Curve),
        ShapeWord::Rank => Some(Shape::Linear {
            full_at: BigRational::one(),
            max: max?.clone(),
        }),
        ShapeWord::Expert => Some(Shape::Linear {
            full_at: max?.clone(),
            max: max?.clone(),
        }),
    }
}

/// The shape of a part, by the keys it has: `steps`, `curve`, or `each` and `per`; none: a point per one.
pub(super) fn read_part_shape(table: &Table) -> Option<Shape> {
    if let Some(steps) = table.optional("steps") {
        return read_points(&steps, false).map(Shape::Steps);
    }
    if let Some(curve) = table.optional("curve") {
        return read_points(&curve, true).map(Shape::Curve);
    }
    read_per_unit(table)
}

/// `each` (points per one) or `per` (one point per so many), or both; `whole`: full ones only.
fn read_per_unit(table: &Table) -> Option<Shape> {
    let positive = |name| match table.optional(name) {
        Some(node) => node.positive_decimal().map(Some),
        None => Some(None),
    };
    let (each, per) = (positive("each"), positive("per"));
    let whole = match table.optional("whole") {
        Some(node) => node.boolean(),
        None => Some(false),
    };
    let (each, per) = (each?, per?);
    if each.is_none() && per.is_none() {
        return table
            .node
            .refuse(("缺少 \"each\" 或 \"per\"", "\"each\" or \"per\" is missing"));
    }
    Some(Shape::PerUnit {
        per: per.unwrap_or_else(BigRational::one),
        each: each.unwrap_or_else(BigRational::one),
        whole: whole?,
    })
}

/// Pairs of value and points, rising by value.
fn read_points(node: &Node, is_curve: bool) -> Option<Vec<Point>> {
    let points = read_pairs(node)?;
    if points.is_empty() || (is_curve && points.len() < 2) {
        return node.refuse((
            "至少一级；曲线至少两点",
            "at least one step; a curve has at least two points",
        ));
    }
    let nodes = node.list().unwrap_or_default();
    for (node, pair) in nodes.iter().skip(1).zip(points.windows(2)) {
        match pair {
            [(_, lower), (_, higher)] if !is_curve && lower > higher => node.warn((
                "更高的一级得分更少：请检查",
                "a higher step earns fewer points than one below it; check the points",
            )),
            [(_, lower), (_, higher)] if !is_curve && lower == higher => node.warn((
                "此级得分并不比前一级多：请改正或删去",
                "the step earns no more than the one before it; say other points or remove it",
            )),
            _ => {}
        }
    }
    Some(points)
}

/// Pairs of numbers whose first rises.
pub(super) fn read_pairs(node: &Node) -> Option<Vec<Point>> {
    let nodes = node.list()?;
    let pairs: Vec<Option<Point>> = nodes
        .iter()
        .map(|node| {
            let pair = node.list()?;
            let [from, to] = pair.as_slice() else {
                return node.refuse(("应为两个数", "a pair of two numbers"));
            };
            let (from, to) = (from.number(), to.number());
            Some((from?, to?))
        })
        .collect();
    let pairs: Vec<Point> = pairs.into_iter().collect::<Option<_>>()?;
    let falls = pairs
        .windows(2)
        .position(|pair| !matches!(pair, [a, b] if a.0 < b.0));
    match falls {
        None => Some(pairs),
        Some(at) => nodes.get(at + 1).unwrap_or(node).refuse((
            "须由小到大排列：此对的第一个数不大于前一对的",
            "pairs must rise: the first number of this one is not above that of the one before",
        )),
    }
}

/// A whole number for messages and explanations.
pub(super) fn said(value: &BigRational) -> String {
    ratio::plain(value)
}
