//! Money that is not in the base of an award, and why: every fen of every charge of a unit that was served or paid in the year is
//! in the base or left out for one reason, the first that applies.

use super::income::{counts_vouchers, parts, reason_against};
use crate::domain::evaluation::{Judge, Relation, Subject};
use crate::domain::policy::{Award, Exclusion, RecordFilter, Tally};
use crate::domain::sentence::Sentence;
use crate::domain::usage::UsageState;
use crate::domain::{Fen, Minutes, TooLarge};
use std::collections::BTreeMap;

crate::vocabulary! {
    /// Why money is not in the base, in the order in which the reasons apply.
    LeftOutReason {
        Unconfirmed = "unconfirmed",
        Disputed = "disputed",
        /// The host used its own instrument.
        OwnUse = "own_use",
        RelatedParty = "related_party",
        WeakEvidence = "weak_evidence",
        Statutory = "statutory",
        Region = "region",
        InstrumentNotCounted = "instrument_not_counted",
        NotInvoiced = "not_invoiced",
        Unpaid = "unpaid",
        /// The date by which the policy counts income lies in another year.
        OtherYear = "other_year",
        Voucher = "voucher",
        /// Paid, and gone back.
        Refunded = "refunded",
        /// Owed for something that is no service: a cancellation, an absence, a damage.
        NotService = "not_service",
        Finding = "finding",
        /// What the policy says by a class, a condition or its metric.
        Condition = "condition",
    }
}

impl LeftOutReason {
    /// The reason for people, and what can be done about it.
    pub fn sentence(self) -> Sentence {
        match self {
            Self::Unconfirmed => (
                "使用记录尚未经用户确认；请用户确认",
                "the customer has not confirmed the usage record; ask the customer to confirm it",
            ),
            Self::Disputed => (
                "使用记录存在异议；请与用户更正或解决异议",
                "the usage record is disputed; correct it or settle the dispute with the customer",
            ),
            Self::OwnUse => (
                "本单位自用不计入补助基数",
                "the unit's own use earns no subsidy",
            ),
            Self::RelatedParty => (
                "用户为关联单位，不计入补助基数",
                "the customer is a related party, whose payments earn no subsidy",
            ),
            Self::WeakEvidence => (
                "原值较高的仪器仅有人工登记的使用证据；请补充设备或双方确认的证据",
                "evidence is too weak for so valuable an instrument; add evidence of the device or of both sides",
            ),
            Self::Statutory => (
                "法定检测收入不计入补助基数",
                "statutory testing earns no subsidy",
            ),
            Self::Region => (
                "用户注册地不在政策规定的地区",
                "the customer's seat is outside the regions that the policy names",
            ),
            Self::InstrumentNotCounted => (
                "仪器未计入本年度考核（未入网或原值低于起点）；请核对仪器登记",
                "the instrument is not counted in this year (not listed, or below the threshold); check its registration",
            ),
            Self::NotInvoiced => (
                "费用尚未开具发票；请开具发票",
                "no invoice stands for the charge; issue one",
            ),
            Self::Unpaid => (
                "费用尚未收到付款；请收款并登记",
                "the charge is not paid; collect and enter the payment",
            ),
            Self::OtherYear => (
                "按政策决定年度的日期（付款、开票或服务结束）不在本年度，计入该日期所在年度",
                "the date that decides (of payment, of invoice or of service, as the policy says) lies in another year, to which it belongs",
            ),
            Self::Voucher => (
                "由创新券支付的部分不计入补助基数",
                "the part that a voucher paid earns no subsidy",
            ),
            Self::Refunded => (
                "付款已退回；请重新收款并登记",
                "the payment went back; collect and enter it again",
            ),
            Self::NotService => (
                "违约、赔偿等非服务收入不计入补助基数",
                "owed for no service (a cancellation, an absence, a damage)",
            ),
            Self::Finding => (
                "因核查发现问题而剔除；请查看核查结论",
                "left out by a finding that was upheld; see its decision",
            ),
            Self::Condition => (
                "不符合政策规定的补助条件",
                "does not meet a condition of the policy",
            ),
        }
        .into()
    }
}

/// The money of one charge as it stood at the freeze. What is neither paid nor gone back is unpaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeMoney {
    /// Of the usage record.
    pub state: UsageState,
    pub amount: Fen,
    pub is_invoiced: bool,
    /// Of the payer, counted in the year.
    pub paid: Fen,
    /// Of a voucher, counted in the year.
    pub voucher: Fen,
    /// Of whomever, counted in any other year.
    pub other_year: Fen,
    pub returned: Fen,
}

/// What a policy says of the charges of one class of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChargeVerdict {
    /// Nothing of the charge is in the base.
    pub(super) against: Option<LeftOutReason>,
    /// Of what the payer paid in the year.
    payer: Option<LeftOutReason>,
    /// Of what a voucher paid in the year.
    voucher: Option<LeftOutReason>,
}

impl ChargeVerdict {
    /// Without an award, what others paid for counted instruments is the base.
    pub fn of(judge: &Judge, award: Option<&Award>, subject: &Subject) -> Self {
        let Some(award) = award else {
            return Self {
                against: own_use(subject).or_else(|| not_counted(judge, subject)),
                payer: None,
                voucher: Some(LeftOutReason::Voucher),
            };
        };
        let base = parts(award);
        let filters: Vec<(Tally, &RecordFilter)> = base
            .iter()
            .filter_map(|(_, measure)| measure.of_records())
            .collect();
        let is_free = reason_against(judge, award, subject).is_none();
        let takes = |tallies: [Tally; 2]| {
            let mut filters = filters.iter();
            is_free
                && filters
                    .any(|(tally, filter)| tallies.contains(tally) && judge.takes(filter, subject))
        };
        let takes_payer = takes([Tally::PayerIncome, Tally::Income]);
        let takes_voucher = takes([Tally::VoucherIncome, Tally::Income]);
        let payer = (!takes_payer).then_some(LeftOutReason::Condition);
        let voucher = match counts_vouchers(award) {
            true => (!takes_voucher).then_some(LeftOutReason::Condition),
            false => Some(LeftOutReason::Voucher),
        };
        Self {
            against: against(judge, award, &filters, subject),
            payer,
            voucher,
        }
    }

    /// The same for a record that an upheld finding takes out.
    pub fn taken_out(self) -> Self {
        let instead = |reason: Option<LeftOutReason>| match reason {
            None | Some(LeftOutReason::Condition) => Some(LeftOutReason::Finding),
            other => other,
        };
        Self {
            payer: instead(self.payer),
            voucher: instead(self.voucher),
            ..self
        }
    }

    /// The charge in parts, each in the base (`None`) or left out; they sum to its amount.
    pub fn parts(&self, money: &ChargeMoney) -> Vec<(Option<LeftOutReason>, Fen)> {
        let whole = match money.state {
            UsageState::Recorded | UsageState::Voided => Some(LeftOutReason::Unconfirmed),
            UsageState::Disputed => Some(LeftOutReason::Disputed),
            UsageState::Confirmed => self.against,
        };
        let uninvoiced = (!money.is_invoiced).then_some(LeftOutReason::NotInvoiced);
        if let Some(reason) = whole.or(uninvoiced) {
            return vec![(Some(reason), money.amount)];
        }
        let mut rest = money.amount;
        let mut parts = Vec::new();
        for (reason, amount) in [
            (self.payer, money.paid),
            (self.voucher, money.voucher),
            (Some(LeftOutReason::OtherYear), money.other_year),
            (Some(LeftOutReason::Refunded), money.returned),
            (Some(LeftOutReason::Unpaid), money.amount),
        ] {
            let part = amount.min(rest);
            if part > Fen::ZERO {
                rest = Fen::new(rest.number() - part.number());
                parts.push((reason, part));
            }
        }
        parts
    }
}

fn own_use(subject: &Subject) -> Option<LeftOutReason> {
    let is_own = subject.cell?.key.relation == Relation::Host;
    is_own.then_some(LeftOutReason::OwnUse)
}

fn not_counted(judge: &Judge, subject: &Subject) -> Option<LeftOutReason> {
    let counts = subject.instrument.is_some_and(|one| judge.counts(one));
    (!counts).then_some(LeftOutReason::InstrumentNotCounted)
}

/// The first reason against a whole charge, in the order of the reasons and not in that of the pack.
fn against(
    judge: &Judge,
    award: &Award,
    filters: &[(Tally, &RecordFilter)],
    subject: &Subject,
) -> Option<LeftOutReason> {
    let relation = subject.cell?.key.relation;
    let is_customer = filters.iter().any(|(_, filter)| {
        let of_customers = RecordFilter::of(filter.customers);
        judge.takes(&of_customers, subject)
    });
    let refused = |kind: &Exclusion| {
        let by_award = award.exclude.contains(kind)
            && judge.excludes(kind, award.weak_evidence.as_ref(), subject);
        let of_filter = |filter: &RecordFilter| {
            let weak = filter.drop_weak_evidence.as_ref();
            let is_named = filter.exclude.contains(kind)
                || (*kind == Exclusion::WeakEvidence && weak.is_some());
            is_named && judge.excludes(kind, weak, subject)
        };
        let mut all = filters.iter();
        by_award || (!filters.is_empty() && all.all(|(_, filter)| of_filter(filter)))
    };
    if relation == Relation::Host && !is_customer {
        return Some(LeftOutReason::OwnUse);
    }
    let is_refused_relation = !filters.is_empty() && !is_customer;
    if relation == Relation::Related && (is_refused_relation || refused(&Exclusion::RelatedParty)) {
        return Some(LeftOutReason::RelatedParty);
    }
    if refused(&Exclusion::WeakEvidence) {
        return Some(LeftOutReason::WeakEvidence);
    }
    if refused(&Exclusion::Statutory) {
        return Some(LeftOutReason::Statutory);
    }
    let seat = judge.user(subject).map(|user| user.region_code.as_str());
    let is_elsewhere = award.user_regions.as_ref().is_some_and(|regions| {
        let seat = seat.unwrap_or_default();
        !regions.iter().any(|region| seat.starts_with(region))
    });
    match is_elsewhere {
        true => Some(LeftOutReason::Region),
        false => not_counted(judge, subject),
    }
}

/// What is left out for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOutMoney {
    /// Charges of which something is left out, and the minutes of their services.
    pub records: i64,
    pub minutes: i64,
    pub amount: Fen,
}

/// All money of a unit's year: what is in the base, and what is left out by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YearMoney {
    /// Every charge that was served or paid in the year.
    pub charges: Fen,
    pub base: Fen,
    /// Reasons without any money are left out.
    pub left_out: BTreeMap<LeftOutReason, LeftOutMoney>,
}

impl YearMoney {
    /// Adds a charge in its parts.
    pub fn add(
        &mut self,
        amount: Fen,
        parts: &[(Option<LeftOutReason>, Fen)],
        minutes: Minutes,
    ) -> Result<(), TooLarge> {
        self.charges = self.charges.checked_add(amount)?;
        for (reason, part) in parts.iter().filter(|(_, part)| *part > Fen::ZERO) {
            let Some(reason) = reason else {
                self.base = self.base.checked_add(*part)?;
                continue;
            };
            let sum = self.left_out.entry(*reason).or_default();
            sum.records += 1;
            sum.minutes = sum.minutes.saturating_add(minutes.number());
            sum.amount = sum.amount.checked_add(*part)?;
        }
        Ok(())
    }

    /// Base + Σ left out = every charge.
    pub fn adds_up(&self) -> bool {
        let left_out = self.left_out.values().map(|sum| sum.amount);
        Fen::sum(left_out.chain([self.base])) == Ok(self.charges)
    }
}
