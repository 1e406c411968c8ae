//! A pack in sentences that an officer can hold beside the official document, in both languages; and what differs between two.

use super::words::{amount, days, measure, said};
use super::{Deadline, IncomeBy, Policy, Source, explain_awards, explain_scores};
use crate::domain::sentence::Sentence;
use std::collections::BTreeMap;

/// One part of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub key: &'static str,
    pub heading: Sentence,
    pub sentences: Vec<Said>,
}

/// One sentence, with the key of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub key: String,
    pub text: Sentence,
    /// Where the pack says so.
    pub source: Option<Source>,
}

/// Something that two packs say differently; `None`: it says nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub key: String,
    pub before: Option<Sentence>,
    pub after: Option<Sentence>,
}

/// What differs, in the order of the second pack; what only the first says comes last.
pub fn differences(before: &Policy, after: &Policy) -> Vec<Difference> {
    let said = |policy: &Policy| -> Vec<Said> {
        let sections = explain(policy).into_iter();
        sections.flat_map(|section| section.sentences).collect()
    };
    let mut earlier: BTreeMap<String, Sentence> = said(before)
        .into_iter()
        .map(|one| (one.key, one.text))
        .collect();
    let mut found = Vec::new();
    for one in said(after) {
        let other = earlier.remove(&one.key);
        if other.as_ref() != Some(&one.text) {
            found.push(Difference {
                key: one.key,
                before: other,
                after: Some(one.text),
            });
        }
    }
    found.extend(earlier.into_iter().map(|(key, text)| Difference {
        key,
        before: Some(text),
        after: None,
    }));
    found
}

/// Everything a pack says.
pub fn explain(policy: &Policy) -> Vec<Section> {
    let sections = [
        section("head", ("一、方案", "1. The pack"), head(policy)),
        section("year", ("二、年度", "2. The year"), year(policy)),
        section(
            "metrics",
            ("三、统计口径", "3. What is counted"),
            metrics(policy),
        ),
        section(
            "scores",
            ("四、评价指标", "4. Indicators"),
            explain_scores::scores(policy),
        ),
        section(
            "grades",
            ("五、等次", "5. Grades"),
            explain_scores::grades(policy),
        ),
        section(
            "awards",
            ("六、补助", "6. Awards"),
            explain_awards::awards(policy),
        ),
        section(
            "notice",
            ("七、公示与管理", "7. Notice and duties"),
            notice(policy),
        ),
    ];
    let told = sections.into_iter();
    told.filter(|section| !section.sentences.is_empty())
        .collect()
}

fn section(key: &'static str, heading: (&str, &str), sentences: Vec<Said>) -> Section {
    Section {
        key,
        heading: heading.into(),
        sentences,
    }
}

/// Collects sentences, and finds the source of each by its place in the pack.
pub(super) struct Telling<'a> {
    policy: &'a Policy,
    pub sentences: Vec<Said>,
}

impl<'a> Telling<'a> {
    pub const fn of(policy: &'a Policy) -> Self {
        Self {
            policy,
            sentences: Vec::new(),
        }
    }

    pub fn say(&mut self, key: impl Into<String>, place: &str, text: impl Into<Sentence>) {
        let sources = self.policy.sources.iter();
        let source = sources
            .filter(|(path, _)| path == place)
            .map(|(_, source)| *source)
            .next();
        let named = self.named_at(place);
        let mut text = text.into();
        if !named.is_empty() {
            let zh = named
                .iter()
                .map(|(key, name)| format!("{key} 由参数 {name} 给定"));
            let en = named
                .iter()
                .map(|(key, name)| format!("{key} is what parameter {name} says"));
            let (zh, en) = (zh.collect::<Vec<_>>(), en.collect::<Vec<_>>());
            text.zh.push_str(&format!("（{}）", zh.join("，")));
            text.en.push_str(&format!(" ({})", en.join(", ")));
        }
        self.sentences.push(Said {
            key: key.into(),
            text,
            source,
        });
    }
}

impl Telling<'_> {
    /// The values at a place that are parameters: the key below it, and the parameter. Steps are told one by one.
    fn named_at(&self, place: &str) -> Vec<(&str, &str)> {
        let places = self.policy.parameter_places.iter();
        let below = places.filter_map(|(path, name)| {
            let rest = path.strip_prefix(place)?;
            let key = rest
                .strip_prefix('.')
                .or_else(|| rest.strip_prefix('[').map(|_| rest))?;
            (!place.is_empty() && !key.contains("steps[")).then_some((key, name.as_str()))
        });
        let mut found: Vec<(&str, &str)> = below.collect();
        found.sort();
        found.dedup();
        found
    }
}

fn head(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    let (title, issuer) = (&policy.title, &policy.issuer);
    let number = policy.document_no.as_deref();
    let (zh, en) = (
        number
            .map(|number| format!("，文号：{number}"))
            .unwrap_or_default(),
        number
            .map(|number| format!(", document {number}"))
            .unwrap_or_default(),
    );
    let (code, version) = (&policy.code, policy.version);
    telling.say(
        "title",
        "",
        (
            format!("《{title}》，发布者：{issuer}{zh}；代码 {code}，第 {version} 版。"),
            format!("\"{title}\", issued by {issuer}{en}; code {code}, version {version}."),
        ),
    );
    for parameter in &policy.parameters {
        let (name, limit) = (&parameter.name, parameter.limit());
        let default = parameter.default.as_ref().map(said);
        let zh = default
            .as_ref()
            .map_or_else(|| "运行时给定".to_owned(), |value| format!("默认 {value}"));
        let en = default.map_or_else(
            || "each run says it".to_owned(),
            |value| format!("{value} by default"),
        );
        telling.say(
            format!("parameters.{name}"),
            &format!("parameters.{name}"),
            (
                format!("参数 {name}：{zh}，范围 {limit}。"),
                format!("Parameter {name}: {en}, within {limit}."),
            ),
        );
    }
    telling.sentences
}

fn year(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    let starts = policy.year.starts;
    let (zh, en) = match policy.year.income_by {
        IncomeBy::PaidOn => ("付款日", "the day of payment"),
        IncomeBy::InvoicedOn => ("开票日", "the day of the invoice"),
        IncomeBy::EndedAt => ("服务结束日", "the day the service ended"),
    };
    telling.say(
        "year",
        "year",
        (
            format!("年度自 {starts} 起，按北京时间；机时按服务结束时刻，收入按{zh}归入年度。"),
            format!("A year begins on {starts}, local time; hours belong to the year in which a service ends, income to that of {en}."),
        ),
    );
    valid_and_claims(&mut telling, policy);
    if let Some(rule) = &policy.registration {
        let threshold = amount(rule.threshold_fen);
        let within = days(rule.report_within);
        telling.say(
            "registration",
            "registration",
            (
                format!(
                    "原值 {} 及以上的仪器须登记，验收后 {} 内报送。",
                    threshold.zh, within.zh
                ),
                format!(
                    "Instruments worth {} or more are registered within {} after acceptance.",
                    threshold.en, within.en
                ),
            ),
        );
    }
    if let Some(rule) = &policy.requests {
        let within = days(Deadline::WorkingDays(rule.answer_within_working_days));
        telling.say(
            "requests",
            "requests",
            (
                format!("校外申请在 {} 内答复为及时。", within.zh),
                format!(
                    "A request from outside is answered in time within {}.",
                    within.en
                ),
            ),
        );
    }
    telling.sentences
}

/// For which years, and in which windows.
fn valid_and_claims(telling: &mut Telling, policy: &Policy) {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    let (from, until) = (day(policy.year.valid_from), day(policy.year.valid_until));
    if from.is_some() || until.is_some() {
        let zh_from = from
            .as_ref()
            .map(|day| format!("自 {day} 起"))
            .unwrap_or_default();
        let zh_until = until
            .as_ref()
            .map(|day| format!("至 {day} 前"))
            .unwrap_or_default();
        let en_from = from.map(|day| format!(" from {day}")).unwrap_or_default();
        let en_until = until
            .map(|day| format!(" until the day before {day}"))
            .unwrap_or_default();
        telling.say(
            "year.valid",
            "year",
            (
                format!("方案{zh_from}{zh_until}有效，只用于整个在内的年度。"),
                format!("The pack is valid{en_from}{en_until}, for years that lie wholly within."),
            ),
        );
    }
    if !policy.year.claims.is_empty() {
        let claims: Vec<String> = policy.year.claims.iter().map(ToString::to_string).collect();
        telling.say(
            "year.claims",
            "year",
            (
                format!("申报窗口自 {} 起。", claims.join("、")),
                format!("Claim windows begin on {}.", claims.join(", ")),
            ),
        );
    }
}

fn metrics(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    for (name, metric) in &policy.metrics {
        let counted = measure(&metric.measure);
        let called = metric.name.as_deref().unwrap_or(name);
        let place = format!("metrics.{name}");
        telling.say(
            place.clone(),
            &place,
            (
                format!("{called}：{}。", counted.zh),
                format!("{called}: {}.", counted.en),
            ),
        );
    }
    telling.sentences
}

fn notice(policy: &Policy) -> Vec<Said> {
    let mut telling = Telling::of(policy);
    let (lasts, decided) = (
        days(policy.notice.lasts),
        days(Deadline::WorkingDays(
            policy.notice.objection_decided_within_working_days,
        )),
    );
    telling.say(
        "notice",
        "notice",
        (
            format!("结果公示 {}；异议在 {} 内处理。", lasts.zh, decided.zh),
            format!(
                "Results stand open to objections for {}; one is decided within {}.",
                lasts.en, decided.en
            ),
        ),
    );
    let rule = policy.discipline;
    telling.say(
        "discipline",
        "discipline",
        (
            format!(
                "{} 天内失约 {} 次，停约 {} 天。",
                rule.within_days, rule.strikes, rule.suspended_days
            ),
            format!(
                "{} no-shows within {} days suspend for {} days.",
                rule.strikes, rule.within_days, rule.suspended_days
            ),
        ),
    );
    if let Some(duty) = &policy.duty {
        let none = ("不限", "any");
        let number = |bound: Option<i64>| bound.map(|bound| bound.to_string());
        let (late, missing) = (number(duty.late_at_most), number(duty.missing_at_most));
        let shared = duty.externally_shared_at_least.as_ref().map(said);
        let zh = |bound: &Option<String>| bound.clone().unwrap_or_else(|| none.0.to_owned());
        let en = |bound: &Option<String>| bound.clone().unwrap_or_else(|| none.1.to_owned());
        telling.say(
            "duty",
            "duty",
            (
                format!("履行义务：逾期登记最多 {}，未登记最多 {}，对外共享率至少 {}。", zh(&late), zh(&missing), zh(&shared)),
                format!("Duty is done with at most {} late and {} missing, and at least {} externally shared.", en(&late), en(&missing), en(&shared)),
            ),
        );
    }
    if let Some(rule) = policy
        .purchase
        .as_ref()
        .and_then(|rule| rule.review_from_fen)
    {
        let from = amount(rule);
        telling.say(
            "purchase",
            "purchase",
            (
                format!("{} 及以上的购置须评议。", from.zh),
                format!("Purchases of {} or more are reviewed.", from.en),
            ),
        );
    }
    telling.sentences
}
