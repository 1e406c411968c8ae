//! Finding entries: what a text, a place and a radius leave of those that a caller or visitor may see; in the order of a
//! column, or ranked by relevance, price or distance; and how many are of which kind. The index of instruments proposes, the
//! database says what is so.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::read::within_reach;
use crate::app::App;
use crate::app::search::Search;
use crate::domain::access::Action;
use crate::domain::instrument::{Point, Radius};
use crate::domain::search::{Count, Facet, Hit, Index, Matches};
use crate::domain::{Fen, InstrumentId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::search::catch_up;
use crate::store::instrument::{Filter, Instrument, Key, Position, SortField};
use crate::store::{self, Conn};

/// So many instruments are named to the database; more are looked up here.
const NAMED_MAX: usize = 1_000;

/// What is asked of a list beside its filter.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub near: Option<Point>,
    pub radius: Option<Radius>,
    pub facets: Vec<Facet>,
}

impl Asked {
    /// What cannot be done without a place.
    fn check(&self, field: SortField) -> Result<(), AppError> {
        let needs_place = self.radius.is_some() || field == SortField::Distance;
        match self.near {
            None if needs_place => Err(AppError::Malformed(vec![Fault::field(
                "near",
                Code::missing_field,
            )])),
            _ => Ok(()),
        }
    }
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Listed {
    pub instrument: Instrument,
    /// Where the list goes on behind it.
    pub position: Position,
    /// From the place that was named, where both are known, in meters.
    pub distance: Option<u32>,
}

/// A page of a list, and what was asked of the whole.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub rows: Vec<Listed>,
    pub rest: Option<Position>,
    /// All that the filter admits; told of searches and where facets are asked for.
    pub total: Option<usize>,
    pub facets: Option<BTreeMap<Facet, Vec<Count>>>,
    /// The synonyms that were taken, where a text is looked for.
    pub expanded: Option<Vec<String>>,
}

/// The entries that the filter asks for and the caller or visitor may see.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Filter,
    asked: Asked,
) -> Result<Listing, AppError> {
    asked.check(filter.sort.field)?;
    let filter = within_reach(actor, Action::InstrumentList, filter);
    let (node, is_search) = (app.clone(), filter.is_search() || asked.radius.is_some());
    let is_counted = !asked.facets.is_empty() || !filter.texts.is_empty() || asked.radius.is_some();
    let on = actor.now.local_date();
    let find = move |conn: &mut Conn| {
        let search = &node.search;
        let (filter, found) = narrowed(search, conn, filter, &asked)?;
        let mut listing = match filter.sort.field.is_ranked() {
            true => {
                let ids = admitted(conn, &filter)?;
                let ranks = match filter.sort.field {
                    SortField::Price => by_price(search, conn, &ids, on)?,
                    SortField::Distance => by_distance(&search.read(), &ids, asked.near),
                    _ => by_relevance(&found.hits, &ids),
                };
                let mut listing = ranked(conn, &filter, ranks)?;
                listing.count(search, &ids, &asked);
                listing
            }
            false => {
                let mut listing = in_order(conn, &filter)?;
                if is_counted {
                    let ids = admitted(conn, &filter)?;
                    listing.count(search, &ids, &asked);
                }
                listing
            }
        };
        listing.measure(asked.near);
        listing.expanded = (!filter.texts.is_empty()).then_some(found.expanded);
        Ok(listing)
    };
    match is_search {
        true => app.store.read_search(find).await,
        false => app.store.read(find).await,
    }
}

/// The filter with the instruments that meet its texts and stand within the radius.
pub(super) fn narrowed(
    search: &Search,
    conn: &mut Conn,
    filter: Filter,
    asked: &Asked,
) -> Result<(Filter, Matches), AppError> {
    let is_needed = !filter.texts.is_empty()
        || asked.radius.is_some()
        || !asked.facets.is_empty()
        || filter.sort.field.is_ranked();
    if !is_needed {
        return Ok((filter, Matches::default()));
    }
    catch_up(search, conn)?;
    let index = search.read();
    let (mut among, mut found): (Option<HashSet<InstrumentId>>, _) = (None, Matches::default());
    if !filter.texts.is_empty() {
        found = index.find(&filter.texts, &search.synonyms);
        among = Some(found.hits.iter().map(|hit| hit.id).collect());
    }
    if let (Some(near), Some(radius)) = (asked.near, asked.radius) {
        let is_near = |point: Point| near.meters_to(point) <= radius.meters();
        let within = index.points().filter(|(_, point)| is_near(*point));
        let within: HashSet<InstrumentId> = within.map(|(id, _)| id).collect();
        among = Some(match among {
            Some(among) => among.intersection(&within).copied().collect(),
            None => within,
        });
    }
    let among = among.map(|ids| {
        let mut ids: Vec<InstrumentId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids
    });
    Ok((Filter { among, ..filter }, found))
}

/// The ids of all that the filter admits. Where it names many, the database is asked for all and they are kept here.
fn admitted(conn: &mut Conn, filter: &Filter) -> Result<Vec<InstrumentId>, AppError> {
    match &filter.among {
        Some(among) if among.len() > NAMED_MAX => {
            let wide = Filter {
                among: None,
                ..filter.clone()
            };
            let mut ids = store::instrument::list_ids(conn, &wide)?;
            ids.retain(|id| among.binary_search(id).is_ok());
            Ok(ids)
        }
        _ => Ok(store::instrument::list_ids(conn, filter)?),
    }
}

/// A rank for each instrument, the least first; what has none stands last in either direction.
type Ranks = Vec<(Option<i64>, InstrumentId)>;

fn by_relevance(hits: &[Hit], ids: &[InstrumentId]) -> Ranks {
    let ranks: HashMap<InstrumentId, u32> = hits.iter().map(|hit| (hit.id, hit.rank)).collect();
    let rank = |id: &InstrumentId| -ranks.get(id).map_or(0, |rank| i64::from(*rank));
    ids.iter().map(|id| (Some(rank(id)), *id)).collect()
}

/// What is not shared with others has no price for them.
fn by_price(
    search: &Search,
    conn: &mut Conn,
    ids: &[InstrumentId],
    on: chrono::NaiveDate,
) -> Result<Ranks, AppError> {
    let lowest = store::tariff::list_lowest(conn, on)?;
    let index = search.read();
    let price = |id: &InstrumentId| lowest.get(id).filter(|_| index.is_external(*id));
    let ranked = ids
        .iter()
        .map(|id| (price(id).copied().map(Fen::number), *id));
    Ok(ranked.collect())
}

fn by_distance(index: &Index, ids: &[InstrumentId], near: Option<Point>) -> Ranks {
    let meters = |id: &InstrumentId| Some(i64::from(near?.meters_to(index.point(*id)?)));
    ids.iter().map(|id| (meters(id), *id)).collect()
}

/// The page of a ranked order. Equals stand in the order of ids, which a reversed order reverses too.
fn ranked(conn: &mut Conn, filter: &Filter, ranks: Ranks) -> Result<Listing, AppError> {
    let field = filter.sort.field;
    let sign = if filter.sort.is_descending { -1 } else { 1 };
    let directed = |(rank, id): (Option<i64>, InstrumentId)| {
        let rank = rank.map_or(i64::MAX, |rank| sign * rank);
        (rank, sign * id.number(), id)
    };
    let mut all: Vec<(i64, i64, InstrumentId)> = ranks.into_iter().map(directed).collect();
    if let Some(after) = &filter.after
        && let Some(rank) = after.key.rank()
    {
        let place = (rank, sign * after.id.number());
        all.retain(|(rank, id, _)| (*rank, *id) > place);
    }
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    if limit < all.len() {
        all.select_nth_unstable(limit);
        all.truncate(limit);
    }
    all.sort_unstable();
    let ids: Vec<InstrumentId> = all.iter().map(|(_, _, id)| *id).collect();
    let ranks: HashMap<InstrumentId, i64> = all.iter().map(|(rank, _, id)| (*id, *rank)).collect();
    let rows = store::instrument::list_by_ids(conn, &ids)?;
    let rows = rows.into_iter().map(|instrument| Listed {
        position: Position {
            key: Key::ranked(
                field,
                ranks.get(&instrument.id).copied().unwrap_or_default(),
            ),
            id: instrument.id,
        },
        instrument,
        distance: None,
    });
    Ok(Listing {
        rows: rows.collect(),
        ..Listing::default()
    })
}

/// The page of the order of a column.
fn in_order(conn: &mut Conn, filter: &Filter) -> Result<Listing, AppError> {
    let found = store::instrument::list(conn, filter)?;
    let rows = found.rows.into_iter().map(|instrument| Listed {
        position: Position::of(&instrument, filter.sort.field),
        instrument,
        distance: None,
    });
    Ok(Listing {
        rows: rows.collect(),
        rest: found.rest,
        ..Listing::default()
    })
}

/// All of a ranked order, up to the filter's limit.
pub(super) fn list_all_ranked(
    search: &Search,
    conn: &mut Conn,
    filter: &Filter,
    found: &Matches,
    on: chrono::NaiveDate,
) -> Result<Vec<Instrument>, AppError> {
    let ids = admitted(conn, filter)?;
    let ranks = match filter.sort.field {
        SortField::Price => by_price(search, conn, &ids, on)?,
        _ => by_relevance(&found.hits, &ids),
    };
    let rows = ranked(conn, filter, ranks)?.rows.into_iter();
    Ok(rows.map(|row| row.instrument).collect())
}

impl Listing {
    fn count(&mut self, search: &Search, ids: &[InstrumentId], asked: &Asked) {
        self.total = Some(ids.len());
        if asked.facets.is_empty() {
            return;
        }
        let index = search.read();
        self.facets = Some(index.count(&asked.facets, ids));
    }

    fn measure(&mut self, near: Option<Point>) {
        let Some(near) = near else { return };
        for row in &mut self.rows {
            let about = &row.instrument.facts.description;
            let point = about.latitude.zip(about.longitude);
            row.distance = point.map(|(latitude, longitude)| {
                near.meters_to(Point {
                    latitude,
                    longitude,
                })
            });
        }
    }
}
