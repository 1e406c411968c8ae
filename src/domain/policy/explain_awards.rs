//! What a pack says of awards and their steps, in sentences.

use super::condition_words::{condition, exclusion};
use super::explain::{Said, Telling};
use super::words::step_words;
use super::{Award, Base, Level, Policy, Recipient};
use crate::domain::sentence::Sentence;

pub(super) fn awards(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    for (at, award) in policy.awards.iter().enumerate() {
        let place = format!("awards[{at}]");
        let code = &award.code;
        telling.say(format!("awards.{code}"), &place, award_words(policy, award));
        if let Some(only) = &award.only {
            let only = condition(only);
            telling.say(
                format!("awards.{code}.only"),
                &place,
                (
                    format!("只计：{}。", only.zh),
                    format!("Only what is such counts: {}.", only.en),
                ),
            );
        }
        if !award.exclude.is_empty() {
            let words: Vec<Sentence> = award.exclude.iter().map(exclusion).collect();
            let zh: Vec<&str> = words.iter().map(|one| one.zh.as_str()).collect();
            let en: Vec<&str> = words.iter().map(|one| one.en.as_str()).collect();
            telling.say(
                format!("awards.{code}.exclude"),
                &place,
                (
                    format!("不计：{}。", zh.join("、")),
                    format!("Left out: {}.", en.join(", ")),
                ),
            );
        }
        if let Some(regions) = &award.user_regions {
            telling.say(
                format!("awards.{code}.user_regions"),
                &place,
                (
                    format!("使用单位的注册地代码以 {} 开头。", regions.join("、")),
                    format!(
                        "Using units are registered in {} (leading digits).",
                        regions.join(", ")
                    ),
                ),
            );
        }
        if award.once_per_project {
            telling.say(
                format!("awards.{code}.once_per"),
                &place,
                ("同一项目只补助一次。", "A project is paid once."),
            );
        }
        for (number, step) in award.steps.iter().enumerate() {
            let words = step_words(step);
            telling.say(
                format!("awards.{code}.steps[{number}]"),
                &format!("{place}.steps[{number}]"),
                (
                    format!("第 {} 步：{}。", number + 1, words.zh),
                    format!("Step {}: {}.", number + 1, words.en),
                ),
            );
        }
    }
    telling.sentences
}

fn award_words(policy: &Policy, award: &Award) -> Sentence {
    let recipient: Sentence = match award.recipient {
        Recipient::Host => ("管理单位", "the managing unit").into(),
        Recipient::User => ("使用单位", "the using unit").into(),
    };
    let per: Sentence = match award.per {
        Level::Service => ("每次服务", "each service").into(),
        Level::Instrument => ("每台仪器", "each instrument").into(),
        Level::Organization => ("每个单位", "each unit").into(),
    };
    let base: Sentence = match &award.base {
        Base::Metric { name, .. } => {
            let metric = policy.metrics.get(name);
            Sentence::same(
                metric
                    .and_then(|metric| metric.name.clone())
                    .unwrap_or_else(|| name.clone()),
            )
        }
        Base::Award(code) => (
            format!("补助 {code} 的金额"),
            format!("what award {code} pays"),
        )
            .into(),
        Base::Nothing => ("由分档给出", "given by brackets").into(),
    };
    let name = award.name.as_deref().unwrap_or(&award.code);
    (
        format!(
            "{name}：补助{}，按{}计，基数：{}。",
            recipient.zh, per.zh, base.zh
        ),
        format!(
            "{name}: paid to {}, by {}, base: {}.",
            recipient.en, per.en, base.en
        ),
    )
        .into()
}
