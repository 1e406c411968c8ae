//! Which packs a run can follow: every one whose facts the records of the platform tell. What they do not tell, folders of facts
//! do, on which any pack is tried.

use super::Policy;
use super::year::IncomeBy;
use crate::domain::sentence::Sentence;

impl Policy {
    /// Why no evaluation can follow the pack; `None`: one can.
    pub fn beyond_evaluations(&self) -> Option<Sentence> {
        if self.scores.is_empty() {
            return Some(("没有得分指标", "it has no scores").into());
        }
        self.beyond_records()
    }

    /// Why no subsidy run can follow the pack; `None`: one can.
    pub fn beyond_runs(&self) -> Option<Sentence> {
        if self.awards.is_empty() {
            return Some(("没有补助", "it pays nothing").into());
        }
        self.beyond_records()
    }

    /// What it asks that no record tells, so that a run would take it for absent.
    fn beyond_records(&self) -> Option<Sentence> {
        if self.asks_class_or_project() {
            let reason = (
                "服务类别或项目未记录",
                "it asks the class or the project of a service, which no record tells",
            );
            return Some(reason.into());
        }
        if self.asks_sets() {
            let reason = (
                "是否成套未记录",
                "it asks whether an instrument is a set, which no record tells",
            );
            return Some(reason.into());
        }
        let by_payment = self.year.income_by == IncomeBy::PaidOn;
        (!by_payment).then(|| {
            (
                "收入不按付款日期计",
                "it counts income by another date than its payment",
            )
                .into()
        })
    }
}
