//! From the untyped tree to a [`Policy`], or to every mistake in it at once, and to what is whole but probably wrong.

use super::parameter::{self, Values};
use super::raw::{Findings, Node, Table};
use super::{
    Award, Checked, Deadline, Discipline, Duty, EvaluationRule, Grades, Level, Notice, Policy,
    PolicyMistake, Purchase, Raw, Registration, Requests, Score, award, condition, grades, metric,
    score, year,
};
use crate::domain::{Fen, MAX_SAFE_INTEGER, ratio};
use chrono::NaiveDate;
use num_traits::Zero;

/// Checks a pack with values for its parameters; those not given are what the pack says by default. Mistakes and warnings
/// come in the order of their lines.
pub fn check(raw: &Raw, given: &Values) -> Result<Checked, Vec<PolicyMistake>> {
    let findings = Findings::default();
    let policy = read(&Node::root(raw, &findings), given);
    let mut mistakes = findings.mistakes.into_inner();
    mistakes.sort();
    mistakes.dedup();
    let mut warnings = findings.warnings.into_inner();
    warnings.sort();
    warnings.dedup();
    match policy {
        Some(policy) if mistakes.is_empty() => Ok(Checked {
            policy: Policy {
                sources: findings.sources.into_inner(),
                parameter_places: findings.places.into_inner(),
                ..policy
            },
            warnings,
        }),
        _ => Err(mistakes),
    }
}

/// What names a pack.
struct Head {
    code: String,
    version: i64,
    title: String,
    issuer: String,
    document_no: Option<String>,
    published_on: Option<NaiveDate>,
}

/// What is evaluated, and what is paid.
struct Judging {
    metrics: metric::Metrics,
    scores: Vec<Score>,
    grades: Option<Grades>,
    awards: Vec<Award>,
}

fn read(root: &Node, given: &Values) -> Option<Policy> {
    let table = root.table()?;
    let head = read_head(&table);
    let parameters = part(&table, "parameters", |node| {
        parameter::read_all(node, given)
    });
    let registration = part(&table, "registration", read_registration);
    let requests = part(&table, "requests", read_requests);
    let year = table.required("year").and_then(|node| year::read(&node));
    let pools = part(&table, "pools", read_pools);
    let evaluation = part(&table, "evaluation", read_evaluation);
    let notice = part(&table, "notice", read_notice);
    let discipline = part(&table, "discipline", read_discipline);
    let duty = part(&table, "duty", read_duty);
    let purchase = part(&table, "purchase", read_purchase);
    let per = match &evaluation {
        Some(Some(evaluation)) => evaluation.per,
        _ => Level::Organization,
    };
    let names = pools.clone().flatten().unwrap_or_default();
    let judging = read_judging(&table, per, &names);
    table.finish();
    for (name, is_mistake) in [
        ("requests", true),
        ("registration", false),
        ("grades", false),
    ] {
        if !table.has(name) {
            root.lacks(name, is_mistake);
        }
    }
    let (judging, requests) = (judging?, requests?);
    if let Some(node) = table.optional("grades")
        && judging.scores.is_empty()
    {
        node.refuse::<()>((
            "没有得分就没有等次：请写出 [[scores]]，或删去 [grades]",
            "[grades] need [[scores]]: say them, or remove [grades]",
        ));
    }
    warn_of_idle(&table, &judging.awards);
    let head = head?;
    Some(Policy {
        code: head.code,
        version: head.version,
        title: head.title,
        issuer: head.issuer,
        document_no: head.document_no,
        published_on: head.published_on,
        parameters: parameters?.unwrap_or_default(),
        registration: registration?,
        requests,
        year: year?,
        pools: pools?.unwrap_or_default(),
        evaluation: evaluation?.unwrap_or_default(),
        metrics: judging.metrics.into_metrics(),
        scores: judging.scores,
        grades: judging.grades,
        awards: judging.awards,
        notice: notice?.unwrap_or_default(),
        discipline: discipline?.unwrap_or_default(),
        duty: duty?,
        purchase: purchase?,
        sources: Vec::new(),
        parameter_places: Vec::new(),
    })
}

/// Metrics, and what names them. Without metrics nothing that names one can be judged; their own mistakes are told first.
fn read_judging(table: &Table, per: Level, pools: &[String]) -> Option<Judging> {
    let metrics = table
        .required("metrics")
        .and_then(|node| metric::read_all(&node));
    let (scores, awards) = (table.optional("scores"), table.optional("awards"));
    if scores.is_none() && awards.is_none() {
        table.node.refuse::<()>((
            "[[scores]] 和 [[awards]] 至少有一个",
            "a pack has [[scores]] or [[awards]], or both",
        ));
    }
    let read_scores = |node: &Node| {
        let known = metrics.as_ref()?;
        score::read_all(node, known, per == Level::Instrument)
    };
    let scores = match scores {
        Some(node) => read_scores(&node).inspect(|scores| warn_of_maxima(&node, scores)),
        None => Some(Vec::new()),
    };
    let awards = match awards {
        Some(node) => metrics
            .as_ref()
            .and_then(|known| award::read_all(&node, known, pools)),
        None => Some(Vec::new()),
    };
    let grades = part(table, "grades", |node| {
        grades::read(node, scores.as_deref())
    });
    Some(Judging {
        metrics: metrics?,
        scores: scores?,
        grades: grades?,
        awards: awards?,
    })
}

/// A table that may be absent: `Some(None)`. With a mistake in it: `None`.
fn part<'a, T>(
    table: &Table<'a>,
    name: &'static str,
    read: impl Fn(&Node<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match table.optional(name) {
        Some(node) => read(&node).map(Some),
        None => Some(None),
    }
}

/// Pools that pay nothing, and parameters that no value names.
fn warn_of_idle(table: &Table, awards: &[Award]) {
    let named = |name: &'static str| table.optional(name).and_then(|node| node.table());
    for (pool, node) in named("pools").iter().flat_map(|own| own.entries()) {
        if !awards.iter().any(|award| award.pool() == Some(pool)) {
            node.warn((
                format!("资金池 {pool:?} 没有补助：请在某项补助的 \"pool\" 步骤中写出它，或删去"),
                format!("no award is paid from pool {pool:?}: name it in the \"pool\" step of one, or remove it"),
            ));
        }
    }
    for (parameter, node) in named("parameters").iter().flat_map(|own| own.entries()) {
        if !node.is_named(parameter) {
            node.warn((
                format!("参数 {parameter:?} 没有用到：请在某个值处写 \"${parameter}\"，或删去"),
                format!("no value names parameter {parameter:?}: write \"${parameter}\" where it counts, or remove it"),
            ));
        }
    }
}

fn warn_of_maxima(node: &Node, scores: &[super::Score]) {
    let sum = scores
        .iter()
        .fold(num_rational::BigRational::zero(), |sum, score| {
            sum + &score.max
        });
    if sum != ratio::whole(100) {
        let sum = ratio::plain(&sum);
        node.warn((
            format!("各项满分合计 {sum}，不是 100"),
            format!("the maxima sum to {sum}, not to 100"),
        ));
    }
}

fn read_head(table: &Table) -> Option<Head> {
    let code = table.required("code").and_then(|node| read_code(&node));
    let version = table
        .required("version")
        .and_then(|node| node.integer(1..=MAX_SAFE_INTEGER));
    let title = table.required("title").and_then(|node| node.text());
    let issuer = table.required("issuer").and_then(|node| node.text());
    let document_no = table.optional("document_no").and_then(|node| node.text());
    let published_on = table
        .optional("published_on")
        .and_then(|node| read_date(&node));
    Some(Head {
        code: code?,
        version: version?,
        title: title?.to_owned(),
        issuer: issuer?.to_owned(),
        document_no: document_no.map(str::to_owned),
        published_on,
    })
}

fn read_code(node: &Node) -> Option<String> {
    let code = node.text()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if code.len() <= 64 && code.bytes().all(plain) {
        Some(code.to_owned())
    } else {
        node.refuse((
            "代码最多 64 个小写字母、数字和连字符",
            "a code has at most 64 lower-case letters, digits and hyphens",
        ))
    }
}

pub(super) fn read_date(node: &Node) -> Option<NaiveDate> {
    match node.text()?.parse() {
        Ok(date) => Some(date),
        Err(_) => {
            let said = node.text()?;
            node.refuse((
                format!("{said:?} 不是日期：日期应写成 \"2026-03-01\""),
                format!("{said:?} is no day: a date is written \"2026-03-01\""),
            ))
        }
    }
}

/// Days of one of two kinds, each under its own key.
fn read_deadline(table: &Table, working: &'static str, calendar: &'static str) -> Option<Deadline> {
    match (table.optional(working), table.optional(calendar)) {
        (Some(node), None) => node.integer(1..=366).map(Deadline::WorkingDays),
        (None, Some(node)) => node.integer(1..=366).map(Deadline::Days),
        (Some(node), Some(_)) => node.refuse((
            format!("{working} 与 {calendar} 只能有一个"),
            format!("either {working} or {calendar}"),
        )),
        (None, None) => table.required(working).and(None),
    }
}

fn read_registration(node: &Node) -> Option<Registration> {
    let table = node.table()?;
    let threshold = table
        .required("threshold_fen")
        .and_then(|node| read_value_fen(&node));
    let within = read_deadline(&table, "report_within_working_days", "report_within_days");
    table.finish();
    Some(Registration {
        threshold_fen: Fen::new(threshold?),
        report_within: within?,
    })
}

fn read_requests(node: &Node) -> Option<Requests> {
    let table = node.table()?;
    let days = table
        .required("answer_within_working_days")
        .and_then(|node| node.integer(1..=366));
    table.finish();
    Some(Requests {
        answer_within_working_days: days?,
    })
}

fn read_pools(node: &Node) -> Option<Vec<String>> {
    let table = node.table()?;
    let mut pools = Vec::new();
    for (name, node) in table.entries() {
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return node.refuse((
                "资金池名为小写字母、数字、连字符和下划线，最多 64 个字符",
                "a pool is small letters, digits, hyphens and _, at most 64 characters",
            ));
        }
        let own = node.table()?;
        own.name();
        own.finish();
        pools.push(name.to_owned());
    }
    if pools.is_empty() {
        return node.refuse(("至少一个资金池", "[pools] has at least one"));
    }
    pools.sort();
    Some(pools)
}

fn read_evaluation(node: &Node) -> Option<EvaluationRule> {
    let table = node.table()?;
    let per = match table.optional("per") {
        Some(node) => match node.word()? {
            Level::Service => node.refuse((
                "评价对象为 \"organization\" 或 \"instrument\"",
                "evaluated are \"organization\" or \"instrument\"",
            )),
            per => Some(per),
        },
        None => Some(Level::Organization),
    };
    let only = part(&table, "only", |node| {
        condition::read(node, &grades::of_hosts)
    });
    table.finish();
    Some(EvaluationRule {
        per: per?,
        only: only?,
    })
}

fn read_notice(node: &Node) -> Option<Notice> {
    let table = node.table()?;
    let given = table.has("working_days") || table.has("days");
    let lasts = match given {
        true => read_deadline(&table, "working_days", "days"),
        false => Some(Notice::default().lasts),
    };
    let decided = match table.optional("objection_decided_within_working_days") {
        Some(node) => node.integer(1..=366),
        None => Some(Notice::default().objection_decided_within_working_days),
    };
    table.finish();
    Some(Notice {
        lasts: lasts?,
        objection_decided_within_working_days: decided?,
    })
}

fn read_discipline(node: &Node) -> Option<Discipline> {
    let table = node.table()?;
    let number = |name, most| table.required(name).and_then(|node| node.integer(1..=most));
    let (strikes, within, suspended) = (
        number("strikes", 1_000),
        number("within_days", 3_660),
        number("suspended_days", 3_660),
    );
    table.finish();
    Some(Discipline {
        strikes: strikes?,
        within_days: within?,
        suspended_days: suspended?,
    })
}

/// A share of all, at most 1.
fn read_share(node: &Node) -> Option<num_rational::BigRational> {
    let share = node.decimal()?;
    if share > ratio::whole(1) {
        let said = ratio::plain(&share);
        node.warn((
            format!("比例 {said} 大于 1，没有单位能达到；80 % 写成 \"0.80\""),
            format!("a share of {said} is above 1 and never reached; 80 % is written \"0.80\""),
        ));
    }
    Some(share)
}

fn read_duty(node: &Node) -> Option<Duty> {
    let table = node.table()?;
    let complies = table.required("complies").and_then(|node| {
        let table = node.table()?;
        let most = |name| match table.optional(name) {
            Some(node) => node.integer(0..=MAX_SAFE_INTEGER).map(Some),
            None => Some(None),
        };
        let (late, missing) = (most("late_at_most"), most("missing_at_most"));
        let shared = part(&table, "externally_shared_at_least", read_share);
        table.finish();
        Some(Duty {
            late_at_most: late?,
            missing_at_most: missing?,
            externally_shared_at_least: shared?,
        })
    });
    table.finish();
    complies
}

/// The value of an instrument.
fn read_value_fen(node: &Node) -> Option<i64> {
    let fen = node.integer(0..=MAX_SAFE_INTEGER)?;
    node.warn_of_yuan(fen);
    Some(fen)
}

fn read_purchase(node: &Node) -> Option<Purchase> {
    let table = node.table()?;
    let review = part(&table, "review_from_fen", |node| {
        read_value_fen(node).map(Fen::new)
    });
    let warn = part(&table, "warn_when_similar_idle", Node::boolean);
    table.finish();
    Some(Purchase {
        review_from_fen: review?,
        warn_when_similar_idle: warn?.unwrap_or(false),
    })
}

/// A required key with the one word that is known for it.
pub(super) fn only(table: &Table, name: &'static str, word: &str) -> Option<()> {
    table.required(name).and_then(|node| node.only(word))
}

/// The same of a key that may be absent.
pub(super) fn only_optional(table: &Table, name: &'static str, word: &str) -> Option<()> {
    match table.optional(name) {
        Some(node) => node.only(word),
        None => Some(()),
    }
}
