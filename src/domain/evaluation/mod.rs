//! The yearly evaluation: from frozen inputs and a policy to exact scores, totals and grades. Pure; nothing is rounded.

mod assembly;
mod certified;
mod effects;
mod grade;
mod grade_reason;
mod inputs;
mod judge;
mod lines;
mod measure;
mod reading;
mod relations;
#[cfg(test)]
pub(crate) mod sample;
mod score;

pub use super::policy::Grade;
pub use assembly::InputsMistake;
pub use certified::{Certified, CertifiedDays};
pub use effects::{Effects, RecordEffect};
pub use grade::{Evaluation, GradedHost, GradedInstrument, GradesGiven, InstrumentFigures, grade};
pub use grade_reason::{GradeReason, Placed, grade_reason};
pub use inputs::{
    Awarded, AwardedTo, ExpertPoints, Host, HostCounts, Inputs, Instrument, InstrumentFacts,
    InstrumentFlags, RecordFacts, Relation, RequestGroup, ServiceDetail, UsageGroup, UsageGroupKey,
    UsageTotals, UsingUnit, days_in_service,
};
pub use judge::{Judge, Subject};
pub use lines::{Format, StoredText};
pub(crate) use measure::tally_of;
pub use reading::LineMistake;
pub use relations::Relations;
pub use score::{ScoreExplanation, ScoreResult};
