//! What a pack says of indicators and grades, in sentences.

use super::condition_words::condition;
use super::explain::{Said, Telling};
use super::words::{grade, measure, said, shape};
use super::{Aggregate, Level, Measure, Peers, Policy, Score, Tie, Value};
use crate::domain::sentence::Sentence;
use std::collections::BTreeMap;

pub(super) fn scores(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    if policy.scores.is_empty() {
        return telling.sentences;
    }
    let of = match policy.evaluation.per {
        Level::Instrument => ("单台仪器", "single instruments"),
        Level::Organization | Level::Service => ("管理单位", "units"),
    };
    telling.say(
        "evaluation",
        "evaluation",
        (
            format!("评价对象：{}。", of.0),
            format!("Evaluated are {}.", of.1),
        ),
    );
    if let Some(only) = &policy.evaluation.only {
        let only = condition(only);
        telling.say(
            "evaluation.only",
            "evaluation",
            (
                format!("只评价：{}。", only.zh),
                format!("Only those are evaluated of which: {}.", only.en),
            ),
        );
    }
    for (at, score) in policy.scores.iter().enumerate() {
        let place = format!("scores[{at}]");
        telling.say(
            format!("scores.{}", score.id),
            &place,
            score_words(policy, score),
        );
    }
    telling.sentences
}

/// A metric by the name that the pack gives it.
fn named(policy: &Policy, of: &Measure) -> Sentence {
    let metrics = policy.metrics.iter();
    let found = metrics
        .filter(|(_, metric)| metric.measure == *of)
        .map(|(name, metric)| Sentence::same(metric.name.as_deref().unwrap_or(name)));
    found.into_iter().next().unwrap_or_else(|| measure(of))
}

fn value_words(policy: &Policy, value: &Value) -> Sentence {
    let name = |of| named(policy, of);
    match value {
        Value::Amount(of) => name(of),
        Value::RatioOfSums { of, to } => ratio_words(&name(of), &name(to), Aggregate::RatioOfSums),
        Value::MeanOfRatios {
            of,
            to,
            each_at_most,
        } => {
            let words = ratio_words(&name(of), &name(to), Aggregate::MeanOfRatios);
            match each_at_most {
                Some(most) => {
                    let most = said(most);
                    (
                        format!("{}（每台最高 {most}）", words.zh),
                        format!("{} (each at most {most})", words.en),
                    )
                        .into()
                }
                None => words,
            }
        }
        Value::MeanAnswer { at_least, .. } => (
            format!("用户评价平均分（少于 {at_least} 份时视为无数据）"),
            format!("the mean points of answers (with fewer than {at_least} there is no data)"),
        )
            .into(),
        Value::Rank { of, within } => {
            let of = name(of);
            let (zh, en) = match within {
                Peers::Kind => ("同类单位", "units of its kind"),
                Peers::All => ("全部单位", "all units"),
            };
            (
                format!("{}在{zh}中的排位", of.zh),
                format!("the place by {} among {en}", of.en),
            )
                .into()
        }
        Value::Points(parts) => {
            let parts: Vec<Sentence> = parts
                .iter()
                .map(|part| {
                    let (of, by) = (value_words(policy, &part.value), shape(&part.shape));
                    let most = part.at_most.as_ref().map(said);
                    let zh = most
                        .as_ref()
                        .map_or(String::new(), |most| format!("，最高 {most} 分"));
                    let en = most.map_or(String::new(), |most| format!(", at most {most} points"));
                    (
                        format!("{}：{}{zh}", of.zh, by.zh),
                        format!("{}: {}{en}", of.en, by.en),
                    )
                        .into()
                })
                .collect();
            let zh: Vec<&str> = parts.iter().map(|part| part.zh.as_str()).collect();
            let en: Vec<&str> = parts.iter().map(|part| part.en.as_str()).collect();
            (
                format!("以下各项得分之和（{}）", zh.join("；")),
                format!("the points of its parts together ({})", en.join("; ")),
            )
                .into()
        }
        Value::Expert => ("专家评分", "the experts' points").into(),
    }
}

fn ratio_words(of: &Sentence, to: &Sentence, aggregate: Aggregate) -> Sentence {
    match aggregate {
        Aggregate::RatioOfSums => (
            format!("{} ÷ {}（合计之比）", of.zh, to.zh),
            format!("{} ÷ {} (of the sums)", of.en, to.en),
        )
            .into(),
        Aggregate::MeanOfRatios => (
            format!("{} ÷ {}（各台之比的平均）", of.zh, to.zh),
            format!("{} ÷ {} (the mean over instruments)", of.en, to.en),
        )
            .into(),
    }
}

/// What the scores are called, by their ids: by the pack's names, else by what they measure.
pub fn indicators(policy: &Policy) -> BTreeMap<String, Sentence> {
    // A metric without a name for people is said in words, not by its key.
    let mut said = policy.clone();
    said.metrics.retain(|_, metric| metric.name.is_some());
    let scores = policy.scores.iter();
    let scores = scores.map(|score| {
        let name = score.name.as_deref().map(Sentence::same);
        let name = name.unwrap_or_else(|| value_words(&said, &score.value));
        (score.id.clone(), name)
    });
    scores.collect()
}

fn score_words(policy: &Policy, score: &Score) -> Sentence {
    let (value, by, max) = (
        value_words(policy, &score.value),
        shape(&score.shape),
        said(&score.max),
    );
    let name = score
        .name
        .as_deref()
        .map_or(String::new(), |name| format!("（{name}）"));
    let empty = said(&score.points_when_empty);
    let is_divided = matches!(
        score.value,
        Value::RatioOfSums { .. }
            | Value::MeanOfRatios { .. }
            | Value::MeanAnswer { .. }
            | Value::Rank { .. }
    );
    let (zh, en) = match is_divided {
        true => (
            format!("；无数据时得 {empty} 分"),
            format!("; without data {empty} points"),
        ),
        false => (String::new(), String::new()),
    };
    let id = &score.id;
    (
        format!("{id}{name}，满分 {max}：{}，{}{zh}。", value.zh, by.zh),
        format!("{id}{name}, at most {max}: {}, {}{en}.", value.en, by.en),
    )
        .into()
}

pub(super) fn grades(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    let Some(rule) = &policy.grades else {
        return telling.sentences;
    };
    let [excellent, good, pass] = [&rule.excellent, &rule.good, &rule.pass].map(said);
    telling.say(
        "grades.thresholds",
        "grades",
        (
            format!("优秀 {excellent} 分及以上，良好 {good} 分及以上，合格 {pass} 分及以上，其余不合格；按精确得分。"),
            format!("Excellent from {excellent}, good from {good}, pass from {pass} points, fail below; by the exact total."),
        ),
    );
    if let Some(quota) = &rule.quota {
        let (share, least) = (said(&quota.share), quota.at_least);
        telling.say(
            "grades.best_quota",
            "grades.best_quota",
            (
                format!("优秀不超过参评数的 {share}（向下取整，至少 {least} 个），其余为良好。"),
                format!("At most {share} of the evaluated are excellent (rounded down, at least {least}); the others are good."),
            ),
        );
    }
    let ties: Vec<&str> = rule
        .ties
        .iter()
        .map(|tie| match tie {
            Tie::Group(group) => group.as_str(),
            Tie::Uscc => "USCC",
        })
        .collect();
    telling.say(
        "grades.ties",
        "grades",
        (
            format!("同分依次比较：{}。", ties.join("、")),
            format!("Equal totals are ordered by {}.", ties.join(", then ")),
        ),
    );
    for (at, veto) in rule.vetoes.iter().enumerate() {
        let (when, most) = (condition(&veto.when), grade(veto.at_most));
        telling.say(
            format!("grades.vetoes[{at}]"),
            "grades",
            (
                format!("{}的，最高为{}。", when.zh, most.zh),
                format!("Whoever is such has at most {}: {}.", most.en, when.en),
            ),
        );
    }
    if rule.adopt {
        telling.say(
            "grades.adopt",
            "grades",
            (
                "已参加上级评价的，采用其结果。",
                "A result from outside stands in place of the computed grade.",
            ),
        );
    }
    telling.sentences
}
