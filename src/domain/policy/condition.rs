//! Conditions: which instruments, hosts, users, services or grades something holds for. A table's keys must all hold, a list
//! of tables is "or". Whether one holds is judged by `domain::evaluation`.

use super::grades::Grade;
use super::measure::Customers;
use super::raw::{Node, Table};
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::{FundingSource, PurposeType};
use crate::domain::organization::OrganizationKind;
use crate::domain::region::RegionCode;
use crate::domain::usage::Evidence;
use crate::domain::{MAX_SAFE_INTEGER, certification};

crate::vocabulary! {
    /// The words of keys that are yes or no.
    YesNo {
        Yes = "yes",
        No = "no",
    }
}

crate::vocabulary! {
    /// Services of a kind that rules name (法定认证、执法检查、商业验货、商业摄制、医疗服务、电信计费、大批量验货).
    ServiceClass {
        StatutoryCertification = "statutory_certification",
        Enforcement = "enforcement",
        CommercialInspection = "commercial_inspection",
        CommercialFilming = "commercial_filming",
        Medical = "medical",
        TelecomBilling = "telecom_billing",
        BulkInspection = "bulk_inspection",
    }
}

crate::vocabulary! {
    /// Who set the project that a service was for.
    ProjectLevel {
        Own = "own",
        County = "county",
        Municipal = "municipal",
        Provincial = "provincial",
        National = "national",
    }
}

crate::vocabulary! {
    /// The keys of a condition.
    ConditionKey {
        ValueFen = "value_fen",
        Category = "category",
        PurposeType = "purpose_type",
        Funding = "funding",
        ShareMode = "share_mode",
        IsSet = "is_set",
        AwardedBefore = "awarded_before",
        HostKind = "host_kind",
        HostRegion = "host_region",
        HostIs = "host_is",
        Instruments = "instruments",
        User = "user",
        UserKind = "user_kind",
        UserRegion = "user_region",
        UserIs = "user_is",
        Related = "related",
        Purpose = "purpose",
        Mode = "mode",
        ServiceClass = "service_class",
        ProjectLevel = "project_level",
        Evidence = "evidence",
        Statutory = "statutory",
        Grade = "grade",
    }
}

/// What a key is a fact of: where no such thing is at hand, it cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactOf {
    Instrument,
    Host,
    /// Of the using unit alone.
    User,
    Service,
    Grade,
}

impl ConditionKey {
    pub const fn is_fact_of(self) -> FactOf {
        match self {
            Self::ValueFen
            | Self::Category
            | Self::PurposeType
            | Self::Funding
            | Self::ShareMode
            | Self::IsSet
            | Self::AwardedBefore => FactOf::Instrument,
            Self::HostKind | Self::HostRegion | Self::HostIs | Self::Instruments => FactOf::Host,
            Self::UserKind | Self::UserRegion | Self::UserIs => FactOf::User,
            // Whose user it is, and whose party, only a service of a host tells.
            Self::User
            | Self::Related
            | Self::Purpose
            | Self::Mode
            | Self::ServiceClass
            | Self::ProjectLevel
            | Self::Evidence
            | Self::Statutory => FactOf::Service,
            Self::Grade => FactOf::Grade,
        }
    }
}

/// `from` is included, `until` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub from: Option<i64>,
    pub until: Option<i64>,
}

impl Range {
    pub fn contains(&self, number: i64) -> bool {
        self.from.is_none_or(|from| from <= number) && self.until.is_none_or(|until| number < until)
    }
}

/// One key with what it may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    ValueFen(Range),
    /// Leading digits.
    Category(Vec<String>),
    PurposeType(Vec<PurposeType>),
    Funding(Vec<FundingSource>),
    ShareMode(Vec<ShareMode>),
    IsSet(Vec<YesNo>),
    AwardedBefore(Vec<YesNo>),
    HostKind(Vec<OrganizationKind>),
    /// Leading digits.
    HostRegion(Vec<String>),
    HostIs(Vec<String>),
    /// How many counted instruments the host has.
    Instruments(Range),
    User(Vec<Customers>),
    UserKind(Vec<OrganizationKind>),
    /// Leading digits.
    UserRegion(Vec<String>),
    UserIs(Vec<String>),
    Related(Vec<YesNo>),
    Purpose(Vec<BookingPurpose>),
    Mode(Vec<BookingMode>),
    ServiceClass(Vec<ServiceClass>),
    ProjectLevel(Vec<ProjectLevel>),
    Evidence(Vec<Evidence>),
    Statutory(Vec<YesNo>),
    Grade(Vec<Grade>),
}

impl Test {
    pub const fn key(&self) -> ConditionKey {
        match self {
            Self::ValueFen(_) => ConditionKey::ValueFen,
            Self::Category(_) => ConditionKey::Category,
            Self::PurposeType(_) => ConditionKey::PurposeType,
            Self::Funding(_) => ConditionKey::Funding,
            Self::ShareMode(_) => ConditionKey::ShareMode,
            Self::IsSet(_) => ConditionKey::IsSet,
            Self::AwardedBefore(_) => ConditionKey::AwardedBefore,
            Self::HostKind(_) => ConditionKey::HostKind,
            Self::HostRegion(_) => ConditionKey::HostRegion,
            Self::HostIs(_) => ConditionKey::HostIs,
            Self::Instruments(_) => ConditionKey::Instruments,
            Self::User(_) => ConditionKey::User,
            Self::UserKind(_) => ConditionKey::UserKind,
            Self::UserRegion(_) => ConditionKey::UserRegion,
            Self::UserIs(_) => ConditionKey::UserIs,
            Self::Related(_) => ConditionKey::Related,
            Self::Purpose(_) => ConditionKey::Purpose,
            Self::Mode(_) => ConditionKey::Mode,
            Self::ServiceClass(_) => ConditionKey::ServiceClass,
            Self::ProjectLevel(_) => ConditionKey::ProjectLevel,
            Self::Evidence(_) => ConditionKey::Evidence,
            Self::Statutory(_) => ConditionKey::Statutory,
            Self::Grade(_) => ConditionKey::Grade,
        }
    }
}

/// "Or" over "and". One without alternatives never holds, an alternative without tests always does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Condition(pub Vec<Vec<Test>>);

impl Condition {
    /// One alternative with one test.
    pub fn of(test: Test) -> Self {
        Self(vec![vec![test]])
    }

    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.0.iter().flatten()
    }
}

/// Reads a condition whose keys `may_ask` allows; another key is refused with `why_not`.
pub(super) fn read(node: &Node, may_ask: &dyn Fn(ConditionKey) -> bool) -> Option<Condition> {
    if node.is_list() {
        let alternatives = node.each(|node| read_alternative(node, may_ask))?;
        return Some(Condition(alternatives));
    }
    Some(Condition(vec![read_alternative(node, may_ask)?]))
}

/// Why grades cannot be asked.
pub(super) const NO_GRADES: (&str, &str) = (
    "没有 [grades]，就没有等次：请写出 [grades]，或删去此处",
    "without [grades] nobody has a grade; say [grades], or remove this",
);

fn read_alternative(node: &Node, may_ask: &dyn Fn(ConditionKey) -> bool) -> Option<Vec<Test>> {
    let table = node.table()?;
    let mut tests = Vec::new();
    for key in ConditionKey::ALL {
        let Some(node) = table.optional(key.as_str()) else {
            continue;
        };
        if !may_ask(*key) {
            node.refuse::<()>((
                "此处的金额或记录不再带有这一事实",
                "what stands here has no such fact any more",
            ));
        }
        if *key == ConditionKey::Grade {
            node.leans_on("grades", NO_GRADES);
        }
        tests.push(read_test(*key, &node));
    }
    table.finish();
    if tests.is_empty() {
        node.warn(("没有条件：总是符合", "no key at all: it always holds"));
    }
    tests.into_iter().collect()
}

fn read_test(key: ConditionKey, node: &Node) -> Option<Test> {
    Some(match key {
        ConditionKey::ValueFen => {
            let range = read_range(node)?;
            for bound in [range.from, range.until].into_iter().flatten() {
                node.warn_of_yuan(bound);
            }
            Test::ValueFen(range)
        }
        ConditionKey::Category => {
            let codes = node.each(read_category)?;
            warn_of_wider(node, &codes);
            Test::Category(codes)
        }
        ConditionKey::PurposeType => Test::PurposeType(node.each(Node::word)?),
        ConditionKey::Funding => Test::Funding(node.each(Node::word)?),
        ConditionKey::ShareMode => Test::ShareMode(node.each(Node::word)?),
        ConditionKey::IsSet => Test::IsSet(node.each(Node::word)?),
        ConditionKey::AwardedBefore => Test::AwardedBefore(node.each(Node::word)?),
        ConditionKey::HostKind => Test::HostKind(node.each(Node::word)?),
        ConditionKey::HostRegion => Test::HostRegion(read_regions(node)?),
        ConditionKey::HostIs => Test::HostIs(node.each(read_certification)?),
        ConditionKey::Instruments => Test::Instruments(read_range(node)?),
        ConditionKey::User => Test::User(node.each(Node::word)?),
        ConditionKey::UserKind => Test::UserKind(node.each(Node::word)?),
        ConditionKey::UserRegion => Test::UserRegion(read_regions(node)?),
        ConditionKey::UserIs => Test::UserIs(node.each(read_certification)?),
        ConditionKey::Related => Test::Related(node.each(Node::word)?),
        ConditionKey::Purpose => Test::Purpose(node.each(Node::word)?),
        ConditionKey::Mode => Test::Mode(node.each(Node::word)?),
        ConditionKey::ServiceClass => Test::ServiceClass(node.each(Node::word)?),
        ConditionKey::ProjectLevel => Test::ProjectLevel(node.each(Node::word)?),
        ConditionKey::Evidence => Test::Evidence(node.each(Node::word)?),
        ConditionKey::Statutory => Test::Statutory(node.each(Node::word)?),
        ConditionKey::Grade => Test::Grade(node.each(Node::word)?),
    })
}

fn read_range(node: &Node) -> Option<Range> {
    let table: Table = node.table()?;
    let bound = |name| match table.optional(name) {
        Some(node) => node.integer(0..=MAX_SAFE_INTEGER).map(Some),
        None => Some(None),
    };
    let (from, until) = (bound("from"), bound("until"));
    table.finish();
    let (from, until) = (from?, until?);
    match (from, until) {
        (None, None) => node.refuse((
            "范围须有 from 或 until",
            "a range has \"from\" or \"until\"",
        )),
        (Some(from), Some(until)) if from >= until => node.refuse((
            "from 须小于 until（until 不含在内）",
            "\"from\" must be below \"until\", which is not included",
        )),
        _ => Some(Range { from, until }),
    }
}

fn read_category(node: &Node) -> Option<String> {
    let code = node.text()?;
    let digits = code.bytes().all(|byte| byte.is_ascii_digit());
    match digits && matches!(code.len(), 2 | 4 | 6) {
        true => Some(code.to_owned()),
        false => node.refuse((
            format!("{code:?} 不是分类代码：分类代码为 2、4 或 6 位数字"),
            format!("{code:?} is no category: a category is 2, 4 or 6 digits"),
        )),
    }
}

/// Leading digits of region codes.
pub(super) fn read_regions(node: &Node) -> Option<Vec<String>> {
    let codes = node.each(|node| {
        let code = node.text()?;
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || !matches!(code.len(), 2 | 4 | 6) {
            return node.refuse((
                format!("{code:?} 不是地区：地区为 2、4 或 6 位数字，例如 \"13\""),
                format!("{code:?} is no region: a region is 2, 4 or 6 digits, such as \"13\""),
            ));
        }
        if format!("{code:0<6}").parse::<RegionCode>().is_err() {
            node.warn((
                format!("{code:?} 不在任何省份之内：没有单位符合，请检查前两位"),
                format!(
                    "{code:?} lies in no province: no unit matches; check the first two digits"
                ),
            ));
        }
        Some(code.to_owned())
    })?;
    warn_of_wider(node, &codes);
    Some(codes)
}

/// Leading digits that shorter ones in the same list have said already.
fn warn_of_wider(node: &Node, codes: &[String]) {
    for code in codes {
        let wider = codes
            .iter()
            .find(|other| *other != code && code.starts_with(other.as_str()));
        if let Some(wider) = wider {
            node.warn((
                format!("{code:?} 已包含在 {wider:?} 之内：请删去其一"),
                format!("{code:?} lies within {wider:?} already; remove one of them"),
            ));
        }
    }
}

fn read_certification(node: &Node) -> Option<String> {
    let word = node.text()?;
    match certification::is_name(word) {
        true => Some(word.to_owned()),
        false => node.refuse((
            format!("{word:?} 不是资质：资质为小写字母、数字和下划线，最多 40 个字符"),
            format!("{word:?} is no certification: that is small letters, digits and _, at most 40 characters"),
        )),
    }
}
