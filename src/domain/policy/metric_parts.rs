//! The smaller tables of a metric: rated hours, points of customers' answers, weak evidence, the name of a reported number.

use super::measure::{RatedHours, SatisfactionPoints, WeakEvidence};
use super::raw::{Node, Table};
use crate::domain::review::Satisfaction;
use crate::domain::{Fen, MAX_SAFE_INTEGER};
use num_rational::BigRational;
use std::collections::BTreeMap;

pub(super) fn read_rated_hours(table: &Table) -> Option<RatedHours> {
    let hours = table.required("hours").and_then(|node| node.table());
    let hours = hours.and_then(|hours| {
        let of = |name| {
            let node = hours.required(name);
            node.and_then(|node| node.integer(0..=8_784))
        };
        let (general, special) = (of("general"), of("special"));
        hours.finish();
        Some(RatedHours {
            general: general?,
            special: special?,
        })
    });
    let prorated = super::check::only(table, "prorate_by", "days_in_service");
    let rounded = super::check::only(table, "round", "floor");
    prorated.and(rounded).and(hours)
}

pub(super) fn read_points(table: &Table) -> Option<SatisfactionPoints> {
    let points = table.required("points")?.table()?;
    let mut by_level: BTreeMap<Satisfaction, BigRational> = BTreeMap::new();
    let mut better: Option<BigRational> = None;
    for level in Satisfaction::ALL {
        let node = points.required(level.as_str());
        let Some((node, value)) = node.and_then(|node| node.decimal().map(|value| (node, value)))
        else {
            continue;
        };
        if better.as_ref().is_some_and(|better| *better < value) {
            node.warn((
                "较差的评价得分更高：请检查各级分值",
                "a worse answer has more points than a better one; check the levels",
            ));
        }
        better = Some(value.clone());
        by_level.insert(*level, value);
    }
    points.finish();
    (by_level.len() == Satisfaction::ALL.len()).then(|| SatisfactionPoints::new(by_level))
}

pub(super) fn read_weak_evidence(node: &Node) -> Option<WeakEvidence> {
    let table = node.table()?;
    let classes = table
        .required("classes")
        .and_then(|node| node.each(Node::word));
    let value_fen_from = table.required("value_fen_from").and_then(|node| {
        let from = node.integer(0..=MAX_SAFE_INTEGER)?;
        node.warn_of_yuan(from);
        if from == 0 {
            node.warn((
                "从 0 起：每台仪器都在内，请写出金额（分）",
                "from 0 is every instrument; say the value in fen",
            ));
        }
        Some(from)
    });
    table.finish();
    Some(WeakEvidence {
        classes: classes?,
        value_fen_from: Fen::new(value_fen_from?),
    })
}

pub(super) fn read_reported_name(node: &Node, name: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    match (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        true => Some(name.to_owned()),
        false => node.refuse((
            "填报数的名称为小写字母、数字和下划线，最多 64 个字符",
            "the name of a reported number is small letters, digits and _, at most 64 characters",
        )),
    }
}
