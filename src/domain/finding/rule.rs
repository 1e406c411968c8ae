//! The rules of findings: each decides of one candidate whether it looks wrong, how much that weighs, and what it says to people.
//! Bounds are set so that a year of ordinary records has no serious finding.

use super::Candidate;

crate::vocabulary! {
    /// What looks wrong.
    FindingRule {
        /// More effective minutes than the interval has. On one channel no two records overlap, so a channel has more than 24
        /// hours a day exactly where some record has more minutes than its interval.
        Over24Hours = "over_24_hours",
        /// At once on more channels than the instrument has; on one channel the database lets nothing overlap.
        Overlap = "overlap",
        BeforeAcceptance = "before_acceptance",
        DuringClosure = "during_closure",
        IdenticalDurations = "identical_durations",
        OperatorTwice = "operator_twice",
        LateManualEntry = "late_manual_entry",
        PriceOffTariff = "price_off_tariff",
        /// The same invoice number but for case, spaces and hyphens; the number itself stands once on the platform.
        InvoiceSeenBefore = "invoice_seen_before",
        IncomeWithoutUsage = "income_without_usage",
        UsageWithoutIncome = "usage_without_income",
        CircularTrade = "circular_trade",
        RelatedCustomer = "related_customer",
    }
}

crate::vocabulary! {
    /// How much a finding weighs.
    Severity {
        Note = "note",
        Warning = "warning",
        Serious = "serious",
    }
}

/// Fewer alike are a habit: monthly calibrations alone make twelve.
pub const IDENTICAL_RECORDS_MIN: i64 = 20;

/// A month covers holidays and the monthly sheets of a laboratory.
pub const LATE_DAYS: i64 = 30;

/// A working week of others' use without any charge is more than a favour.
pub const UNPAID_MINUTES_MIN: i64 = 40 * 60;

/// What neighbours use of each other in an ordinary year is below it, each way.
pub const CIRCULAR_YUAN_MIN: i64 = 20_000;

impl FindingRule {
    pub const fn severity(self) -> Severity {
        match self {
            Self::Over24Hours
            | Self::Overlap
            | Self::BeforeAcceptance
            | Self::OperatorTwice
            | Self::InvoiceSeenBefore
            | Self::CircularTrade
            | Self::RelatedCustomer => Severity::Serious,
            // What is voided counts nowhere, whatever was paid for it.
            Self::IncomeWithoutUsage
            | Self::DuringClosure
            | Self::IdenticalDurations
            | Self::PriceOffTariff => Severity::Warning,
            Self::LateManualEntry | Self::UsageWithoutIncome => Severity::Note,
        }
    }

    /// Whether the candidate looks wrong.
    pub fn finds(self, candidate: &Candidate) -> bool {
        let (value, bound) = (candidate.value, candidate.bound);
        match self {
            // Effective minutes against those of the interval; the channel against the channels; a count against one; days
            // late against those allowed; something against nothing.
            Self::Over24Hours
            | Self::Overlap
            | Self::DuringClosure
            | Self::OperatorTwice
            | Self::LateManualEntry
            | Self::InvoiceSeenBefore
            | Self::RelatedCustomer => value > bound,
            Self::BeforeAcceptance => candidate
                .started_at
                .zip(candidate.accepted_on)
                .is_some_and(|(at, on)| at.local_date() < on),
            // Records alike, of all that the unit has on the instrument: half of them.
            Self::IdenticalDurations => {
                value >= IDENTICAL_RECORDS_MIN && i128::from(value) * 2 >= i128::from(bound)
            }
            // The amount against the price of an hour: less than half of it, or more than twice as much.
            Self::PriceOffTariff => {
                let amount = i128::from(value) * 60;
                let due = i128::from(bound) * i128::from(candidate.minutes.number());
                amount * 2 < due || amount > due * 2
            }
            Self::IncomeWithoutUsage => candidate.income.number() > 0,
            Self::UsageWithoutIncome => candidate.minutes.number() >= UNPAID_MINUTES_MIN,
            // Yuan one way and the other way, which differ by a fifth at most.
            Self::CircularTrade => {
                let (less, more) = (value.min(bound), value.max(bound));
                less >= CIRCULAR_YUAN_MIN && i128::from(less) * 5 >= i128::from(more) * 4
            }
        }
    }

    /// What it says in Chinese and in English; `{records}` and `{yuan}` are filled in.
    pub(super) const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Over24Hours => (
                "{records} 条记录的有效机时长于其起止时间；请核对并更正记录",
                "{records} records have more effective minutes than their interval; check and correct them",
            ),
            Self::Overlap => (
                "{records} 条记录所在的通道超出仪器的通道数；请核对通道或时间",
                "{records} records lie on channels that the instrument has not; check the channel or the time",
            ),
            Self::BeforeAcceptance => (
                "{records} 条记录早于仪器验收日期；请核对验收日期或记录",
                "{records} records begin before the instrument was accepted; check the day of acceptance or the records",
            ),
            Self::DuringClosure => (
                "{records} 条记录发生在停用期间；请核对停用时间或记录",
                "{records} records lie within a closure; check the closure or the records",
            ),
            Self::IdenticalDurations => (
                "同一单位在一台仪器上有 {records} 条时长相同的记录；请说明来源",
                "One unit has {records} records of the same duration on an instrument; explain where they come from",
            ),
            Self::OperatorTwice => (
                "{records} 条记录的操作人员同时在另一台仪器上操作；请核对操作人员或时间",
                "In {records} records the operator runs another instrument at the same time; check the operator or the time",
            ),
            Self::LateManualEntry => (
                "{records} 条手工记录在使用结束一个月后才录入；请保留依据",
                "{records} typed records were entered more than a month after the use; keep what proves them",
            ),
            Self::PriceOffTariff => (
                "{records} 条记录的收费与公示价格相差一倍以上；请核对收费",
                "{records} records cost less than half or more than twice the public price; check the charges",
            ),
            Self::InvoiceSeenBefore => (
                "{records} 条记录的发票号码与另一张发票仅格式不同；请核对发票",
                "The invoices of {records} records differ from others only in how the number is written; check the invoices",
            ),
            Self::IncomeWithoutUsage => (
                "{records} 笔到账收入没有有效的使用记录，共 {yuan} 元；请退款或恢复记录",
                "{records} payments stand on no valid record, {yuan} yuan in all; pay them back or restore the record",
            ),
            Self::UsageWithoutIncome => (
                "外单位的 {records} 条使用记录均无收费；请核对是否漏收",
                "Nothing was charged for {records} records of another unit; check whether charges are missing",
            ),
            Self::CircularTrade => (
                "两个单位互相使用仪器，金额相近，一方为 {yuan} 元；请核对是否真实",
                "Two units pay each other about the same, one of them {yuan} yuan; check whether the services are real",
            ),
            Self::RelatedCustomer => (
                "付费单位与管理单位的机构代码、地址或联系方式相同，涉及 {yuan} 元；请申报关联关系或说明",
                "A paying unit shares code, address or contact with the host, {yuan} yuan; declare the relation or explain",
            ),
        }
    }
}
