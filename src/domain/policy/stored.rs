//! Which packs a run can follow: every one that has what the run is for. What the records of the platform do not tell counts as
//! absent, as in a folder of facts.

use super::Policy;
use crate::domain::sentence::Sentence;

impl Policy {
    /// Why no evaluation can follow the pack; `None`: one can.
    pub fn beyond_evaluations(&self) -> Option<Sentence> {
        let has_none = self.scores.is_empty();
        has_none.then(|| ("没有得分指标", "it has no scores").into())
    }

    /// Why no subsidy run can follow the pack; `None`: one can.
    pub fn beyond_runs(&self) -> Option<Sentence> {
        let has_none = self.awards.is_empty();
        has_none.then(|| ("没有补助", "it pays nothing").into())
    }
}
