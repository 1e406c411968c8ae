//! Pages of long lists. A page costs what it answers: every branch of a list is in the order of an index, filters that no
//! index serves look at no more than [`ROWS_MAX`] rows, and the page says where the next one begins.

use std::cmp::Ordering;

use super::trail::Place;
use super::{Conn, Result};
use crate::domain::Instant;

/// The most rows that one page looks at; a page that finds less than its limit among them is not the end of the list.
pub const ROWS_MAX: i64 = 10_000;

/// The most branches a list is merged from; what needs more is one branch with a filter.
pub(super) const BRANCHES_MAX: usize = 16;

/// The parts of [`ROWS_MAX`] that are looked at one after the other: mostly the first holds a whole page.
pub(super) const PARTS: [i64; 2] = [ROWS_MAX / 10, ROWS_MAX - ROWS_MAX / 10];

/// The place of a row in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// In a list of the newest first.
    Newest(i64),
    /// In a list of the oldest first.
    Oldest(i64),
    /// In a list in the order of change.
    Changed(Instant, i64),
    /// In the trail.
    Trail(Place),
}

impl Key {
    /// The id of the row.
    pub fn id(self) -> i64 {
        match self {
            Key::Newest(id) | Key::Oldest(id) | Key::Changed(_, id) => id,
            Key::Trail(place) => place.event_id,
        }
    }

    fn place(self) -> (Option<Instant>, [i64; 3]) {
        match self {
            Key::Newest(id) => (None, [0, 0, -id]),
            Key::Oldest(id) => (None, [0, 0, id]),
            Key::Changed(at, id) => (Some(at), [0, 0, id]),
            Key::Trail(place) => (None, [place.epoch, place.transaction_id, place.event_id]),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In which order a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Newest,
    Oldest,
    Changed,
    Trail,
}

/// The rows of a list between two places; what has no bound goes on to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub order: Order,
    pub after: Option<Key>,
    /// The last place that belongs to it.
    pub through: Option<Key>,
}

impl Range {
    /// From `changed_after` in the order of change; else the newest first, below `before`.
    pub fn of(changed_after: Option<(Instant, i64)>, before: Option<i64>) -> Self {
        let changed = changed_after.map(|(at, id)| Key::Changed(at, id));
        Self {
            order: changed.map_or(Order::Newest, |_| Order::Changed),
            after: changed.or(before.map(Key::Newest)),
            through: None,
        }
    }

    /// The oldest first, above this id.
    pub fn oldest(after: Option<i64>) -> Self {
        Self {
            order: Order::Oldest,
            after: after.map(Key::Oldest),
            through: None,
        }
    }

    /// The order of the trail, behind this place.
    pub fn trail(after: Option<Key>) -> Self {
        Self {
            order: Order::Trail,
            after,
            through: None,
        }
    }

    pub fn is_changes(&self) -> bool {
        self.order == Order::Changed
    }

    pub fn key(&self, updated_at: Instant, id: i64) -> Key {
        match self.order {
            Order::Newest => Key::Newest(id),
            Order::Oldest | Order::Trail => Key::Oldest(id),
            Order::Changed => Key::Changed(updated_at, id),
        }
    }
}

/// The rows of a page. `rest` is the last place looked at, when rows behind it were not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    pub rows: Vec<T>,
    pub rest: Option<Key>,
}

impl<T> Found<T> {
    /// Every row the list has from here on, or as many as the limit.
    pub fn all(rows: Vec<T>) -> Self {
        Self { rows, rest: None }
    }
}

/// How a table answers for one branch of a list.
pub(super) trait Ordered {
    type Branch: Copy;
    type Row;

    /// The place of the row that follows `skipped` others in the range, whatever the filters say.
    fn nth(
        &self,
        conn: &mut Conn,
        branch: Self::Branch,
        range: Range,
        skipped: i64,
    ) -> Result<Option<Key>>;

    /// The places of the first rows in the range that the filters admit.
    fn keys(
        &self,
        conn: &mut Conn,
        branch: Self::Branch,
        range: Range,
        limit: i64,
    ) -> Result<Vec<Key>>;

    /// Those rows.
    fn rows(
        &self,
        conn: &mut Conn,
        branch: Self::Branch,
        range: Range,
        limit: i64,
    ) -> Result<Vec<Self::Row>>;

    fn key(&self, row: &Self::Row, range: Range) -> Key;
}

/// A page of the union of `branches`, each row once. `is_filtered`: conditions beside the branch's own narrow the rows.
pub(super) fn walk<L: Ordered>(
    conn: &mut Conn,
    list: &L,
    branches: &[L::Branch],
    is_filtered: bool,
    start: Range,
    limit: i64,
) -> Result<Found<L::Row>> {
    let count = i64::try_from(branches.len().max(1)).unwrap_or(1);
    let mut range = start;
    let mut rows = Vec::new();
    for part in PARTS.map(|part| part / count) {
        let mut bound = None;
        range.through = None;
        if is_filtered {
            for branch in branches {
                let end = list.nth(conn, *branch, range, part - 1)?;
                bound = bound.into_iter().chain(end).min();
            }
        }
        let missing = limit - i64::try_from(rows.len()).unwrap_or(limit);
        range.through = bound;
        rows.extend(union(conn, list, branches, range, missing)?);
        if bound.is_none() || i64::try_from(rows.len()).unwrap_or(limit) >= limit {
            return Ok(Found::all(rows));
        }
        range.after = bound;
    }
    let rest = range.after;
    Ok(Found { rows, rest })
}

/// The first rows of a range, of one branch or merged from several. Several tell their keys first, so that no row is read
/// but those of the page.
fn union<L: Ordered>(
    conn: &mut Conn,
    list: &L,
    branches: &[L::Branch],
    mut range: Range,
    limit: i64,
) -> Result<Vec<L::Row>> {
    if let [branch] = branches {
        return list.rows(conn, *branch, range, limit);
    }
    let mut keys = Vec::new();
    for branch in branches {
        keys.extend(list.keys(conn, *branch, range, limit)?);
    }
    let keys = first(keys, range, limit);
    let Some(last) = keys.last() else {
        return Ok(Vec::new());
    };
    range.through = Some(*last);
    let mut rows = Vec::new();
    for branch in branches {
        rows.extend(list.rows(conn, *branch, range, limit)?);
    }
    rows.sort_by_key(|row| list.key(row, range));
    rows.dedup_by_key(|row| list.key(row, range));
    Ok(rows)
}

/// The first places of a range, each once.
pub(super) fn first(mut keys: Vec<Key>, range: Range, limit: i64) -> Vec<Key> {
    keys.retain(|key| range.after.is_none_or(|after| *key > after));
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    keys
}

/// Narrows a boxed query of a table with `id` and `updated_at` to a range and puts it in order. The pair is compared as one,
/// which is what lets the index find its place.
macro_rules! in_range {
    ($query:expr, $table:ident, $range:expr) => {{
        use diesel::sql_types::{BigInt, Bool, Timestamp};
        use $crate::store::page::{Key, Order};
        let range: $crate::store::page::Range = $range;
        let mut query = $query;
        let pair = concat!(
            "(",
            stringify!($table),
            ".updated_at, ",
            stringify!($table),
            ".id)"
        );
        let beyond = |comparison: &str, at: $crate::domain::Instant, id: i64| {
            diesel::dsl::sql::<Bool>(&format!("{pair} {comparison} ("))
                .bind::<Timestamp, _>(at)
                .sql(", ")
                .bind::<BigInt, _>(id)
                .sql(")")
        };
        query = match range.after {
            Some(Key::Newest(id)) => query.filter($table::id.lt(id)),
            Some(Key::Oldest(id)) => query.filter($table::id.gt(id)),
            Some(Key::Changed(at, id)) => query.filter(beyond(">", at, id)),
            Some(Key::Trail(_)) | None => query,
        };
        query = match range.through {
            Some(Key::Newest(id)) => query.filter($table::id.ge(id)),
            Some(Key::Oldest(id)) => query.filter($table::id.le(id)),
            Some(Key::Changed(at, id)) => query.filter(beyond("<=", at, id)),
            Some(Key::Trail(_)) | None => query,
        };
        match range.order {
            Order::Newest => query.order($table::id.desc()),
            Order::Oldest | Order::Trail => query.order($table::id.asc()),
            Order::Changed => query.order(($table::updated_at.asc(), $table::id.asc())),
        }
    }};
}
pub(super) use in_range;

/// The keys of a query that [`in_range`] put in order.
macro_rules! load_keys {
    ($query:expr, $table:ident, $range:expr, $conn:expr) => {{
        use $crate::store::page::{Key, Order};
        if $range.order == Order::Changed {
            let keys: Vec<($crate::domain::Instant, i64)> = $query
                .select(($table::updated_at, $table::id))
                .load($conn)?;
            let key = |(at, id)| Key::Changed(at, id);
            keys.into_iter().map(key).collect::<Vec<Key>>()
        } else {
            let is_newest = $range.order == Order::Newest;
            let key = if is_newest { Key::Newest } else { Key::Oldest };
            let keys: Vec<i64> = $query.select($table::id).load($conn)?;
            keys.into_iter().map(key).collect::<Vec<Key>>()
        }
    }};
}
pub(super) use load_keys;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_the_earliest_change() {
        let at = |second| Instant::at_midnight(chrono::NaiveDate::default()).plus_seconds(second);
        let newest = Range::of(None, Some(9));
        let keys = [3, 9, 12, 8, 3].map(Key::Newest).to_vec();
        assert_eq!(first(keys, newest, 2), [Key::Newest(8), Key::Newest(3)]);
        let changes = Range::of(Some((at(5), 2)), None);
        let keys = [(5, 1), (7, 1), (5, 3)].map(|(second, id)| Key::Changed(at(second), id));
        assert_eq!(
            first(keys.to_vec(), changes, 9),
            [Key::Changed(at(5), 3), Key::Changed(at(7), 1)]
        );
    }
}
