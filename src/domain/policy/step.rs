//! The steps of an award, in the order of the pack: what each does, and on what it works.

use super::award::{Award, Level, Recipient, may_ask};
use super::brackets::{BracketBy, Brackets, read_brackets};
use super::check::only;
use super::condition::{self, Condition};
use super::grades::Grade;
use super::raw::{Node, Table};
use super::step_order;
use crate::domain::{Fen, MAX_SAFE_INTEGER, ratio};
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// The words of `do`.
    StepWord {
        Rate = "rate",
        Brackets = "brackets",
        Cap = "cap",
        Sum = "sum",
        DropBelow = "drop_below",
        Pool = "pool",
        Round = "round",
    }
}

crate::vocabulary! {
    /// The words of `choose`: which of the rates whose condition holds.
    Choose {
        Highest = "highest",
        First = "first",
        Sum = "sum",
    }
}

crate::vocabulary! {
    /// The words of `how` of a pool.
    Pooling {
        ProRata = "pro_rata",
        FirstCome = "first_come",
        None = "none",
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// For people.
    pub name: Option<String>,
    /// Amounts for which it does not hold pass unchanged.
    pub when: Option<Condition>,
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Rate {
        choose: Choose,
        /// None that holds: rate 0.
        rates: Vec<Rate>,
        /// Coefficient of each grade; empty when the pack gives none.
        times_grade: BTreeMap<Grade, BigRational>,
    },
    Brackets {
        by: BracketBy,
        brackets: Brackets,
    },
    Cap {
        max_fen: Fen,
    },
    /// From services to instruments, or to recipients.
    Sum {
        by: Level,
    },
    DropBelow {
        min_fen: Fen,
    },
    Pool {
        /// `None`: the pack's only one has no name.
        pool: Option<String>,
        how: Pooling,
    },
    /// Down to a multiple; the rest stays unspent.
    RoundDown {
        unit_fen: Fen,
    },
}

/// A rate, and for what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    pub rate: BigRational,
    pub when: Option<Condition>,
}

/// What the steps of an award stand in.
pub(super) struct Surroundings<'a> {
    pub recipient: Recipient,
    pub per: Level,
    pub pools: &'a [String],
    pub has_base: bool,
}

/// How the pool of an award is shared.
pub(super) fn pooling(award: &Award) -> Option<Pooling> {
    award.steps.iter().find_map(|step| match step.act {
        Act::Pool { how, .. } => Some(how),
        _ => None,
    })
}

/// Reads `steps`.
pub(super) fn read_all(node: &Node, surroundings: &Surroundings) -> Option<Vec<Step>> {
    let nodes = node.list()?;
    let mut level = surroundings.per;
    let mut steps = Vec::new();
    for node in &nodes {
        let step = read(node, level, surroundings);
        if let Some(Step {
            act: Act::Sum { by },
            ..
        }) = &step
        {
            let falls = matches!(
                (level, by),
                (Level::Service, Level::Instrument | Level::Organization)
                    | (Level::Instrument, Level::Organization)
            );
            if !falls {
                return node.refuse((
                    "此处没有可以再合计的金额",
                    "there is nothing left to sum up here",
                ));
            }
            level = *by;
        }
        steps.push(step);
    }
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    step_order::check(node, &nodes, &steps, level, surroundings.has_base)?;
    step_order::warn(&nodes, &steps, surroundings.per);
    Some(steps)
}

/// Every key of a step but `do`, whatever it does.
const KEYS: [&str; 17] = [
    "name",
    "when",
    "rate",
    "choose",
    "rates",
    "times_grade",
    "by",
    "how",
    "fen",
    "max_fen",
    "min_fen",
    "of",
    "unit_fen",
    "direction",
    "rest",
    "source",
    "do",
];

fn read(node: &Node, level: Level, surroundings: &Surroundings) -> Option<Step> {
    let table = node.table()?;
    let Some(word) = table.required("do") else {
        table.finish_with(&KEYS);
        return None;
    };
    let word = word.word::<StepWord>()?;
    let name = table.name();
    let asks = |key| may_ask(key, level, surroundings.recipient);
    let when = match table.optional("when") {
        Some(node) => condition::read(&node, &asks).map(Some),
        None => Some(None),
    };
    let act = match word {
        StepWord::Rate => read_rate(&table, &asks),
        StepWord::Brackets => read_brackets(&table, level),
        StepWord::Cap => fen(&table, "max_fen", 0).map(|max_fen| Act::Cap { max_fen }),
        StepWord::Sum => read_sum(&table),
        StepWord::DropBelow => fen(&table, "min_fen", 0).map(|min_fen| Act::DropBelow { min_fen }),
        StepWord::Pool => read_pool(&table, surroundings.pools),
        StepWord::Round => read_round(&table),
    };
    table.finish();
    if matches!(word, StepWord::Sum | StepWord::Pool | StepWord::Round) && table.has("when") {
        return node.refuse((
            "此步骤对所有金额都有效，没有 when",
            "this step works on all amounts and has no \"when\"",
        ));
    }
    Some(Step {
        name,
        when: when?,
        act: act?,
    })
}

fn read_sum(table: &Table) -> Option<Act> {
    let node = table.required("by")?;
    match node.word()? {
        Level::Service => node.refuse((
            "合计到 \"instrument\" 或 \"organization\"",
            "sums go to \"instrument\" or \"organization\"",
        )),
        by => Some(Act::Sum { by }),
    }
}

fn read_pool(table: &Table, pools: &[String]) -> Option<Act> {
    let how = table.required("how").and_then(|node| node.word());
    let of = match (table.optional("of"), pools) {
        (Some(node), _) => {
            let name = node.text()?;
            match pools.iter().any(|pool| pool == name) {
                true => Some(Some(name.to_owned())),
                false => node.refuse((
                    format!("[pools] 中没有 {name:?}"),
                    format!("[pools] has no {name:?}"),
                )),
            }
        }
        (None, []) => Some(None),
        (None, [one]) => Some(Some(one.clone())),
        (None, _) => table.required("of").map(|_| None),
    };
    Some(Act::Pool {
        pool: of?,
        how: how?,
    })
}

type Asks<'a> = dyn Fn(condition::ConditionKey) -> bool + 'a;

/// `rate` alone, or `rates` with conditions of which `choose` takes.
fn read_rate(table: &Table, asks: &Asks) -> Option<Act> {
    let times_grade = match table.optional("times_grade") {
        Some(node) => read_times_grade(&node),
        None => Some(BTreeMap::new()),
    };
    if let Some(node) = table.optional("rates") {
        let choose = table.required("choose").and_then(|node| node.word());
        let rates: Option<Vec<Rate>> = node.each(|node| {
            let table = node.table()?;
            let rate = table
                .required("rate")
                .and_then(|node| read_rate_value(&node));
            let when = match table.optional("when") {
                Some(node) => condition::read(&node, asks).map(Some),
                None => Some(None),
            };
            table.finish();
            Some(Rate {
                rate: rate?,
                when: when?,
            })
        });
        let (choose, rates) = (choose?, rates?);
        warn_of_later(&node, choose, &rates);
        return Some(Act::Rate {
            choose,
            rates,
            times_grade: times_grade?,
        });
    }
    let rate = table
        .required("rate")
        .and_then(|node| read_rate_value(&node));
    Some(Act::Rate {
        choose: Choose::First,
        rates: vec![Rate {
            rate: rate?,
            when: None,
        }],
        times_grade: times_grade?,
    })
}

/// Where the first rate that holds is taken, none after one that always holds is.
fn warn_of_later(node: &Node, choose: Choose, rates: &[Rate]) {
    let always = rates.iter().position(|rate| rate.when.is_none());
    if choose == Choose::First && always.is_some_and(|at| at + 1 < rates.len()) {
        node.warn((
            "没有条件的比例之后的各项不起作用：请把它放在最后",
            "a rate without a condition always holds: those after it are never reached; put it last",
        ));
    }
}

fn read_rate_value(node: &Node) -> Option<BigRational> {
    let rate = node.decimal()?;
    warn_of_rate(node, &rate);
    Some(rate)
}

/// A rate is a fraction, and not nothing.
pub(super) fn warn_of_rate(node: &Node, rate: &BigRational) {
    if *rate > ratio::whole(1) {
        let said = ratio::plain(rate);
        let percent = ratio::plain(&(rate * ratio::whole(100)));
        node.warn((
            format!("比例 {said} 大于 1，即 {percent} %；20 % 写成 \"0.20\""),
            format!("a rate of {said} is {percent} %; 20 % is written \"0.20\""),
        ));
    }
    if rate.is_zero() {
        node.warn((
            "比例为 0：什么也不发，请改正",
            "a rate of 0 pays nothing; say another",
        ));
    }
}

fn read_times_grade(node: &Node) -> Option<BTreeMap<Grade, BigRational>> {
    let table = node.table()?;
    node.leans_on("grades", condition::NO_GRADES);
    let mut coefficients = BTreeMap::new();
    let mut better: Option<BigRational> = None;
    for grade in Grade::ALL {
        let Some(node) = table.required(grade.as_str()) else {
            continue;
        };
        let Some(coefficient) = node.decimal() else {
            continue;
        };
        if coefficient > ratio::whole(1) {
            let said = ratio::plain(&coefficient);
            node.warn((
                format!("系数 {said} 大于 1"),
                format!("a coefficient of {said} is above 1"),
            ));
        }
        if better.as_ref().is_some_and(|better| *better < coefficient) {
            node.warn((
                "较差等次的系数高于较好等次",
                "a worse grade has a higher coefficient than a better one",
            ));
        }
        better = Some(coefficient.clone());
        coefficients.insert(*grade, coefficient);
    }
    table.finish();
    (coefficients.len() == Grade::ALL.len()).then_some(coefficients)
}

fn read_round(table: &Table) -> Option<Act> {
    let unit_fen = fen(table, "unit_fen", 1);
    let direction = only(table, "direction", "floor");
    let rest = only(table, "rest", "unspent");
    direction.and(rest)?;
    Some(Act::RoundDown {
        unit_fen: unit_fen?,
    })
}

fn fen(table: &Table, name: &'static str, least: i64) -> Option<Fen> {
    let node = table.required(name)?;
    node.integer(least..=MAX_SAFE_INTEGER).map(Fen::new)
}
