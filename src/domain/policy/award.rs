//! `[[awards]]`: the base, what is left out of it, and the steps that lead to the money.

use super::check::only;
use super::grades::Grade;
use super::measure::{Measure, RecordFilter, WeakEvidence};
use super::metric::Metrics;
use super::raw::{Node, Table};
use crate::domain::{Fen, MAX_SAFE_INTEGER};
use num_rational::BigRational;
use std::collections::BTreeMap;

crate::vocabulary! {
    /// The words of `exclude`.
    Exclusion {
        Statutory = "statutory",
        WeakEvidence = "weak_evidence",
        RelatedParty = "related_party",
    }
}

crate::vocabulary! {
    /// The words of `do`.
    Action {
        Rate = "rate",
        Cap = "cap",
        Sum = "sum",
        DropBelow = "drop_below",
        Pool = "pool",
        Round = "round",
    }
}

/// The award of a pack: to the host, per instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Award {
    /// The metric that is the base, by its name in the pack.
    pub base_metric: String,
    /// Whose income is the base, before exclusions.
    pub base: RecordFilter,
    /// In the order in which a reason is named when several hold.
    pub exclude: Vec<Exclusion>,
    /// What `weak_evidence` means; set whenever it is excluded.
    pub weak_evidence: Option<WeakEvidence>,
    /// Leading digits of the region codes whose using units count; `None`: all.
    pub user_regions: Option<Vec<String>>,
    pub steps: Vec<Step>,
}

/// One step; `sum` goes from instruments to units, everything else works on whichever it meets.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Rate {
        rate: BigRational,
        /// Coefficient of each grade; empty when the pack gives none.
        times_grade: BTreeMap<Grade, BigRational>,
    },
    Cap {
        max_fen: Fen,
    },
    SumByOrganization,
    DropBelow {
        min_fen: Fen,
    },
    /// One factor for all when the sum is over the budget.
    PoolProRata,
    /// Down to a multiple; the rest stays unspent.
    RoundDown {
        unit_fen: Fen,
    },
}

/// Reads `[[awards]]`: exactly one award is known.
pub(super) fn read(node: &Node, metrics: &Metrics) -> Option<Award> {
    let list = node.list()?;
    match list.as_slice() {
        [award] => read_one(award, metrics),
        _ => node.refuse(format!("one award is known, not {}", list.len())),
    }
}

fn read_one(node: &Node, metrics: &Metrics) -> Option<Award> {
    let table = node.table()?;
    let recipient = only(&table, "recipient", "host");
    let per = only(&table, "per", "instrument");
    let base = table
        .required("base")
        .and_then(|node| match metrics.named(&node)? {
            Measure::PayerIncome(filter) => Some((node.text()?.to_owned(), filter)),
            _ => node.refuse("the base is a metric of income.payer_fen"),
        });
    let exclude = table
        .required("exclude")
        .and_then(|node| read_exclusions(&node, metrics));
    let user_regions = table.optional("user_regions");
    let regions = user_regions.as_ref().and_then(read_regions);
    let steps = table.required("steps").and_then(|node| read_steps(&node));
    table.finish();
    recipient.and(per)?;
    let (base_metric, base) = base?;
    Some(Award {
        base_metric,
        base,
        exclude: exclude?,
        weak_evidence: metrics.weak_evidence.clone(),
        user_regions: regions,
        steps: steps?,
    })
}

fn read_exclusions(node: &Node, metrics: &Metrics) -> Option<Vec<Exclusion>> {
    let words = node.list()?;
    let read: Vec<Option<Exclusion>> = words.iter().map(|word| word.word()).collect();
    let undefined = metrics.lack_weak_evidence();
    for (word, exclusion) in words.iter().zip(&read) {
        if undefined && *exclusion == Some(Exclusion::WeakEvidence) {
            word.refuse::<()>("no metric says with drop_weak_evidence what is weak");
        }
    }
    read.into_iter().collect()
}

fn read_regions(node: &Node) -> Option<Vec<String>> {
    let read = |node: &Node| {
        let code = node.text()?;
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if digits && matches!(code.len(), 2 | 4 | 6) {
            Some(code.to_owned())
        } else {
            node.refuse("a region is 2, 4 or 6 digits")
        }
    };
    let codes: Vec<Option<String>> = node.list()?.iter().map(read).collect();
    codes.into_iter().collect()
}

fn read_steps(node: &Node) -> Option<Vec<Step>> {
    let nodes = node.list()?;
    let steps: Vec<Option<Step>> = nodes.iter().map(read_step).collect();
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    check_order(node, &steps)?;
    Some(steps)
}

/// Exactly one `sum`, after it exactly one `pool`, directly before the one `round` that ends the list: only so can no
/// list of steps spend more than the budget, and rounding happens once.
fn check_order(node: &Node, steps: &[Step]) -> Option<()> {
    let count = |wanted: fn(&Step) -> bool| steps.iter().filter(|step| wanted(step)).count();
    let sums = count(|step| matches!(step, Step::SumByOrganization));
    let pools = count(|step| matches!(step, Step::PoolProRata));
    let rounds = count(|step| matches!(step, Step::RoundDown { .. }));
    let ends = matches!(steps, [.., Step::PoolProRata, Step::RoundDown { .. }]);
    if sums == 1 && pools == 1 && rounds == 1 && ends {
        Some(())
    } else {
        node.refuse("steps have one \"sum\" and end with the one \"pool\" and the one \"round\"")
    }
}

fn read_step(node: &Node) -> Option<Step> {
    let table = node.table()?;
    let action = table
        .required("do")
        .and_then(|node| node.word::<Action>())?;
    let step = match action {
        Action::Rate => read_rate(&table),
        Action::Cap => fen(&table, "max_fen", 0).map(|max_fen| Step::Cap { max_fen }),
        Action::Sum => only(&table, "by", "organization").map(|()| Step::SumByOrganization),
        Action::DropBelow => fen(&table, "min_fen", 0).map(|min_fen| Step::DropBelow { min_fen }),
        Action::Pool => only(&table, "how", "pro_rata").map(|()| Step::PoolProRata),
        Action::Round => read_round(&table),
    };
    table.finish();
    step
}

fn read_rate(table: &Table) -> Option<Step> {
    let rate = table.required("rate").and_then(|node| node.decimal());
    let times_grade = match table.optional("times_grade") {
        Some(node) => read_times_grade(&node),
        None => Some(BTreeMap::new()),
    };
    Some(Step::Rate {
        rate: rate?,
        times_grade: times_grade?,
    })
}

fn read_times_grade(node: &Node) -> Option<BTreeMap<Grade, BigRational>> {
    let table = node.table()?;
    let mut coefficients = BTreeMap::new();
    for grade in Grade::ALL {
        let node = table.required(grade.as_str());
        if let Some(coefficient) = node.and_then(|node| node.decimal()) {
            coefficients.insert(*grade, coefficient);
        }
    }
    table.finish();
    (coefficients.len() == Grade::ALL.len()).then_some(coefficients)
}

fn read_round(table: &Table) -> Option<Step> {
    let unit_fen = fen(table, "unit_fen", 1);
    let direction = only(table, "direction", "floor");
    let rest = only(table, "rest", "unspent");
    direction.and(rest)?;
    Some(Step::RoundDown {
        unit_fen: unit_fen?,
    })
}

fn fen(table: &Table, name: &'static str, least: i64) -> Option<Fen> {
    let node = table.required(name)?;
    node.integer(least..=MAX_SAFE_INTEGER).map(Fen::new)
}
