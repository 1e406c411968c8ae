//! What two runs of a kind say differently: as JSON, or as a table for a spreadsheet.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::policy::Grade;
use crate::domain::run::{RunId, RunKind};
use crate::domain::{Fen, OrganizationId};
use crate::error::{AppError, Code, Fault};
use crate::exchange::comparison::{self as table, Format};
use crate::http::answer::Answer;
use crate::http::context::RequestContext;
use crate::operations::yearly_run::comparison::{self, Cause, Comparison, Group, Side, UnitChange};

pub async fn get(context: RequestContext, kind: RunKind) -> Answer {
    let before = super::id(&context, kind)?;
    let after = with(&context, kind);
    let compared = comparison::compare(&context.app, &context.reader(), before, after).await?;
    let format: Option<Format> = context.params()?.one("format")?;
    let sheet = match format.unwrap_or(Format::Json) {
        Format::Json => return context.ok(ComparisonShape::from(compared)),
        Format::Csv => crate::exchange::sheet::Format::Csv,
        Format::Xlsx => crate::exchange::sheet::Format::Xlsx,
    };
    let write = move || table::write(&compared, sheet).map_err(AppError::internal);
    let bytes = context.app.tables.run(write).await??;
    let name = format!("comparison-{kind}-{}.{sheet}", before.number());
    context.download(sheet.media_type(), &name, bytes)
}

/// The run to compare with.
fn with(context: &RequestContext, kind: RunKind) -> Result<RunId, AppError> {
    let number: Option<i64> = context.params()?.one("with")?;
    let fault = |code| AppError::Malformed(vec![Fault::field("with", code)]);
    let number = number.ok_or_else(|| fault(Code::required))?;
    kind.id(number).map_err(|_| fault(Code::malformed))
}

/// What two runs say differently. `before` is the run of the path, `after` that of `with`; of evaluations, who gains has more
/// points, and there is no money.
#[derive(Serialize, ToSchema)]
pub struct ComparisonShape {
    before_id: i64,
    after_id: i64,
    totals: TotalsShape,
    gain: GroupShape,
    same: GroupShape,
    lose: GroupShape,
    /// Who gains most comes first.
    units: Vec<UnitChangeShape>,
}

#[derive(Serialize, ToSchema)]
struct TotalsShape {
    before_awarded_fen: Option<Fen>,
    after_awarded_fen: Option<Fen>,
}

#[derive(Serialize, ToSchema)]
struct GroupShape {
    units: i64,
    sum_fen: Fen,
}

/// A unit on both sides; one is null where the run does not know it.
#[derive(Serialize, ToSchema)]
struct UnitChangeShape {
    organization_id: OrganizationId,
    name: String,
    before: Option<SideShape>,
    after: Option<SideShape>,
    change_fen: Fen,
    causes: Vec<CauseShape>,
}

#[derive(Serialize, ToSchema)]
struct SideShape {
    /// 2 decimals.
    total: Option<String>,
    grade: Option<Grade>,
    place: Option<i64>,
    award_fen: Option<Fen>,
}

/// An indicator whose points differ, or, as `award/instrument|unit/step`, the first step of an award that comes to another sum.
#[derive(Serialize, ToSchema)]
struct CauseShape {
    id: String,
    before: Option<String>,
    after: Option<String>,
}

impl From<Comparison> for ComparisonShape {
    fn from(compared: Comparison) -> Self {
        let units = compared.units.into_iter();
        Self {
            before_id: compared.before_id,
            after_id: compared.after_id,
            totals: TotalsShape {
                before_awarded_fen: compared.totals.before_awarded_fen,
                after_awarded_fen: compared.totals.after_awarded_fen,
            },
            gain: compared.gain.into(),
            same: compared.same.into(),
            lose: compared.lose.into(),
            units: units.map(UnitChangeShape::from).collect(),
        }
    }
}

impl From<Group> for GroupShape {
    fn from(group: Group) -> Self {
        Self {
            units: group.units,
            sum_fen: group.sum_fen,
        }
    }
}

impl From<UnitChange> for UnitChangeShape {
    fn from(unit: UnitChange) -> Self {
        let causes = unit.causes.into_iter();
        Self {
            organization_id: unit.organization_id,
            name: unit.name,
            before: unit.before.map(SideShape::from),
            after: unit.after.map(SideShape::from),
            change_fen: unit.change_fen,
            causes: causes.map(CauseShape::from).collect(),
        }
    }
}

impl From<Side> for SideShape {
    fn from(side: Side) -> Self {
        Self {
            total: side.total,
            grade: side.grade,
            place: side.place,
            award_fen: side.award_fen,
        }
    }
}

impl From<Cause> for CauseShape {
    fn from(cause: Cause) -> Self {
        Self {
            id: cause.id,
            before: cause.before,
            after: cause.after,
        }
    }
}
