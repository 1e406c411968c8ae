//! `/categories` and `/regions`: the classifications that codes in other answers refer to.

use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Page};
use super::context::RequestContext;
use super::route::{Route, get};
use crate::domain::access::Action;
use crate::domain::region::RegionLevel;
use crate::operations::reference::{self, Category, Region};

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/categories",
            Action::CategoryList,
            "The classes of instruments",
            categories,
        )
        .parameters(&["parent", "limit", "cursor"])
        .ignores_caller()
        .answers::<Page<CategoryShape>>(200),
        get(
            "/regions",
            Action::RegionList,
            "The administrative regions",
            regions,
        )
        .parameters(&["parent", "limit", "cursor"])
        .ignores_caller()
        .answers::<Page<RegionShape>>(200),
    ]
}

#[derive(Serialize, ToSchema)]
struct CategoryShape {
    code: String,
    /// The next wider class.
    parent: Option<String>,
    name: String,
}

#[derive(Serialize, ToSchema)]
struct RegionShape {
    code: String,
    /// The city or province it lies in.
    parent: Option<String>,
    level: RegionLevel,
    name: String,
    /// Whether GB/T 2260 has the code; the others are zones of the statistics bureau.
    gbt2260: bool,
}

impl From<Category> for CategoryShape {
    fn from(category: Category) -> Self {
        Self {
            code: category.code,
            parent: category.parent,
            name: category.name,
        }
    }
}

impl From<Region> for RegionShape {
    fn from(region: Region) -> Self {
        Self {
            code: region.code,
            parent: region.parent,
            level: region.level,
            name: region.name,
            gbt2260: region.gbt2260,
        }
    }
}

/// Whether a row lies directly below a wider code asked for; without one, every row.
fn is_below(parent: &Option<String>, wider: &[String]) -> bool {
    wider.is_empty() || parent.as_ref().is_some_and(|parent| wider.contains(parent))
}

async fn categories(context: RequestContext) -> Answer {
    let params = context.params()?;
    let wider = params.all("parent")?;
    let mut all = reference::list_categories(&context.app, &context.reader()).await?;
    all.retain(|row| is_below(&row.parent, &wider));
    let code = |row: &Category| row.code.clone();
    context.ok(Page::of(all, &params, code, CategoryShape::from)?)
}

async fn regions(context: RequestContext) -> Answer {
    let params = context.params()?;
    let wider = params.all("parent")?;
    let mut all = reference::list_regions(&context.app, &context.reader()).await?;
    all.retain(|row| is_below(&row.parent, &wider));
    let code = |row: &Region| row.code.clone();
    context.ok(Page::of(all, &params, code, RegionShape::from)?)
}
