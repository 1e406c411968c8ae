//! `[grades]`: thresholds, the quota of the best grade, the order of ties, vetoes, and whether results from outside stand.

use super::check::only;
use super::condition::{self, Condition, ConditionKey, FactOf};
use super::raw::{Node, Table};
use super::score::Score;
use crate::domain::ratio;
use num_rational::BigRational;
use num_traits::Zero;

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
    pub quota: Option<Quota>,
    /// What decides between equal totals, in order.
    pub ties: Vec<Tie>,
    /// Who it holds for has at most that grade.
    pub vetoes: Vec<Veto>,
    /// Results from outside stand for the computed grade.
    pub adopt: bool,
}

/// How many may have the best grade.
#[derive(Debug, Clone, PartialEq)]
pub struct Quota {
    /// Share of all that are graded, rounded down.
    pub share: BigRational,
    pub at_least: i64,
}

/// At most `at_most` for whom `when` holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Veto {
    pub when: Condition,
    pub at_most: Grade,
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

    /// The total from which a grade is given.
    pub fn threshold(&self, grade: Grade) -> Option<&BigRational> {
        match grade {
            Grade::Excellent => Some(&self.excellent),
            Grade::Good => Some(&self.good),
            Grade::Pass => Some(&self.pass),
            Grade::Fail => None,
        }
    }
}

/// Reads `[grades]`; `scores` (when they are known) say which groups a tie may name.
pub(super) fn read(node: &Node, scores: Option<&[Score]>) -> Option<Grades> {
    let table = node.table()?;
    let thresholds = table
        .required("thresholds")
        .and_then(|node| read_thresholds(&node, scores));
    let quota = match table.optional("best_quota") {
        Some(node) => read_quota(&node).map(Some),
        None => Some(None),
    };
    let ties = match table.optional("ties") {
        Some(node) => read_ties(&node, scores),
        None => Some(vec![Tie::Uscc]),
    };
    let vetoes = match table.optional("vetoes") {
        Some(node) => node.each(read_veto),
        None => Some(Vec::new()),
    };
    let adopt = match table.optional("adopt") {
        Some(node) => node.boolean(),
        None => Some(false),
    };
    table.finish();
    let (excellent, good, pass) = thresholds?;
    Some(Grades {
        excellent,
        good,
        pass,
        quota: quota?,
        ties: ties?,
        vetoes: vetoes?,
        adopt: adopt?,
    })
}

fn read_thresholds(
    node: &Node,
    scores: Option<&[Score]>,
) -> Option<(BigRational, BigRational, BigRational)> {
    let table = node.table()?;
    let at = |name| table.required(name).and_then(|node| node.decimal());
    let (excellent, good, pass) = (at("excellent"), at("good"), at("pass"));
    table.finish();
    let (excellent, good, pass) = (excellent?, good?, pass?);
    if excellent <= good || good <= pass {
        node.warn((
            "优秀、良好、合格的分数线应依次降低；按现在的写法，有的等次没有人能得到",
            "thresholds should fall from excellent over good to pass: as they are, some grade is never given",
        ));
    }
    if let Some(scores) = scores {
        let most = scores
            .iter()
            .fold(BigRational::zero(), |sum, score| sum + &score.max);
        for (name, threshold) in [("excellent", &excellent), ("good", &good), ("pass", &pass)] {
            if *threshold > most {
                let (threshold, most) = (ratio::plain(threshold), ratio::plain(&most));
                node.warn((
                    format!("{name} 的分数线 {threshold} 高于满分 {most}：没有人能达到"),
                    format!("{name} from {threshold} is above the {most} points there are: nobody reaches it"),
                ));
            }
        }
    }
    Some((excellent, good, pass))
}

fn read_quota(node: &Node) -> Option<Quota> {
    let table = node.table()?;
    let share = table.required("share").and_then(|node| {
        let share = node.decimal()?;
        if share > ratio::whole(1) {
            return node.refuse((
                "比例最大为 1；15 % 写成 \"0.15\"",
                "a share is at most 1; 15 % is written \"0.15\"",
            ));
        }
        if share == ratio::whole(1) {
            node.warn((
                "比例为 1：没有人受限，请改正或删去",
                "a share of 1 limits nobody; say another or remove the quota",
            ));
        }
        Some(share)
    });
    let rounded = match table.has("round") {
        true => only(&table, "round", "floor"),
        false => {
            table.optional("round");
            Some(())
        }
    };
    let at_least = match table.optional("at_least") {
        Some(node) => node.integer(0..=1_000_000),
        None => Some(0),
    };
    table.finish();
    rounded?;
    if share.as_ref().is_some_and(Zero::is_zero) && at_least == Some(0) {
        node.warn((
            "比例和最少名额都为 0：没有人能得到最好的等次",
            "a share of 0 and none at least: nobody gets the best grade",
        ));
    }
    Some(Quota {
        share: share?,
        at_least: at_least?,
    })
}

fn read_ties(node: &Node, scores: Option<&[Score]>) -> Option<Vec<Tie>> {
    let ties = node.each(|node| read_tie(node, scores))?;
    let code = ties.iter().position(|tie| *tie == Tie::Uscc);
    if code.is_some_and(|at| at + 1 < ties.len()) {
        node.warn((
            "没有两个单位的 \"uscc\" 相同：其后的各项不起作用，请放在其前",
            "no two units have one \"uscc\": what stands after it decides nothing; put it last",
        ));
    }
    Some(ties)
}

fn read_tie(node: &Node, scores: Option<&[Score]>) -> Option<Tie> {
    match node.text()? {
        "uscc" => Some(Tie::Uscc),
        group if scores.is_none_or(|scores| scores.iter().any(|score| score.group() == group)) => {
            Some(Tie::Group(group.to_owned()))
        }
        other => node.refuse((
            format!("{other:?} 既不是 \"uscc\"，也不是得分的组"),
            format!("{other:?} is neither \"uscc\" nor a group of scores"),
        )),
    }
}

fn read_veto(node: &Node) -> Option<Veto> {
    let table: Table = node.table()?;
    let when = table
        .required("when")
        .and_then(|node| condition::read(&node, &of_hosts));
    let at_most = table.required("at_most").and_then(|node| {
        let at_most: Grade = node.word()?;
        if at_most == Grade::Excellent {
            node.warn((
                "最高为 \"excellent\"：什么也不限制，请写较低的等次",
                "at most \"excellent\" stops nothing; say a lower grade",
            ));
        }
        Some(at_most)
    });
    table.finish();
    Some(Veto {
        when: when?,
        at_most: at_most?,
    })
}

/// Facts of whole hosts, the number of their instruments among them.
pub(super) fn of_hosts(key: ConditionKey) -> bool {
    key.is_fact_of() == FactOf::Host
}
