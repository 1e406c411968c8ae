//! Lists of instruments: what the visitor may see, filtered and sorted, or as a feed of what changed.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::answer::{Answer, Page};
use super::super::context::RequestContext;
use super::super::feed::{self, Changes};
use super::super::params::Params;
use super::super::route::{Route, get};
use super::found::{FoundInstrumentShape, ListedInstrumentPage};
use crate::domain::access::{Action, Reach};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::search::Facet;
use crate::domain::{Fen, Instant};
use crate::error::{AppError, Code, Fault};
use crate::operations::instrument::{self, Asked, Listed};
use crate::store::instrument::{Filter, Instrument, Sort, SortField, Withdrawn};
use crate::store::page::Found;

/// What narrows a list of instruments.
pub const FILTERS: &[&str] = &[
    "q",
    "category",
    "region",
    "organization",
    "method",
    "share_mode",
    "status",
    "max_price_fen",
    "accepted_from",
    "accepted_until_on",
    "original_value_from_fen",
    "incomplete_on",
    "updated_since",
    "near",
    "radius_km",
    "facet",
    "sort",
    "limit",
    "cursor",
];

pub fn routes() -> Vec<Route> {
    vec![
        get(
            "/instruments",
            Action::InstrumentList,
            "The catalog of instruments",
            list,
        )
        .parameters(FILTERS)
        .words::<ShareMode>("share_mode")
        .words::<InstrumentState>("status")
        .words::<Facet>("facet")
        .words::<Sort>("sort")
        .answers::<ListedInstrumentPage>(200),
    ]
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ListedInstrument {
    Instrument(Box<FoundInstrumentShape>),
    Withdrawn(feed::Withdrawn),
}

/// The filter the parameters tell, at its first page. What the caller reaches, the operation knows.
pub fn filter(context: &RequestContext, params: &Params, limit: i64) -> Result<Filter, AppError> {
    let price_max = params.one("max_price_fen")?.map(Fen::new);
    Ok(Filter {
        reach: Reach::default(),
        is_public: true,
        texts: params.words("q")?,
        among: None,
        categories: params.all("category")?,
        regions: params.all("region")?,
        organizations: params.all("organization")?,
        methods: params.words("method")?,
        share_modes: params.all("share_mode")?,
        states: params.all("status")?,
        accepted_from: params.one("accepted_from")?,
        accepted_until: params.one("accepted_until_on")?,
        original_value_from: params.one("original_value_from_fen")?.map(Fen::new),
        incomplete_on: params.one("incomplete_on")?,
        price_max: price_max.map(|price| (price, context.now.local_date())),
        sort: params
            .one("sort")?
            .unwrap_or(Sort::ascending(SortField::Id)),
        after: None,
        limit,
    })
}

async fn list(context: RequestContext) -> Answer {
    let params = context.params()?;
    let limit = params.limit()?;
    let mut filter = filter(&context, &params, limit + 1)?;
    let asked = Asked {
        near: params.one("near")?,
        radius: params.one("radius_km")?,
        facets: params.all("facet")?,
    };
    if let Some(changes) = Changes::asked_for(&context, &params).await? {
        return list_changes(&context, &params, filter, &asked, changes).await;
    }
    if params.one::<Sort>("sort")?.is_none() && !filter.texts.is_empty() {
        filter.sort = Sort::ascending(SortField::Relevance);
    }
    filter.after = params.cursor()?;
    let field = filter.sort.field;
    if filter
        .after
        .as_ref()
        .is_some_and(|place| !place.fits(field))
    {
        return Err(invalid_cursor());
    }
    let found = instrument::list(&context.app, &context.reader(), filter, asked).await?;
    let whole = (found.total, found.facets, found.expanded);
    let place = |row: &Listed| row.position.clone();
    let page = Page::cut(found.rows, limit, place, ListedInstrument::from)?;
    let page = page.going_on(found.rest)?;
    context.ok(ListedInstrumentPage::of(page, whole, context.language))
}

fn invalid_cursor() -> AppError {
    AppError::Malformed(vec![Fault::field("cursor", Code::invalid_cursor)])
}

/// What changed, in the order of (`updated_at`, `id`).
async fn list_changes(
    context: &RequestContext,
    params: &Params,
    filter: Filter,
    asked: &Asked,
    changes: Changes,
) -> Answer {
    let has_sort = params.one::<Sort>("sort")?.is_some();
    let others = [
        ("sort", has_sort),
        ("near", asked.near.is_some()),
        ("radius_km", asked.radius.is_some()),
        ("facet", !asked.facets.is_empty()),
    ];
    let faults = others.into_iter().filter(|(_, is_asked)| *is_asked);
    let faults = faults.map(|(name, _)| {
        let fault = Fault::field(name, Code::invalid_value);
        fault.limit(format!("updated_since without {name}"))
    });
    let faults: Vec<Fault> = faults.collect();
    if !faults.is_empty() {
        return Err(AppError::Malformed(faults));
    }
    let after = changes.place();
    let actor = context.reader();
    let found = instrument::list_changed(&context.app, &actor, filter, after).await?;
    let page = changes.found(
        Found {
            rows: Change::in_order(found.shown, found.withdrawn),
            rest: found.rest,
        },
        params.limit()?,
        Change::place,
        ListedInstrument::from,
    )?;
    context.ok(page)
}

/// One row of the feed.
enum Change {
    Shown(Box<Instrument>),
    Withdrawn(Withdrawn),
}

impl Change {
    /// Two lists in order become one; cut after as many rows as each may have, it is as if read at once.
    fn in_order(shown: Vec<Instrument>, withdrawn: Vec<Withdrawn>) -> Vec<Change> {
        let shown = shown.into_iter().map(|row| Change::Shown(Box::new(row)));
        let mut all: Vec<_> = shown
            .chain(withdrawn.into_iter().map(Change::Withdrawn))
            .collect();
        all.sort_by_key(Change::place);
        all
    }

    fn place(&self) -> (Instant, i64) {
        match self {
            Change::Shown(row) => (row.updated_at, row.id.number()),
            Change::Withdrawn(row) => (row.updated_at, row.id.number()),
        }
    }
}

impl From<Listed> for ListedInstrument {
    fn from(row: Listed) -> Self {
        let shape = FoundInstrumentShape::of(row.instrument, row.distance);
        ListedInstrument::Instrument(Box::new(shape))
    }
}

impl From<Change> for ListedInstrument {
    fn from(change: Change) -> Self {
        match change {
            Change::Shown(row) => {
                ListedInstrument::Instrument(Box::new(FoundInstrumentShape::of(*row, None)))
            }
            Change::Withdrawn(row) => {
                ListedInstrument::Withdrawn(feed::Withdrawn::new(row.id, row.updated_at))
            }
        }
    }
}
