//! `[grades]`: thresholds, the quota of the best grade and the order of ties.

use super::check::only;
use super::raw::Node;
use super::score::Score;
use crate::domain::ratio;
use num_rational::BigRational;

crate::vocabulary! {
    /// A unit's grade of the year, best first.
    Grade {
        Excellent = "excellent",
        Good = "good",
        Pass = "pass",
        Fail = "fail",
    }
}

/// How totals become grades.
#[derive(Debug, Clone, PartialEq)]
pub struct Grades {
    pub excellent: BigRational,
    pub good: BigRational,
    pub pass: BigRational,
    /// Share of the evaluated units that may be excellent, rounded down.
    pub best_share: BigRational,
    pub best_at_least: i64,
    /// What decides between equal totals, in order.
    pub ties: Vec<Tie>,
}

/// One tie-break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tie {
    /// More points in a group of scores first.
    Group(String),
    /// The smaller USCC first.
    Uscc,
}

impl Grades {
    /// The grade of a total by thresholds alone, before the quota.
    pub fn by_threshold(&self, total: &BigRational) -> Grade {
        if *total >= self.excellent {
            Grade::Excellent
        } else if *total >= self.good {
            Grade::Good
        } else if *total >= self.pass {
            Grade::Pass
        } else {
            Grade::Fail
        }
    }
}

/// Reads `[grades]`; `scores` (when they are known) say which groups a tie may name.
pub(super) fn read(node: &Node, scores: Option<&[Score]>) -> Option<Grades> {
    let table = node.table()?;
    let thresholds = table
        .required("thresholds")
        .and_then(|node| read_thresholds(&node));
    let quota = table
        .required("best_quota")
        .and_then(|node| read_quota(&node));
    let ties = table
        .required("ties")
        .and_then(|node| read_ties(&node, scores));
    table.finish();
    let (excellent, good, pass) = thresholds?;
    let (best_share, best_at_least) = quota?;
    Some(Grades {
        excellent,
        good,
        pass,
        best_share,
        best_at_least,
        ties: ties?,
    })
}

fn read_thresholds(node: &Node) -> Option<(BigRational, BigRational, BigRational)> {
    let table = node.table()?;
    let at = |name| table.required(name).and_then(|node| node.decimal());
    let (excellent, good, pass) = (at("excellent"), at("good"), at("pass"));
    table.finish();
    let (excellent, good, pass) = (excellent?, good?, pass?);
    if excellent > good && good > pass {
        Some((excellent, good, pass))
    } else {
        node.refuse("thresholds fall from excellent over good to pass")
    }
}

fn read_quota(node: &Node) -> Option<(BigRational, i64)> {
    let table = node.table()?;
    let share = table.required("share").and_then(|node| {
        let share = node.decimal()?;
        if share <= ratio::whole(1) {
            Some(share)
        } else {
            node.refuse("a share is at most 1")
        }
    });
    let rounded = only(&table, "round", "floor");
    let at_least = table
        .required("at_least")
        .and_then(|node| node.integer(0..=1_000_000));
    table.finish();
    rounded?;
    Some((share?, at_least?))
}

fn read_ties(node: &Node, scores: Option<&[Score]>) -> Option<Vec<Tie>> {
    let ties: Vec<Option<Tie>> = node
        .list()?
        .iter()
        .map(|node| read_tie(node, scores))
        .collect();
    ties.into_iter().collect()
}

fn read_tie(node: &Node, scores: Option<&[Score]>) -> Option<Tie> {
    match node.text()? {
        "uscc" => Some(Tie::Uscc),
        group if scores.is_none_or(|scores| scores.iter().any(|score| score.group() == group)) => {
            Some(Tie::Group(group.to_owned()))
        }
        other => node.refuse(format!(
            "{other:?} is neither \"uscc\" nor a group of scores"
        )),
    }
}
