//! Which packs a run can keep its results of: units graded over a calendar year, and one award to hosts, by instrument. What else
//! the language says is tried on facts.

use super::Policy;
use super::award::{Base, Level, Recipient};
use super::step::{Act, Pooling};
use super::year::YearRule;
use crate::domain::sentence::Sentence;

impl Policy {
    /// Why no evaluation can keep what the pack says; `None`: one can.
    pub fn beyond_evaluations(&self) -> Option<Sentence> {
        let grain = self.grain();
        let is_plain_year = self.year.starts == YearRule::default().starts;
        if self.scores.is_empty() || self.grades.is_none() {
            return Some(("没有得分或等次", "it has no scores, or no grades").into());
        }
        if self.evaluation.per != Level::Organization {
            return Some(("按单台仪器评价", "it evaluates single instruments").into());
        }
        if !is_plain_year || !self.year.claims.is_empty() {
            return Some(
                (
                    "年度不是自然年，或有申报窗口",
                    "its year is no calendar year, or has claim windows",
                )
                    .into(),
            );
        }
        if !self.parameters.is_empty() {
            return Some(("有待定的参数", "it leaves parameters open").into());
        }
        let asks = grain.detail || grain.record;
        asks.then(|| ("按服务的细项计算", "it asks finer facts of services").into())
    }

    /// Why no subsidy run can keep what the pack pays; `None`: one can.
    pub fn beyond_runs(&self) -> Option<Sentence> {
        let [award] = self.awards.as_slice() else {
            return Some(("不是恰好一项补助", "it has not exactly one award").into());
        };
        let is_kept = award.recipient == Recipient::Host
            && award.per == Level::Instrument
            && matches!(award.base, Base::Metric { .. })
            && award.counts_records()
            && award.steps.iter().all(|step| match &step.act {
                Act::Pool { how, .. } => *how == Pooling::ProRata,
                Act::Brackets { .. } => false,
                _ => true,
            });
        match is_kept {
            true => self.beyond_evaluations(),
            false => Some(
                (
                    "补助不是按仪器发给管理单位的",
                    "its award is not one to hosts, by instrument, cut by one factor",
                )
                    .into(),
            ),
        }
    }
}
