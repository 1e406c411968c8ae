//! The yearly evaluation: from frozen inputs and a policy to exact scores, totals and grades. Pure; nothing is rounded.

mod assembly;
mod grade;
mod inputs;
mod lines;
mod measure;
mod reading;
mod relations;
#[cfg(test)]
pub(crate) mod sample;
mod score;

pub use super::policy::Grade;
pub use assembly::InputsMistake;
pub use grade::{Evaluation, GradedHost, InstrumentFigures, grade};
pub use inputs::{
    ExpertPoints, Host, HostCounts, Inputs, Instrument, InstrumentFlags, Relation, UsageGroup,
    UsageGroupKey, UsageTotals, UsingUnit, days_in_service, days_of_year,
};
pub use lines::Format;
pub use measure::{of_instrument as measure_instrument, of_unit as measure_unit};
pub use reading::LineMistake;
pub use relations::Relations;
pub use score::{ScoreExplanation, ScoreResult};
