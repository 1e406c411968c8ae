//! Instruments like one: of the same class, the most alike first, with how much each was used in the last twelve months and
//! when it is free next.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{Days, Months, NaiveDate};

use super::context::InstrumentContext;
use super::find::{Asked, narrowed};
use crate::app::App;
use crate::domain::access::{Action, Reach};
use crate::domain::instrument::{Point, Radius};
use crate::domain::policy::RatedHours;
use crate::domain::search::Document;
use crate::domain::stats::USING_UNITS_MIN;
use crate::domain::{Instant, InstrumentId, Slot, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject::{Subject, Ties, authorize};
use crate::operations::{booking, duty};
use crate::store::instrument::{Filter, Instrument, Sort, SortField};
use crate::store::search::NamesOfCodes;
use crate::store::usage::RecentUse;
use crate::store::{self, Conn};

/// The most that are told.
pub const SIMILAR_MAX: usize = 20;

/// Of a class this many are compared.
const COMPARED_MAX: usize = 2_000;

/// What is asked of those that are alike.
#[derive(Debug, Clone, Copy)]
pub struct SimilarAsked {
    pub radius: Option<Radius>,
    pub limit: usize,
}

/// An instrument that is like another.
#[derive(Debug, Clone)]
pub struct Similar {
    pub instrument: Instrument,
    /// From the other one, in meters, where both places are known.
    pub distance: Option<u32>,
    /// From 0 to 100.
    pub similarity: usize,
    pub utilization: Utilization,
    /// The next times of the shortest booking; none of what is not shared with the caller.
    pub next_free: Vec<Slot>,
}

/// Effective minutes by rated ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Utilization {
    /// With four decimals.
    Told(String),
    /// It rests on so few using units that it would tell of one.
    Suppressed,
    /// No pack in force rates it, or it was not in service.
    Unknown,
}

/// Those of the same class that everybody may see, the most alike first.
pub async fn list_similar(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    asked: Result<SimilarAsked, AppError>,
) -> Result<Vec<Similar>, AppError> {
    let (actor, node) = (actor.clone(), app.clone());
    let find = move |conn: &mut Conn| {
        let InstrumentContext { instrument, ties } = InstrumentContext::load(conn, &actor, id)?;
        let action = Action::InstrumentSimilarList;
        authorize(&actor, action, &Ties::Instrument(ties))?;
        let asked = asked?;
        let near = point_of(&instrument);
        let filter = of_class(&instrument);
        let filter = match (asked.radius, near) {
            (None, _) => filter,
            // Nothing is known to be near what stands nowhere.
            (Some(_), None) => return Ok(Vec::new()),
            (Some(_), Some(_)) => {
                let within = Asked {
                    near,
                    radius: asked.radius,
                    ..Asked::default()
                };
                narrowed(&node.search, conn, filter, &within)?.0
            }
        };
        let mut ids = store::instrument::list_ids(conn, &filter)?;
        ids.retain(|other| *other != id);
        ids.truncate(COMPARED_MAX);
        let alike = compared(conn, id, &ids, asked.limit)?;
        let rows = store::instrument::list_by_ids(
            conn,
            &alike.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        )?;
        described(conn, &actor, near, rows, &alike)
    };
    app.store.read_search(find).await
}

fn point_of(instrument: &Instrument) -> Option<Point> {
    let about = &instrument.facts.description;
    let point = about.latitude.zip(about.longitude);
    point.map(|(latitude, longitude)| Point {
        latitude,
        longitude,
    })
}

/// Everything that is public of the instrument's class.
fn of_class(instrument: &Instrument) -> Filter {
    Filter {
        reach: Reach::default(),
        is_public: true,
        texts: Vec::new(),
        among: None,
        categories: vec![instrument.facts.category_code],
        regions: Vec::new(),
        organizations: Vec::new(),
        methods: Vec::new(),
        share_modes: Vec::new(),
        states: Vec::new(),
        price_max: None,
        accepted_from: None,
        accepted_until: None,
        original_value_from: None,
        incomplete_on: None,
        sort: Sort::ascending(SortField::Id),
        after: None,
        limit: 0,
    }
}

/// The most alike, with how alike they are.
fn compared(
    conn: &mut Conn,
    id: InstrumentId,
    ids: &[InstrumentId],
    limit: usize,
) -> Result<Vec<(InstrumentId, usize)>, AppError> {
    let names = NamesOfCodes::default();
    let own = store::search::list_documents(conn, &names, &[id])?;
    let Some(own) = own.first() else {
        return Ok(Vec::new());
    };
    let others = store::search::list_documents(conn, &names, ids)?;
    let likeness = |other: &Document| (other.id, own.likeness(other));
    let mut alike: Vec<(InstrumentId, usize)> = others.iter().map(likeness).collect();
    alike.retain(|(_, likeness)| *likeness > 0);
    alike.sort_by_key(|(id, likeness)| (Reverse(*likeness), *id));
    alike.truncate(limit);
    Ok(alike)
}

fn described(
    conn: &mut Conn,
    actor: &Actor,
    near: Option<Point>,
    rows: Vec<Instrument>,
    alike: &[(InstrumentId, usize)],
) -> Result<Vec<Similar>, AppError> {
    let ids: Vec<InstrumentId> = rows.iter().map(|row| row.id).collect();
    let alike: BTreeMap<InstrumentId, usize> = alike.iter().copied().collect();
    let today = actor.now.local_date();
    let rated = duty::rated_on(conn, today)?;
    let from_on = today
        .checked_sub_months(Months::new(12))
        .and_then(|day| day.checked_add_days(Days::new(1)))
        .unwrap_or(today);
    let from = Instant::at_midnight(from_on);
    let uses = store::usage::list_recent_use(conn, &ids, (from, actor.now))?;
    let calendar = store::calendar::get(conn)?;
    let unit = actor.caller().ok().map(|caller| caller.organization_id);
    let terms = store::terms::list(conn, &ids)?;
    let mut next = BTreeMap::new();
    for terms in &terms {
        if terms.is_bookable() && booking::is_shared_with(terms, unit) {
            let free = booking::next_free_of(conn, terms, &calendar, actor.now)?;
            next.insert(terms.instrument_id, free);
        }
    }
    let all = rows.into_iter().map(|instrument| {
        let known = uses
            .iter()
            .find(|known| known.instrument_id == instrument.id);
        let point = point_of(&instrument);
        Similar {
            distance: near.zip(point).map(|(near, point)| near.meters_to(point)),
            similarity: alike.get(&instrument.id).copied().unwrap_or_default(),
            utilization: utilization(rated, &instrument, known, (from_on, today)),
            next_free: next.remove(&instrument.id).unwrap_or_default(),
            instrument,
        }
    });
    Ok(all.collect())
}

/// Rated minutes go by the days in service.
fn utilization(
    rated: Option<RatedHours>,
    instrument: &Instrument,
    known: Option<&RecentUse>,
    (from_on, until_on): (NaiveDate, NaiveDate),
) -> Utilization {
    let facts = &instrument.facts;
    let in_service = facts.enabled_on.or(facts.accepted_on);
    let (Some(rated), Some(in_service)) = (rated, in_service) else {
        return Utilization::Unknown;
    };
    let whole = (until_on - from_on).num_days() + 1;
    let days = (until_on - in_service.max(from_on)).num_days() + 1;
    let hours = rated.of(facts.purpose_type);
    if days <= 0 || hours <= 0 {
        return Utilization::Unknown;
    }
    let units = known.map_or(0, |known| known.units);
    let minutes = known.map_or(0, |known| known.minutes.number());
    if minutes > 0 && usize::try_from(units).unwrap_or_default() < USING_UNITS_MIN {
        return Utilization::Suppressed;
    }
    let share = ratio::whole(minutes * whole) / ratio::whole(hours * 60 * days);
    Utilization::Told(ratio::decimal(&share, 4))
}
