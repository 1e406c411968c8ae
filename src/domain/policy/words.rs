//! The words of the language as people say them, in both languages.

use super::condition_words::{condition, exclusion};
use super::{
    Act, BracketBy, Brackets, Choose, Customers, Deadline, Grade, HostCount, Level, Measure,
    Pooling, Rate, RecordFilter, Shape, Step, Stock, Tally, WeakEvidence,
};
use crate::domain::sentence::Sentence;
use crate::domain::usage::Evidence;
use crate::domain::{Fen, ratio};
use num_rational::BigRational;
use std::collections::BTreeMap;

/// A number.
pub(super) fn said(value: &BigRational) -> String {
    ratio::plain(value)
}

/// Money in yuan.
pub(super) fn amount(fen: Fen) -> Sentence {
    let yuan = ratio::plain(&(ratio::whole(fen.number()) / ratio::whole(100)));
    (format!("{yuan} 元"), format!("{yuan} yuan")).into()
}

pub(super) fn days(within: Deadline) -> Sentence {
    match within {
        Deadline::WorkingDays(days) => {
            (format!("{days} 个工作日"), format!("{days} working days")).into()
        }
        Deadline::Days(days) => (format!("{days} 天"), format!("{days} days")).into(),
    }
}

/// Several sentences as one, parted as each language does.
pub(super) fn joined(parts: &[Sentence], zh: &str, en: &str) -> Sentence {
    let of = |language: fn(&Sentence) -> &str| parts.iter().map(language).collect::<Vec<_>>();
    (of(|one| &one.zh).join(zh), of(|one| &one.en).join(en)).into()
}

/// A grade as people say it.
pub fn grade(grade: Grade) -> Sentence {
    match grade {
        Grade::Excellent => ("优秀", "excellent"),
        Grade::Good => ("良好", "good"),
        Grade::Pass => ("合格", "pass"),
        Grade::Fail => ("不合格", "fail"),
    }
    .into()
}

pub(super) fn customers(who: Customers) -> Sentence {
    match who {
        Customers::All => ("所有用户", "all users"),
        Customers::Host => ("本单位", "the host itself"),
        Customers::NotHost => ("本单位以外", "others than the host"),
        Customers::Internal => ("本单位及关联单位", "the host and its related parties"),
        Customers::Related => ("关联单位", "related parties"),
        Customers::External => (
            "外部用户（非本单位、非关联单位）",
            "external users (neither the host nor a related party)",
        ),
    }
    .into()
}

fn tally(tally: Tally) -> Sentence {
    match tally {
        Tally::EffectiveMinutes => ("有效机时（分钟）", "effective minutes"),
        Tally::PrepareMinutes => ("准备机时（分钟）", "minutes of preparation"),
        Tally::RunMinutes => ("测试机时（分钟）", "minutes of run"),
        Tally::PostMinutes => ("后处理机时（分钟）", "minutes of post-processing"),
        Tally::Records => ("服务次数", "services"),
        Tally::Samples => ("样品数", "samples"),
        Tally::UsingUnits => ("服务单位数", "units served"),
        Tally::Instruments => ("有使用的仪器数", "instruments used"),
        Tally::PayerIncome => (
            "用户支付的收入（分，不含创新券）",
            "income from payers in fen, without vouchers",
        ),
        Tally::VoucherIncome => ("创新券支付的收入（分）", "income from vouchers in fen"),
        Tally::Income => ("收入（分，含创新券）", "income in fen, vouchers included"),
    }
    .into()
}

/// What a metric counts.
pub(super) fn measure(measure: &Measure) -> Sentence {
    match measure {
        Measure::Records(of, filter) => {
            let mut parts = vec![tally(*of), customers(filter.customers)];
            parts.extend(filter_words(filter));
            joined(&parts, "，", ", ")
        }
        Measure::RatedMinutes(hours) => (
            format!(
                "定额机时：通用 {} 小时、专用 {} 小时，按在用天数折算",
                hours.general, hours.special
            ),
            format!(
                "rated minutes: {} hours general, {} special, by days in service",
                hours.general, hours.special
            ),
        )
            .into(),
        Measure::DaysInService => ("在用天数", "days in service").into(),
        Measure::OriginalValue => ("仪器原值（分）", "original value in fen").into(),
        Measure::Instruments(stock) => match stock {
            Stock::Counted => ("计入的仪器数", "counted instruments"),
            Stock::Complete => ("信息完整的仪器数", "instruments with complete entries"),
            Stock::ShouldBeOpen => ("应开放的仪器数", "instruments that should be open"),
            Stock::ExternallyShared => ("对外共享的仪器数", "externally shared instruments"),
        }
        .into(),
        Measure::Count(count) => match count {
            HostCount::RegistrationsDue => ("应登记的仪器数", "registrations due"),
            HostCount::RegistrationsOnTime => ("按时登记的仪器数", "registrations on time"),
            HostCount::RequestsReceived => ("收到的外部申请数", "requests received from outside"),
            HostCount::RequestsAnswered => ("及时答复的外部申请数", "requests answered in time"),
        }
        .into(),
        Measure::Answers(_) => ("用户评价", "customers' answers").into(),
        Measure::Reported(name) => (
            format!("填报数 {name}"),
            format!("the reported number {name}"),
        )
            .into(),
        Measure::Sum(parts) => {
            let parts: Vec<Sentence> = parts
                .iter()
                .map(|(weight, part)| {
                    let (weight, part) = (said(weight), self::measure(part));
                    (
                        format!("{weight} × {}", part.zh),
                        format!("{weight} × {}", part.en),
                    )
                        .into()
                })
                .collect();
            joined(&parts, " + ", " + ")
        }
    }
}

fn filter_words(filter: &RecordFilter) -> Vec<Sentence> {
    let mut parts = Vec::new();
    parts.extend(filter.drop_weak_evidence.as_ref().map(weak));
    if let Some(only) = &filter.only {
        let only = condition(only);
        parts.push(
            (
                format!("只计{}", only.zh),
                format!("only where {}", only.en),
            )
                .into(),
        );
    }
    for one in &filter.exclude {
        let words = exclusion(one);
        parts.push((format!("不计{}", words.zh), format!("without {}", words.en)).into());
    }
    parts
}

fn weak(weak: &WeakEvidence) -> Sentence {
    let classes = weak.classes.iter().map(|class| match class {
        Evidence::Automatic => "设备自动",
        Evidence::Confirmed => "平台确认",
        Evidence::Manual => "人工录入",
    });
    let classes: Vec<&str> = classes.collect();
    let codes: Vec<&str> = weak.classes.iter().map(|class| class.as_str()).collect();
    let (zh, from) = (classes.join("、"), amount(weak.value_fen_from));
    (
        format!("原值 {} 及以上仪器的{zh}记录不计", from.zh),
        format!(
            "without {} evidence on instruments worth {} or more",
            codes.join(" or "),
            from.en
        ),
    )
        .into()
}

/// How a value becomes points.
pub(super) fn shape(shape: &Shape) -> Sentence {
    match shape {
        Shape::Linear { full_at, .. } => {
            let full = said(full_at);
            (
                format!("达到 {full} 得满分，以下按比例"),
                format!("all points from {full}, below in proportion"),
            )
                .into()
        }
        Shape::PerUnit { per, each, whole } => {
            let (per, each) = (said(per), said(each));
            let (zh, en) = match whole {
                true => ("（只计整份）", " (full ones only)"),
                false => ("", ""),
            };
            (
                format!("每 {per} 得 {each} 分{zh}"),
                format!("{each} points per {per}{en}"),
            )
                .into()
        }
        Shape::Steps(steps) => {
            let parts: Vec<Sentence> = steps
                .iter()
                .map(|(from, points)| {
                    let (from, points) = (said(from), said(points));
                    (
                        format!("{from} 及以上得 {points} 分"),
                        format!("{points} points from {from}"),
                    )
                        .into()
                })
                .collect();
            joined(&parts, "，", ", ")
        }
        Shape::Curve(points) => {
            let parts: Vec<String> = points
                .iter()
                .map(|(at, points)| format!("({}, {})", said(at), said(points)))
                .collect();
            let parts = parts.join(" ");
            (format!("按折线 {parts}"), format!("along the line {parts}")).into()
        }
    }
}

/// What a step does.
pub(super) fn step_words(step: &Step) -> Sentence {
    let act = act(&step.act);
    let named = step.name.as_deref();
    let act: Sentence = match named {
        Some(name) => (format!("{name}：{}", act.zh), format!("{name}: {}", act.en)).into(),
        None => act,
    };
    match &step.when {
        Some(when) => {
            let when = condition(when);
            (
                format!("{}的，{}", when.zh, act.zh),
                format!("{}, where {}", act.en, when.en),
            )
                .into()
        }
        None => act,
    }
}

fn act(act: &Act) -> Sentence {
    match act {
        Act::Rate {
            choose,
            rates,
            times_grade,
        } => {
            let rate = rate_words(*choose, rates);
            match times_grade.is_empty() {
                true => rate,
                false => joined(&[rate, grade_words(times_grade)], "，", ", "),
            }
        }
        Act::Brackets { by, brackets } => bracket_words(*by, brackets),
        Act::Cap { max_fen } => {
            let max = amount(*max_fen);
            (format!("最高 {}", max.zh), format!("at most {}", max.en)).into()
        }
        Act::Sum { by } => match by {
            Level::Instrument => ("按仪器合计", "sum by instrument"),
            Level::Organization | Level::Service => ("按单位合计", "sum by unit"),
        }
        .into(),
        Act::DropBelow { min_fen } => {
            let min = amount(*min_fen);
            (
                format!("低于 {} 的不发", min.zh),
                format!("nothing below {}", min.en),
            )
                .into()
        }
        Act::Pool { pool, how } => pool_words(pool.as_deref(), *how),
        Act::RoundDown { unit_fen } => {
            let unit = amount(*unit_fen);
            (
                format!("向下取整到 {}，余额不发", unit.zh),
                format!("rounded down to {}, the rest stays unspent", unit.en),
            )
                .into()
        }
    }
}

fn grade_words(times_grade: &BTreeMap<Grade, BigRational>) -> Sentence {
    let by_grade: Vec<Sentence> = times_grade
        .iter()
        .map(|(of, coefficient)| {
            let (of, coefficient) = (grade(*of), said(coefficient));
            (
                format!("{} {coefficient}", of.zh),
                format!("{} {coefficient}", of.en),
            )
                .into()
        })
        .collect();
    let by_grade = joined(&by_grade, "、", ", ");
    (
        format!("乘等次系数（{}）", by_grade.zh),
        format!("times the coefficient of the grade ({})", by_grade.en),
    )
        .into()
}

fn pool_words(pool: Option<&str>, how: Pooling) -> Sentence {
    let how: Sentence = match how {
        Pooling::ProRata => (
            "超出预算时，全部按同一比例折减",
            "over the budget, all are cut by one factor",
        ),
        Pooling::FirstCome => (
            "先到先得，发完为止",
            "first come, first served until it is spent",
        ),
        Pooling::None => (
            "不折减；合计超出预算即为错误",
            "nothing is cut; a sum over the budget is refused",
        ),
    }
    .into();
    match pool {
        None => how,
        Some(pool) => (
            format!("资金池 {pool}：{}", how.zh),
            format!("pool {pool}: {}", how.en),
        )
            .into(),
    }
}

fn rate_words(choose: Choose, rates: &[Rate]) -> Sentence {
    let parts: Vec<Sentence> = rates
        .iter()
        .map(|rate| {
            let value = said(&rate.rate);
            match &rate.when {
                Some(when) => {
                    let when = condition(when);
                    (
                        format!("{value}（{}）", when.zh),
                        format!("{value} ({})", when.en),
                    )
                        .into()
                }
                None => Sentence::same(value),
            }
        })
        .collect();
    let rates = joined(&parts, "、", ", ");
    if let [_] = parts.as_slice() {
        return (
            format!("乘比例 {}", rates.zh),
            format!("times the rate {}", rates.en),
        )
            .into();
    }
    let (zh, en) = match choose {
        Choose::Highest => ("取最高者", "the highest that holds"),
        Choose::First => ("取最先符合者", "the first that holds"),
        Choose::Sum => ("取符合者之和", "the sum of those that hold"),
    };
    (
        format!("乘比例 {}，{zh}", rates.zh),
        format!("times the rate {}, {en}", rates.en),
    )
        .into()
}

fn bracket_words(by: BracketBy, brackets: &Brackets) -> Sentence {
    let of: Sentence = match by {
        BracketBy::Amount => ("金额", "the amount"),
        BracketBy::OriginalValue | BracketBy::Value => ("仪器原值", "the original value"),
    }
    .into();
    let (how, pairs): (Sentence, _) = match brackets {
        Brackets::Fen(pairs) => (("定额（分）", "so many fen").into(), pairs),
        Brackets::WholeRate(pairs) => (("全额适用的比例", "a rate on the whole").into(), pairs),
        Brackets::Marginal(pairs) => (
            ("超额累进的比例", "a rate on what lies in the bracket").into(),
            pairs,
        ),
    };
    let parts: Vec<Sentence> = pairs
        .iter()
        .map(|(from, value)| {
            let (from, value) = (said(from), said(value));
            (
                format!("{from} 起 {value}"),
                format!("from {from}: {value}"),
            )
                .into()
        })
        .collect();
    let parts = joined(&parts, "，", ", ");
    (
        format!("按{}分档，{}：{}", of.zh, how.zh, parts.zh),
        format!("by brackets of {}, {}: {}", of.en, how.en, parts.en),
    )
        .into()
}
