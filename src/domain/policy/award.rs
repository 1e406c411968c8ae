//! `[[awards]]`: who is paid, the base, what is left out of it, and the steps that lead to the money.

use super::brackets::{BracketBy, Brackets};
use super::check::only;
use super::condition::{self, Condition, ConditionKey, FactOf, ServiceClass};
use super::measure::{Measure, WeakEvidence};
use super::metric::{self, Metrics};
use super::raw::{Node, Table};
use super::step::{self, Act, Step, Surroundings};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// The words of `exclude` that are no service classes.
    ExclusionWord {
        Statutory = "statutory",
        WeakEvidence = "weak_evidence",
        RelatedParty = "related_party",
    }
}

crate::vocabulary! {
    /// The words of `recipient`.
    Recipient {
        Host = "host",
        User = "user",
    }
}

crate::vocabulary! {
    /// The words of `per`: what an amount stands for at first.
    Level {
        Service = "service",
        Instrument = "instrument",
        Organization = "organization",
    }
}

/// What is left out of a base, or of a metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Exclusion {
    Statutory,
    WeakEvidence,
    RelatedParty,
    Class(ServiceClass),
    Condition(Condition),
}

/// The code of an award that has no `id`.
pub const ONLY_AWARD: &str = "award";

/// One award of a pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Award {
    /// Its `id` in the pack.
    pub code: String,
    /// For people.
    pub name: Option<String>,
    pub recipient: Recipient,
    pub per: Level,
    pub base: Base,
    /// What a record, or an amount without records, must be.
    pub only: Option<Condition>,
    /// In the order in which a reason is named when several hold.
    pub exclude: Vec<Exclusion>,
    /// What `weak_evidence` means; set whenever it is excluded.
    pub weak_evidence: Option<WeakEvidence>,
    /// Leading digits of the region codes whose using units count; `None`: all.
    pub user_regions: Option<Vec<String>>,
    /// A using unit's project is paid in one run only.
    pub once_per_project: bool,
    pub steps: Vec<Step>,
}

/// What an award begins with.
#[derive(Debug, Clone, PartialEq)]
pub enum Base {
    Metric {
        /// Its name in the pack.
        name: String,
        measure: Measure,
    },
    /// What another award pays the same recipient.
    Award(String),
    /// Nothing: brackets give the amount.
    Nothing,
}

impl Award {
    /// The pool that pays it.
    pub fn pool(&self) -> Option<&str> {
        self.steps.iter().find_map(|step| match &step.act {
            Act::Pool { pool, .. } => pool.as_deref(),
            _ => None,
        })
    }

    /// Whether its base is made of records, of which each is judged.
    pub fn counts_records(&self) -> bool {
        of_records(&self.base)
    }
}

/// Reads `[[awards]]`. `pools` are the names of `[pools]`; none: there is one, without a name.
pub(super) fn read_all(node: &Node, metrics: &Metrics, pools: &[String]) -> Option<Vec<Award>> {
    let nodes = node.list()?;
    if nodes.is_empty() {
        return node.refuse(("至少有一项补助", "a pack with awards has at least one"));
    }
    let read = nodes
        .iter()
        .map(|node| read_one(node, nodes.len(), metrics, pools));
    let awards: Vec<Award> = read
        .collect::<Vec<_>>()
        .into_iter()
        .collect::<Option<_>>()?;
    check_codes(&nodes, &awards)?;
    check_bases(&nodes, &awards)?;
    check_pools(&nodes, &awards)?;
    Some(awards)
}

fn read_one(node: &Node, count: usize, metrics: &Metrics, pools: &[String]) -> Option<Award> {
    let table = node.table()?;
    let code = read_code(&table, count);
    let name = table.name();
    let recipient = table.required("recipient").and_then(|node| node.word());
    let per = table.required("per").and_then(|node| node.word());
    let base = match table.optional("base") {
        Some(node) => read_base(&node, metrics),
        None => Some(Base::Nothing),
    };
    let leaves_out = ["exclude", "user_regions", "once_per"];
    if !table.has("base")
        && (recipient == Some(Recipient::User) || leaves_out.iter().any(|key| table.has(key)))
    {
        node.refuse::<()>((
            "缺少 \"base\"：请写出补助由哪个指标算起",
            "\"base\" is missing: say by which metric the award begins",
        ));
    }
    let judged = read_judged(&table, base.as_ref(), recipient, per);
    let steps = match (table.required("steps"), recipient, per) {
        (Some(node), Some(recipient), Some(per)) => {
            let surroundings = Surroundings {
                recipient,
                per,
                pools,
                has_base: !matches!(base, Some(Base::Nothing)),
            };
            step::read_all(&node, &surroundings)
        }
        _ => None,
    };
    table.finish();
    let (base, judged) = (base?, judged?);
    let is_of_records = of_records(&base);
    if !is_of_records && judged.needs_records(&table) {
        let place = leaves_out.into_iter().find_map(|key| table.optional(key));
        return place.as_ref().unwrap_or(node).refuse((
            "没有逐条记录的基数，无法按记录排除：请删去，或换一个基数",
            "where the base is not made of records, records cannot be left out: remove this, or say another base",
        ));
    }
    warn_of_minutes(&table, &base, steps.as_deref());
    warn_of_nothing(node, &base, steps.as_deref());
    if recipient == Some(Recipient::User) && !is_of_records && !matches!(base, Base::Award(_)) {
        let place = table.optional("base");
        return place.as_ref().unwrap_or(node).refuse((
            "补助使用单位的，基数须由其服务记录得出",
            "what is paid to users has a base made of their records",
        ));
    }
    refuse_unsaid_weakness(&table, &judged.exclude, metrics);
    Some(Award {
        code: code?,
        name,
        recipient: recipient?,
        per: per?,
        base,
        only: judged.only,
        exclude: judged.exclude,
        weak_evidence: metrics.weak_evidence.clone(),
        user_regions: judged.user_regions,
        once_per_project: table.has("once_per"),
        steps: steps?,
    })
}

/// A base that is no money, and nothing that makes money of it.
fn warn_of_minutes(table: &Table, base: &Base, steps: Option<&[Step]>) {
    let Base::Metric { measure, .. } = base else {
        return;
    };
    let counts = !measure.is_money() && !matches!(measure, Measure::Reported(_) | Measure::Sum(_));
    let makes_money = |step: &Step| {
        matches!(
            &step.act,
            Act::Brackets {
                brackets: Brackets::Fen(_),
                ..
            }
        )
    };
    if counts
        && steps.is_some_and(|steps| !steps.iter().any(makes_money))
        && let Some(node) = table.optional("base")
    {
        node.warn((
            "基数不是金额：每分钟、每条或每台按一分计；请用 income.* 的指标，或用 brackets 给出金额",
            "the base counts minutes, records or instruments, no money: each is paid as a fen; take a metric of income.*, or give amounts by brackets",
        ));
    }
}

/// Brackets of an amount where there is no base that could be one.
fn warn_of_nothing(node: &Node, base: &Base, steps: Option<&[Step]>) {
    let asks_amount = |step: &Step| {
        matches!(
            &step.act,
            Act::Brackets {
                by: BracketBy::Amount,
                ..
            }
        )
    };
    if matches!(base, Base::Nothing)
        && steps.is_some_and(|steps| {
            steps
                .iter()
                .find(|step| matches!(step.act, Act::Brackets { .. }))
                .is_some_and(asks_amount)
        })
    {
        node.warn((
            "缺少 \"base\"：按 \"amount\" 分档而没有金额，什么也不发",
            "\"base\" is missing: brackets by \"amount\" of no amount pay nothing",
        ));
    }
}

/// What each record, or each amount, is judged by.
struct Judged {
    only: Option<Condition>,
    exclude: Vec<Exclusion>,
    user_regions: Option<Vec<String>>,
}

impl Judged {
    fn needs_records(&self, table: &Table) -> bool {
        !self.exclude.is_empty() || self.user_regions.is_some() || table.has("once_per")
    }
}

fn read_judged(
    table: &Table,
    base: Option<&Base>,
    recipient: Option<Recipient>,
    per: Option<Level>,
) -> Option<Judged> {
    let is_of_records = base.is_some_and(of_records);
    let only_if = match (table.optional("only"), recipient, per) {
        (None, ..) => Some(None),
        (Some(node), Some(recipient), Some(per)) => {
            let may_ask = |key: ConditionKey| match is_of_records {
                true => key.is_fact_of() != FactOf::Grade,
                false => may_ask(key, per, recipient),
            };
            condition::read(&node, &may_ask).map(Some)
        }
        (Some(_), ..) => None,
    };
    let exclude = match table.optional("exclude") {
        Some(node) => read_exclusions(&node),
        None => Some(Vec::new()),
    };
    let user_regions = match table.optional("user_regions") {
        Some(node) => condition::read_regions(&node).map(Some),
        None => Some(None),
    };
    let once = match table.optional("once_per") {
        Some(_) => only(table, "once_per", "project"),
        None => Some(()),
    };
    once?;
    Some(Judged {
        only: only_if?,
        exclude: exclude?,
        user_regions: user_regions?,
    })
}

fn of_records(base: &Base) -> bool {
    match base {
        Base::Metric { measure, .. } => measure
            .parts()
            .iter()
            .all(|part| part.of_records().is_some()),
        Base::Award(_) | Base::Nothing => false,
    }
}

/// Evidence that is left out as weak while no metric says what is weak.
fn refuse_unsaid_weakness(table: &Table, exclude: &[Exclusion], metrics: &Metrics) {
    if metrics.lack_weak_evidence()
        && let Some(nodes) = table.optional("exclude").and_then(|node| node.list())
        && let Some(at) = exclude
            .iter()
            .position(|one| *one == Exclusion::WeakEvidence)
        && let Some(word) = nodes.get(at)
    {
        word.refuse::<()>((
            "没有指标用 drop_weak_evidence 说明什么是弱证据",
            "no metric says with drop_weak_evidence what is weak",
        ));
    }
}

/// Several awards have each an `id`.
fn read_code(table: &Table, count: usize) -> Option<String> {
    let node = match count {
        1 => match table.optional("id") {
            Some(node) => node,
            None => return Some(ONLY_AWARD.to_owned()),
        },
        _ => table.required("id")?,
    };
    let code = node.text()?;
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    match code.len() <= 64 && code.bytes().all(plain) {
        true => Some(code.to_owned()),
        false => node.refuse((
            "编号最多 64 个小写字母、数字、连字符和下划线",
            "an id has at most 64 lower-case letters, digits, hyphens and underscores",
        )),
    }
}

fn read_base(node: &Node, metrics: &Metrics) -> Option<Base> {
    if node.is_table() {
        let table = node.table()?;
        let award = table.required("award").and_then(|node| node.text());
        table.finish();
        return Some(Base::Award(award?.to_owned()));
    }
    let name = node.text()?.to_owned();
    match metrics.named(node)? {
        Measure::Answers(_) => node.refuse((
            "评价不能作为基数",
            "answers have a mean, no sum that could be a base",
        )),
        measure => Some(Base::Metric { name, measure }),
    }
}

/// Words, service classes and conditions.
pub(super) fn read_exclusions(node: &Node) -> Option<Vec<Exclusion>> {
    node.each(|node| {
        if node.is_table() {
            return condition::read(node, &metric::may_ask).map(Exclusion::Condition);
        }
        let word = node.text()?;
        if let Ok(class) = word.parse::<ServiceClass>() {
            return Some(Exclusion::Class(class));
        }
        Some(match node.word()? {
            ExclusionWord::Statutory => Exclusion::Statutory,
            ExclusionWord::WeakEvidence => Exclusion::WeakEvidence,
            ExclusionWord::RelatedParty => Exclusion::RelatedParty,
        })
    })
}

/// Which keys can be asked of an amount that stands for a service, an instrument or a recipient.
pub(super) fn may_ask(key: ConditionKey, level: Level, recipient: Recipient) -> bool {
    match (level, key.is_fact_of()) {
        (Level::Service, _) => true,
        (Level::Instrument, FactOf::Instrument | FactOf::Host | FactOf::Grade) => true,
        (Level::Organization, FactOf::Host | FactOf::Grade) => recipient == Recipient::Host,
        (_, FactOf::User) => recipient == Recipient::User,
        (Level::Instrument, FactOf::Service)
        | (Level::Organization, FactOf::Instrument | FactOf::Service) => false,
    }
}

/// A key of a table, else the table itself.
fn at_key<'a>(node: &Node<'a>, key: &'static str) -> Node<'a> {
    let found = node.table().and_then(|table| table.optional(key));
    found.unwrap_or_else(|| node.clone())
}

fn check_codes(nodes: &[Node], awards: &[Award]) -> Option<()> {
    let mut known = Vec::new();
    for (node, award) in nodes.iter().zip(awards) {
        if known.contains(&&award.code) {
            let code = &award.code;
            return at_key(node, "id").refuse((
                format!("第二个 {code:?}：请另取编号"),
                format!("a second award {code:?}; give it another id"),
            ));
        }
        known.push(&award.code);
    }
    Some(())
}

/// An award that another one is the base of exists, has another pool, and no circle leads back.
fn check_bases(nodes: &[Node], awards: &[Award]) -> Option<()> {
    let by_code: BTreeMap<&str, &Award> = awards
        .iter()
        .map(|award| (award.code.as_str(), award))
        .collect();
    for (node, award) in nodes.iter().zip(awards) {
        let Base::Award(code) = &award.base else {
            continue;
        };
        let Some(other) = by_code.get(code.as_str()) else {
            let known: Vec<&str> = by_code.keys().copied().collect();
            return at_key(node, "base").refuse((
                format!("没有补助 {code:?}；已有 {}", known.join("、")),
                format!("there is no award {code:?}; there are {}", known.join(", ")),
            ));
        };
        if other.pool() == award.pool() || other.recipient != award.recipient {
            return at_key(node, "base").refuse((
                "以另一项补助为基数的，须出自另一资金池，且对象相同",
                "what another award is the base of has another pool and the same recipient",
            ));
        }
        if award.per != Level::Organization {
            return at_key(node, "per").refuse((
                "以另一项补助为基数的，per 为 \"organization\"",
                "what another award is the base of has per = \"organization\"",
            ));
        }
    }
    if pool_order(awards).is_none() {
        let first = nodes.first()?;
        return at_key(first, "base").refuse((
            "资金池之间互为基数，成为循环",
            "the pools are each other's base, in a circle",
        ));
    }
    Some(())
}

/// The pools in an order in which each comes after those whose awards are bases in it; `None`: there is none.
pub(crate) fn pool_order(awards: &[Award]) -> Option<Vec<Option<String>>> {
    let mut order: Vec<Option<String>> = Vec::new();
    let mut left: Vec<Option<&str>> = Vec::new();
    for award in awards {
        if !left.contains(&award.pool()) {
            left.push(award.pool());
        }
    }
    while !left.is_empty() {
        let is_ready = |pool: &Option<&str>| {
            let mut own = awards.iter().filter(|award| award.pool() == *pool);
            own.all(|award| match &award.base {
                Base::Award(code) => awards
                    .iter()
                    .filter(|other| other.code == *code)
                    .all(|other| order.iter().any(|done| done.as_deref() == other.pool())),
                _ => true,
            })
        };
        let at = left.iter().position(is_ready)?;
        let next = left.remove(at);
        order.push(next.map(str::to_owned));
    }
    Some(order)
}

/// All awards of a pool share it the same way.
fn check_pools(nodes: &[Node], awards: &[Award]) -> Option<()> {
    for (node, award) in nodes.iter().zip(awards) {
        let other = awards.iter().find(|other| other.pool() == award.pool());
        if other.is_some_and(|other| step::pooling(other) != step::pooling(award)) {
            let steps = at_key(node, "steps").list().unwrap_or_default();
            let pool = award
                .steps
                .iter()
                .position(|step| matches!(step.act, Act::Pool { .. }));
            let place = pool.and_then(|at| steps.get(at));
            return place.unwrap_or(node).refuse((
                "同一资金池的补助须用同一种分配方式",
                "awards of one pool share it the same way",
            ));
        }
    }
    Some(())
}
