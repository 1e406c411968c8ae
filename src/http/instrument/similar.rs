//! `/instruments/{id}/similar`: instruments of the same class, the most alike first.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::super::answer::Answer;
use super::super::booking::SlotShape;
use super::super::context::RequestContext;
use super::super::route::{Route, get};
use super::found::FoundInstrumentShape;
use crate::domain::access::Action;
use crate::error::{AppError, Code, Fault};
use crate::operations::instrument::{self, SIMILAR_MAX, Similar, SimilarAsked, Utilization};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments/{id}/similar",
            Action::InstrumentSimilarList,
            "Instruments of the same class that everybody may see, the most alike first",
            find,
        )
        .parameters(&["radius_km", "limit"])
        .words::<SimilarLimit>("limit")
        .answers::<SimilarInstrumentsShape>(200),
    ]
}

/// How many may be asked for.
struct SimilarLimit;

impl PartialSchema for SimilarLimit {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        let bounded = number.minimum(Some(1)).maximum(Some(SIMILAR_MAX));
        RefOr::T(Schema::Object(bounded.build()))
    }
}

/// Instruments that are alike.
#[derive(Serialize, ToSchema)]
struct SimilarInstrumentsShape {
    items: Vec<SimilarInstrumentShape>,
}

/// An instrument with how alike it is to the one asked about.
#[derive(Serialize, ToSchema)]
struct SimilarInstrumentShape {
    #[serde(flatten)]
    instrument: FoundInstrumentShape,
    /// From 0 to 100.
    similarity: usize,
    /// Effective minutes by rated ones in the last twelve months, with four decimals; null where it rests on fewer than
    /// three using units, or where no pack in force rates it.
    utilization: Option<String>,
    /// What is null because it rests on fewer than three using units.
    suppressed: Vec<&'static str>,
    /// The next times of the shortest booking, at most three; none of what is not shared with the caller.
    next_free: Vec<SlotShape>,
}

impl From<Similar> for SimilarInstrumentShape {
    fn from(found: Similar) -> Self {
        let (utilization, suppressed) = match found.utilization {
            Utilization::Told(share) => (Some(share), Vec::new()),
            Utilization::Suppressed => (None, vec!["utilization"]),
            Utilization::Unknown => (None, Vec::new()),
        };
        Self {
            instrument: FoundInstrumentShape::of(found.instrument, found.distance),
            similarity: found.similarity,
            utilization,
            suppressed,
            next_free: found.next_free.into_iter().map(SlotShape::from).collect(),
        }
    }
}

fn asked(context: &RequestContext) -> Result<SimilarAsked, AppError> {
    let params = context.params()?;
    let limit = params.one::<i64>("limit")?;
    let limit = match limit.map(usize::try_from) {
        None => SIMILAR_MAX,
        Some(Ok(limit)) if (1..=SIMILAR_MAX).contains(&limit) => limit,
        Some(_) => {
            let fault = Fault::field("limit", Code::out_of_range);
            return Err(AppError::Malformed(vec![
                fault.limit(format!("1–{SIMILAR_MAX}")),
            ]));
        }
    };
    Ok(SimilarAsked {
        radius: params.one("radius_km")?,
        limit,
    })
}

async fn find(context: RequestContext) -> Answer {
    let (actor, id) = (context.reader(), context.id("id")?);
    let found = instrument::list_similar(&context.app, &actor, id, asked(&context)).await?;
    context.ok(SimilarInstrumentsShape {
        items: found.into_iter().map(Into::into).collect(),
    })
}
