//! The step `brackets`: what a value or an amount brings by the bracket it reaches, and which brackets are probably not meant.

use super::award::Level;
use super::raw::{Node, Table};
use super::shape::{Point, read_pairs};
use super::step::{Act, warn_of_rate};
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::Zero;

crate::vocabulary! {
    /// The words of `how` of brackets.
    BracketHow {
        Whole = "whole",
        Marginal = "marginal",
    }
}

crate::vocabulary! {
    /// The words of `by` of brackets.
    BracketBy {
        OriginalValue = "original_value_fen",
        Value = "value_fen",
        Amount = "amount",
    }
}

/// Brackets by what they begin with.
#[derive(Debug, Clone, PartialEq)]
pub enum Brackets {
    /// The fen of the bracket; below the first: 0.
    Fen(Vec<Point>),
    /// The rate of the bracket, on the whole of it; below the first: 0.
    WholeRate(Vec<Point>),
    /// Each rate on what lies in its bracket.
    Marginal(Vec<Point>),
}

impl Brackets {
    /// What a value brings.
    pub fn amount(&self, value: &BigRational) -> BigRational {
        let reached = |points: &[Point]| {
            let found = points.iter().rev().find(|(from, _)| value >= from);
            found.map_or_else(|| ratio::whole(0), |(_, said)| said.clone())
        };
        match self {
            Self::Fen(points) => reached(points),
            Self::WholeRate(points) => reached(points) * value,
            Self::Marginal(points) => {
                let mut sum = ratio::whole(0);
                for (at, (from, rate)) in points.iter().enumerate() {
                    let until = points.get(at + 1).map(|(next, _)| next);
                    let top = until.map_or(value, |next| next.min(value));
                    if top > from {
                        sum += (top - from) * rate;
                    }
                }
                sum
            }
        }
    }
}

/// `fen` are pairs of where a bracket begins and what it brings; `rates` pairs with a rate.
pub(super) fn read_brackets(table: &Table, level: Level) -> Option<Act> {
    let by = table.required("by").and_then(|node| {
        let by: BracketBy = node.word()?;
        match by != BracketBy::Amount && level == Level::Organization {
            true => node.refuse((
                "合计之后没有仪器原值",
                "after the sum there is no instrument whose value could be asked",
            )),
            false => Some(by),
        }
    });
    let how = table.required("how").and_then(|node| node.word());
    let brackets = match (table.optional("fen"), table.optional("rates"), how) {
        (None, None, _) => table.required("fen").and(None),
        (Some(fen), Some(_), _) => fen.refuse((
            "\"fen\" 与 \"rates\" 只能有一个",
            "either \"fen\" or \"rates\"",
        )),
        (Some(fen), None, Some(BracketHow::Whole)) => read_pairs(&fen)
            .inspect(|pairs| warn_of_brackets(&fen, pairs))
            .map(Brackets::Fen),
        (None, Some(rates), Some(BracketHow::Whole)) => read_pairs(&rates)
            .inspect(|pairs| warn_of_rates(&rates, pairs))
            .map(Brackets::WholeRate),
        (Some(pairs), None, Some(BracketHow::Marginal))
        | (None, Some(pairs), Some(BracketHow::Marginal)) => read_pairs(&pairs)
            .inspect(|found| warn_of_rates(&pairs, found))
            .map(Brackets::Marginal),
        (_, _, None) => None,
    };
    Some(Act::Brackets {
        by: by?,
        brackets: brackets?,
    })
}

/// Rates of brackets, each by itself; the first may be 0, which frees what lies below the second.
fn warn_of_rates(node: &Node, pairs: &[Point]) {
    warn_of_none(node, pairs);
    let nodes = node.list().unwrap_or_default();
    for (node, (_, rate)) in nodes.iter().zip(pairs) {
        if !rate.is_zero() {
            warn_of_rate(node, rate);
        }
    }
}

fn warn_of_none(node: &Node, pairs: &[Point]) {
    if pairs.is_empty() {
        node.warn((
            "空列表：什么也不发，请写出各档",
            "an empty list pays nothing; say its brackets",
        ));
    }
}

/// Amounts of brackets usually rise.
fn warn_of_brackets(node: &Node, pairs: &[Point]) {
    warn_of_none(node, pairs);
    let nodes = node.list().unwrap_or_default();
    for (node, pair) in nodes.iter().skip(1).zip(pairs.windows(2)) {
        let [(_, lower), (_, higher)] = pair else {
            continue;
        };
        if higher < lower {
            node.warn((
                "更高的一档金额更少：请检查",
                "a higher bracket brings less than one below it; check the amounts",
            ));
        }
        if higher == lower {
            node.warn((
                "此档并不比前一档多：请改正或删去",
                "the bracket brings no more than the one before it; say another amount or remove it",
            ));
        }
    }
}
