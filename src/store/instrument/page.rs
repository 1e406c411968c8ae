//! Pages of instruments: in the order that is asked for, from an index of its own, or of few by sorting them; or in the order
//! of change, with those that left the public list.

use std::collections::HashMap;

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamp, Untyped};

use super::Instrument;
use super::search::{Condition, Filter, conditions, seen};
use super::sort::{Key as SortKey, Position, SortField};
use crate::domain::instrument::InstrumentState;
use crate::domain::{Instant, InstrumentId, OrganizationId};
use crate::store::case_fold::CaseFold;
use crate::store::page::{Key, PARTS, ROWS_MAX, Range, in_range, load_keys};
use crate::store::schema::instrument;
use crate::store::{Conn, Result};

type Query<'a> = instrument::BoxedQuery<'a, <Conn as Connection>::Backend>;

/// Some instruments; `rest` is the last place looked at, when rows behind it were not.
#[derive(Debug, Clone)]
pub struct Sorted {
    pub rows: Vec<Instrument>,
    pub rest: Option<Position>,
}

/// The instruments the filter admits, in its order.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Sorted> {
    let mut list = List {
        filter,
        letters: CaseFold::of(conn),
        few: None,
    };
    list.few = few(conn, filter)?;
    if list.few.is_some() {
        let rows = list.rows(conn, filter.after.as_ref(), None, filter.limit)?;
        return Ok(Sorted { rows, rest: None });
    }
    let mut after = filter.after.clone();
    let mut rows: Vec<Instrument> = Vec::new();
    for part in PARTS {
        let bound = list.nth(conn, after.as_ref(), part - 1)?;
        let missing = filter.limit - i64::try_from(rows.len()).unwrap_or(filter.limit);
        rows.extend(list.rows(conn, after.as_ref(), bound.as_ref(), missing)?);
        if bound.is_none() || i64::try_from(rows.len()).unwrap_or(i64::MAX) >= filter.limit {
            return Ok(Sorted { rows, rest: None });
        }
        after = bound;
    }
    Ok(Sorted { rows, rest: after })
}

/// The ids of all that the filter admits, in no order.
pub fn list_ids(conn: &mut Conn, filter: &Filter) -> Result<Vec<InstrumentId>> {
    let letters = CaseFold::of(conn);
    let mut query = driven(filter).filter(seen(filter));
    for condition in conditions(filter, letters) {
        query = query.filter(condition);
    }
    Ok(query.select(instrument::id).load(conn)?)
}

/// These instruments, in the order of the ids.
pub fn list_by_ids(conn: &mut Conn, ids: &[InstrumentId]) -> Result<Vec<Instrument>> {
    let mut rows: Vec<Instrument> = Vec::with_capacity(ids.len());
    for some in ids.chunks(1_000) {
        let found = instrument::table.filter(instrument::id.eq_any(some));
        rows.extend(found.select(Instrument::as_select()).load(conn)?);
    }
    let places: HashMap<InstrumentId, usize> = ids.iter().copied().zip(0..).collect();
    rows.sort_by_key(|row| places.get(&row.id).copied());
    Ok(rows)
}

/// All pages, up to the filter's limit.
pub fn list_all(conn: &mut Conn, mut filter: Filter) -> Result<Vec<Instrument>> {
    let mut all = Vec::new();
    loop {
        let found = list(conn, &filter)?;
        filter.limit -= i64::try_from(found.rows.len()).unwrap_or(filter.limit);
        all.extend(found.rows);
        if found.rest.is_none() || filter.limit <= 0 {
            return Ok(all);
        }
        filter.after = found.rest;
    }
}

/// So few instruments that they may be sorted: no more than half of what a page may look at.
enum Few {
    OfHosts(Vec<OrganizationId>),
    /// Those that the filter names.
    These,
}

/// The few that alone are asked for: those that the filter names, or those of its hosts.
fn few(conn: &mut Conn, filter: &Filter) -> Result<Option<Few>> {
    if filter.are_few() {
        return Ok(Some(Few::These));
    }
    let reach = &filter.reach;
    let is_own = !filter.is_public && !reach.everything && reach.region.is_none();
    let hosts = match (filter.organizations.is_empty(), is_own) {
        (false, _) => filter.organizations.clone(),
        (true, true) => {
            let managed = reach.managed.map(|(host, _)| host);
            reach.host.into_iter().chain(managed).collect()
        }
        (true, false) => return Ok(None),
    };
    let beyond: Vec<InstrumentId> = instrument::table
        .filter(instrument::organization_id.eq_any(&hosts))
        .select(instrument::id)
        .limit(1)
        .offset(ROWS_MAX / 2)
        .load(conn)?;
    Ok(beyond.is_empty().then_some(Few::OfHosts(hosts)))
}

struct List<'a> {
    filter: &'a Filter,
    letters: CaseFold,
    few: Option<Few>,
}

impl List<'_> {
    /// The column of the order; under a function that hides it from the choice of an index where few rows are sorted.
    fn column(&self) -> String {
        let name = match self.filter.sort.field {
            SortField::Id | SortField::Relevance | SortField::Price | SortField::Distance => {
                "instrument.id"
            }
            SortField::Name => "instrument.name",
            SortField::AssetNo => "instrument.asset_no",
            SortField::OriginalValue => "instrument.original_value_fen",
            SortField::CreatedAt => "instrument.created_at",
            SortField::UpdatedAt => "instrument.updated_at",
        };
        match self.few {
            Some(_) => format!("COALESCE({name}, {name})"),
            None => name.to_owned(),
        }
    }

    /// Rows behind `after` up to `through`, in order.
    fn between<'q>(&self, after: Option<&Position>, through: Option<&Position>) -> Query<'q> {
        let column = self.column();
        let (behind, up_to, direction) = if self.filter.sort.is_descending {
            ("<", ">=", "DESC")
        } else {
            (">", "<=", "ASC")
        };
        let mut query = instrument::table.into_boxed();
        if let Some(Few::OfHosts(hosts)) = &self.few {
            query = query.filter(instrument::organization_id.eq_any(hosts.clone()));
        }
        if let Some(after) = after {
            query = query.filter(compared(&column, behind, after));
        }
        if let Some(through) = through {
            query = query.filter(compared(&column, up_to, through));
        }
        let order = format!("{column} {direction}, instrument.id {direction}");
        query.order(sql::<Untyped>(&order))
    }

    fn nth(
        &self,
        conn: &mut Conn,
        after: Option<&Position>,
        skipped: i64,
    ) -> Result<Option<Position>> {
        let query = self.between(after, None).limit(1).offset(skipped);
        let rows: Vec<Instrument> = query.select(Instrument::as_select()).load(conn)?;
        let field = self.filter.sort.field;
        Ok(rows.first().map(|row| Position::of(row, field)))
    }

    fn rows(
        &self,
        conn: &mut Conn,
        after: Option<&Position>,
        through: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Instrument>> {
        let mut query = self.between(after, through).filter(seen(self.filter));
        for condition in conditions(self.filter, self.letters) {
            query = query.filter(condition);
        }
        Ok(query
            .limit(limit)
            .select(Instrument::as_select())
            .load(conn)?)
    }
}

/// A row's place against another, both parts compared as one, which lets the index find it.
fn compared(column: &str, comparison: &str, place: &Position) -> Condition {
    let pair = format!("({column}, instrument.id) {comparison} (");
    macro_rules! with {
        ($kind:ty, $key:expr) => {
            Box::new(
                sql::<Bool>(&pair)
                    .bind::<$kind, _>($key)
                    .sql(", ")
                    .bind::<BigInt, _>(place.id)
                    .sql(")"),
            )
        };
    }
    match &place.key {
        SortKey::Id | SortKey::Relevance(_) | SortKey::Price(_) | SortKey::Distance(_) => {
            let alone = format!("{column} {comparison} ");
            Box::new(sql::<Bool>(&alone).bind::<BigInt, _>(place.id))
        }
        SortKey::Name(key) | SortKey::AssetNo(key) => with!(Text, key.clone()),
        SortKey::OriginalValue(key) => with!(BigInt, *key),
        SortKey::CreatedAt(key) | SortKey::UpdatedAt(key) => with!(Timestamp, *key),
    }
}

/// An instrument that was public and no longer is.
#[derive(Debug, Clone, Queryable)]
pub struct Withdrawn {
    pub id: InstrumentId,
    pub updated_at: Instant,
}

/// What changed, each in the order of (`updated_at`, `id`); `rest` as in [`Sorted`].
#[derive(Debug, Clone)]
pub struct Changed {
    pub shown: Vec<Instrument>,
    pub withdrawn: Vec<Withdrawn>,
    pub rest: Option<Key>,
}

/// What changed after a place. Of the instruments that left the public list only the organization narrows them: what a mirror
/// kept may have had other values than the row has now.
pub fn list_changed(conn: &mut Conn, filter: &Filter, after: (Instant, i64)) -> Result<Changed> {
    let letters = CaseFold::of(conn);
    let mut range = Range::of(Some(after), None);
    let mut found = Changed {
        shown: Vec::new(),
        withdrawn: Vec::new(),
        rest: None,
    };
    for part in PARTS {
        range.through = None;
        let query = in_range!(driven(filter), instrument, range);
        let query = query.limit(1).offset(part - 1);
        range.through = load_keys!(query, instrument, range, conn).pop();
        let mut shown = driven(filter).filter(seen(filter));
        for condition in conditions(filter, letters) {
            shown = shown.filter(condition);
        }
        let shown = in_range!(shown, instrument, range).limit(filter.limit);
        found
            .shown
            .extend(shown.select(Instrument::as_select()).load(conn)?);
        let mut gone = driven(filter)
            .filter(instrument::listed_at.is_not_null())
            .filter(instrument::state.ne(InstrumentState::Listed))
            .filter(not(seen(filter)));
        if let Some(asked) = super::search::organized(filter) {
            gone = gone.filter(asked);
        }
        let gone = in_range!(gone, instrument, range).limit(filter.limit);
        let gone = gone.select((instrument::id, instrument::updated_at));
        found.withdrawn.extend(gone.load::<Withdrawn>(conn)?);
        let count = i64::try_from(found.shown.len() + found.withdrawn.len()).unwrap_or(i64::MAX);
        if range.through.is_none() || count >= filter.limit {
            return Ok(found);
        }
        range.after = range.through;
    }
    found.rest = range.after;
    Ok(found)
}

/// The instruments of one host, or all.
fn driven<'a>(filter: &Filter) -> Query<'a> {
    let query = instrument::table.into_boxed();
    match filter.organizations[..] {
        [host] => query.filter(instrument::organization_id.eq(host)),
        _ => query,
    }
}
