//! Whether the steps of an award, each right by itself, make a whole: that they cannot overspend, and which of them never or
//! always cut.

use super::award::Level;
use super::raw::Node;
use super::step::{Act, Pooling, Step};
use crate::domain::Fen;

/// One `pool`, one `round` at the end, between them nothing that raises an amount, and amounts of recipients at the end: only so
/// can no list of steps spend more than the budget, and rounding happens once.
pub(super) fn check(
    node: &Node,
    nodes: &[Node],
    steps: &[Step],
    level: Level,
    has_base: bool,
) -> Option<()> {
    let places = |wanted: &dyn Fn(&Act) -> bool| -> Vec<usize> {
        let found = steps
            .iter()
            .enumerate()
            .filter(|(_, step)| wanted(&step.act));
        found.map(|(at, _)| at).collect()
    };
    let pools = places(&|act| matches!(act, Act::Pool { .. }));
    let [pool] = pools.as_slice() else {
        let second = pools.get(1).and_then(|at| nodes.get(*at));
        return second.unwrap_or(node).refuse((
            "步骤须有且只有一个 \"pool\"",
            "steps have one \"pool\": add the missing one, or remove this second one",
        ));
    };
    check_round(
        node,
        nodes,
        &places(&|act| matches!(act, Act::RoundDown { .. })),
    )?;
    if level != Level::Organization {
        return node.refuse((
            "须有 { do = \"sum\", by = \"organization\" }",
            "a { do = \"sum\", by = \"organization\" } is missing",
        ));
    }
    let raising = places(&|act| matches!(act, Act::Rate { .. } | Act::Brackets { .. }));
    if let Some(later) = raising.iter().find(|at| *at > pool) {
        return nodes.get(*later).unwrap_or(node).refuse((
            "\"pool\" 之后不能再有比例或分档：请移到其前",
            "no rate and no brackets come after the \"pool\": move it before",
        ));
    }
    let is_first_come = steps.get(*pool).is_some_and(|step| {
        matches!(
            &step.act,
            Act::Pool {
                how: Pooling::FirstCome,
                ..
            }
        )
    });
    let sums = places(&|act| matches!(act, Act::Sum { .. }));
    if let Some(later) = sums.iter().find(|at| *at > pool)
        && !is_first_come
    {
        return nodes.get(*later).unwrap_or(node).refuse((
            "合计须在 \"pool\" 之前；只有先到先得可以在其后",
            "the sum comes before the \"pool\", unless that is first_come",
        ));
    }
    let gives = places(&|act| matches!(act, Act::Brackets { .. }));
    if !has_base && !gives.iter().any(|at| at < pool) {
        return node.refuse((
            "没有 base，也没有给出金额的 brackets：请写出其一",
            "there is no base, and no brackets that give an amount: say one of them",
        ));
    }
    Some(())
}

/// One rounding, and nothing after it.
fn check_round(node: &Node, nodes: &[Node], rounds: &[usize]) -> Option<()> {
    let place = match rounds {
        [only] if only + 1 == nodes.len() => return Some(()),
        // What stands after the only one.
        [only] => nodes.get(only + 1),
        [] => None,
        [first, ..] => nodes.get(*first),
    };
    place.unwrap_or(node).refuse((
        "步骤以唯一的 \"round\" 结束",
        "steps end with the one \"round\": one before the end is removed, what stands after it goes before",
    ))
}

/// What is whole but probably not meant: limits that never, or always, cut.
pub(super) fn warn(nodes: &[Node], steps: &[Step], per: Level) {
    let mut level = per;
    let mut caps: Vec<(Level, Fen, &Node)> = Vec::new();
    for (node, step) in nodes.iter().zip(steps) {
        match &step.act {
            Act::Sum { by } => level = *by,
            Act::Rate { .. } | Act::Brackets { .. } => caps.clear(),
            Act::Cap { max_fen } => {
                if *max_fen == Fen::ZERO {
                    node.warn(("上限为 0：什么也不发", "a cap of 0 pays nothing"));
                }
                for (_, earlier, other) in &caps {
                    if earlier > max_fen {
                        other.warn((
                            "后面更低的上限使它不起作用",
                            "a lower cap after it makes it idle",
                        ));
                    }
                }
                if caps
                    .iter()
                    .any(|(at, earlier, _)| *at == level && earlier <= max_fen)
                {
                    node.warn((
                        "前面不高于它的上限使它不起作用",
                        "a cap before it that is no higher makes it idle",
                    ));
                }
                caps.push((level, *max_fen, node));
            }
            Act::DropBelow { min_fen }
                if caps
                    .iter()
                    .any(|(at, max, _)| *at == level && max < min_fen) =>
            {
                node.warn((
                    "起付额高于上限：什么也不发",
                    "the floor is above a cap: nothing is paid",
                ));
            }
            Act::RoundDown { unit_fen }
                if caps
                    .iter()
                    .any(|(at, max, _)| *at == level && max < unit_fen) =>
            {
                node.warn((
                    "取整单位高于上限：什么也不发",
                    "the rounding unit is above a cap: nothing is paid",
                ));
            }
            Act::DropBelow { min_fen } if *min_fen == Fen::ZERO => {
                node.warn((
                    "起付额为 0：不起作用，请改正或删去",
                    "a floor of 0 drops nothing; say another or remove it",
                ));
            }
            Act::DropBelow { .. } | Act::RoundDown { .. } | Act::Pool { .. } => {}
        }
    }
}
