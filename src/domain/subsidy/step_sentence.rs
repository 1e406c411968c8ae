//! A step of an award in a sentence, with its amounts in yuan.

use super::steps::StepName;
use crate::domain::ratio;
use crate::domain::sentence::Sentence;
use num_rational::BigRational;
use std::collections::BTreeMap;

/// Fen as yuan with 2 decimals, rounded half up.
pub fn yuan(fen: &BigRational) -> String {
    ratio::decimal(&(fen / ratio::whole(100)), 2)
}

/// What a step did with an amount; `operands` are those that are kept with it.
pub fn step_sentence(
    step: StepName,
    operands: &BTreeMap<String, String>,
    before: &BigRational,
    after: &BigRational,
) -> Sentence {
    let number = |name: &str| {
        let text = operands.get(name)?;
        ratio::parse_exact(text).ok()
    };
    let money = |name: &str| number(name).map(|fen| yuan(&fen)).unwrap_or_default();
    let (from, to) = (yuan(before), yuan(after));
    match step {
        StepName::Base if before == after => (
            format!("计入基数 {to} 元"),
            format!("{to} yuan are in the base"),
        ),
        StepName::Base => (
            format!("收入 {from} 元，其中 {to} 元计入基数"),
            format!("of {from} yuan of income {to} are in the base"),
        ),
        StepName::Rate => return rate(operands, &from, &to),
        StepName::Brackets => (
            format!("按分档计 {to} 元"),
            format!("by its bracket {to} yuan"),
        ),
        StepName::Cap if before > after => (
            format!("{from} 元超过上限 {} 元，计 {to} 元", money("max_fen")),
            format!(
                "{from} yuan are over the cap of {}: {to} yuan",
                money("max_fen")
            ),
        ),
        StepName::Cap => (
            format!("未超过上限 {} 元，仍为 {to} 元", money("max_fen")),
            format!("within the cap of {}: {to} yuan", money("max_fen")),
        ),
        StepName::Sum => match operands.get("services") {
            Some(services) => (
                format!("{services} 项服务合计 {to} 元"),
                format!("{services} services together: {to} yuan"),
            ),
            None => {
                let instruments = operands.get("instruments").map_or("0", String::as_str);
                (
                    format!("{instruments} 台仪器合计 {to} 元"),
                    format!("{instruments} instruments together: {to} yuan"),
                )
            }
        },
        StepName::DropBelow if before > after => (
            format!("{from} 元低于起付线 {} 元，不予发放", money("min_fen")),
            format!(
                "{from} yuan are below {}: nothing is paid",
                money("min_fen")
            ),
        ),
        StepName::DropBelow => (
            format!("起付线 {} 元，仍为 {to} 元", money("min_fen")),
            format!("nothing below {} is paid: {to} yuan", money("min_fen")),
        ),
        StepName::Pool => return pool(number("factor"), &money, &from, &to),
        StepName::Round => (
            format!("向下取整到 {} 元：{to} 元", money("unit_fen")),
            format!("rounded down to {} yuan: {to} yuan", money("unit_fen")),
        ),
    }
    .into()
}

fn rate(operands: &BTreeMap<String, String>, from: &str, to: &str) -> Sentence {
    let plain = |name: &str| {
        let value = operands.get(name)?;
        Some(ratio::plain(&ratio::parse_exact(value).ok()?))
    };
    let rate = plain("rate").unwrap_or_default();
    let Some(coefficient) = plain("coefficient") else {
        return (
            format!("{from} 元 × 比例 {rate} = {to} 元"),
            format!("{from} yuan × rate {rate} = {to} yuan"),
        )
            .into();
    };
    let grade = operands.get("grade").and_then(|word| word.parse().ok());
    let grade = grade.map(crate::domain::policy::grade_words);
    let grade = grade.unwrap_or_else(|| ("无等次", "no grade").into());
    (
        format!(
            "{from} 元 × 比例 {rate} × {}系数 {coefficient} = {to} 元",
            grade.zh
        ),
        format!(
            "{from} yuan × rate {rate} × {coefficient} for {} = {to} yuan",
            grade.en
        ),
    )
        .into()
}

fn pool(
    factor: Option<BigRational>,
    money: &impl Fn(&str) -> String,
    from: &str,
    to: &str,
) -> Sentence {
    match factor {
        Some(factor) => {
            let (budget, sum) = (money("budget_fen"), money("sum_before_pool_fen"));
            let factor = ratio::decimal(&factor, 4);
            (
                format!("预算 {budget} 元，各单位合计 {sum} 元，系数 {factor}：{from} 元计 {to} 元"),
                format!("budget {budget} yuan, all together {sum} yuan, factor {factor}: {to} of {from} yuan"),
            )
        }
        None => {
            let left = money("left_fen");
            (
                format!("先到先得，预算尚余 {left} 元：{from} 元计 {to} 元"),
                format!("first come, first served, {left} yuan were left: {to} of {from} yuan"),
            )
        }
    }
    .into()
}
