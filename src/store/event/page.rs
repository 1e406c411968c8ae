//! Pages of the trail: the events of everybody, of an organization, or of a subject, in the order of the trail.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::Event;
use crate::domain::{EventId, Instant, OrganizationId, UserId};
use crate::store::page::{BRANCHES_MAX, Found, Key, Ordered, Range, walk};
use crate::store::schema::event;
use crate::store::trail::{self, Place, is_behind, is_settled};
use crate::store::{Conn, Result};

/// Subjects whose events only the province and the auditors read.
const PROVINCE_ONLY: [&str; 4] = ["evaluation", "finding", "finding_scan", "subsidy_run"];

/// Which events to list. Absent or empty means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub after: Option<EventId>,
    pub subject_types: Vec<String>,
    pub subject_ids: Vec<i64>,
    pub actors: Vec<UserId>,
    pub actions: Vec<String>,
    pub from: Option<Instant>,
    pub until: Option<Instant>,
    /// Only events of this organization.
    pub organization: Option<OrganizationId>,
    pub limit: i64,
}

/// One page, in the order of the trail. On PostgreSQL only settled events: ids do not follow commit order, so a smaller id
/// may become visible after a greater one was told.
pub fn list(conn: &mut Conn, filter: &Filter) -> Result<Found<Event>> {
    let after = match filter.after {
        Some(after) => trail::place_of(conn, after)?.map(Key::Trail),
        None => None,
    };
    let list = List {
        filter,
        settled: trail::settled_below(conn)?,
    };
    let branches = list.branches();
    let has_subjects = matches!(branches.first(), Some(Branch::Subject(..)));
    let asks_subjects = !filter.subject_types.is_empty() || !filter.subject_ids.is_empty();
    // Of subjects that drive the list only those that the organization may read are told.
    let is_narrowed = if has_subjects {
        filter.organization.is_some()
    } else {
        asks_subjects
    };
    let is_filtered = is_narrowed
        || !filter.actors.is_empty()
        || !filter.actions.is_empty()
        || filter.from.is_some()
        || filter.until.is_some();
    let found = walk(
        conn,
        &list,
        &branches,
        is_filtered,
        Range::trail(after),
        filter.limit,
    )?;
    Ok(Found {
        rows: found.rows.into_iter().map(|(_, event)| event).collect(),
        rest: found.rest,
    })
}

type Query<'a> = event::BoxedQuery<'a, <Conn as Connection>::Backend>;

/// What an index has the order of the trail for.
#[derive(Debug, Clone, Copy)]
enum Branch<'a> {
    Everything,
    Own(OrganizationId),
    Counterpart(OrganizationId),
    /// What a member did that is nobody's own, like signing in; but scores and shares are told only when published.
    Acted(OrganizationId),
    Subject(&'a str, i64),
}

struct List<'a> {
    filter: &'a Filter,
    settled: Option<(i64, i64)>,
}

impl<'a> List<'a> {
    fn branches(&self) -> Vec<Branch<'a>> {
        let filter = self.filter;
        let of_type = |kind: &'a String| {
            let ids = filter.subject_ids.iter();
            ids.map(|id| Branch::Subject(kind, *id))
        };
        let subjects: Vec<_> = filter.subject_types.iter().flat_map(of_type).collect();
        if (1..=BRANCHES_MAX).contains(&subjects.len()) {
            return subjects;
        }
        match filter.organization {
            Some(of) => vec![Branch::Own(of), Branch::Counterpart(of), Branch::Acted(of)],
            None => vec![Branch::Everything],
        }
    }

    /// The events of a branch in a range, in order, whatever the filters say.
    fn of(&self, branch: Branch<'a>, range: Range) -> Query<'a> {
        let query = event::table.into_boxed();
        let query = match branch {
            Branch::Everything => query,
            Branch::Own(of) => query.filter(event::organization_id.eq(of)),
            Branch::Counterpart(of) => query.filter(event::counterpart_organization_id.eq(of)),
            Branch::Acted(of) => query
                .filter(event::actor_organization_id.eq(of))
                .filter(event::organization_id.is_null())
                .filter(event::subject_type.ne_all(PROVINCE_ONLY)),
            Branch::Subject(kind, id) => query
                .filter(event::subject_type.eq(kind))
                .filter(event::subject_id.eq(id)),
        };
        let Some(settled) = self.settled else {
            return in_order_of_ids(query, range);
        };
        let start = match range.after {
            Some(Key::Trail(place)) => Some(place),
            _ => None,
        };
        let query = match start.map_or(0, |place| place.epoch) == settled.0 {
            true => within_epoch(query, settled, range),
            false => across_epochs(query, settled, range),
        };
        query.order((event::epoch, event::transaction_id, event::id))
    }

    fn admitted(&self, branch: Branch<'a>, range: Range) -> Query<'a> {
        let filter = self.filter;
        let mut query = self.of(branch, range);
        let is_subject = matches!(branch, Branch::Subject(..));
        if !is_subject && !filter.subject_types.is_empty() {
            query = query.filter(event::subject_type.eq_any(&filter.subject_types));
        }
        if !is_subject && !filter.subject_ids.is_empty() {
            query = query.filter(event::subject_id.eq_any(&filter.subject_ids));
        }
        if !filter.actors.is_empty() {
            query = query.filter(event::actor_user_id.eq_any(filter.actors.clone()));
        }
        if !filter.actions.is_empty() {
            query = query.filter(event::action.eq_any(&filter.actions));
        }
        if let Some(from) = filter.from {
            query = query.filter(event::happened_at.ge(from));
        }
        if let Some(until) = filter.until {
            query = query.filter(event::happened_at.lt(until));
        }
        match filter.organization {
            Some(organization) if is_subject => query.filter(
                event::organization_id
                    .eq(organization)
                    .or(event::counterpart_organization_id.eq(organization))
                    .or(event::actor_organization_id
                        .eq(organization)
                        .and(event::organization_id.is_null())
                        .and(event::subject_type.ne_all(PROVINCE_ONLY))),
            ),
            _ => query,
        }
    }
}

/// Where one writer commits in the order of ids.
fn in_order_of_ids(mut query: Query<'_>, range: Range) -> Query<'_> {
    if let Some(after) = range.after {
        query = query.filter(event::id.gt(after.id()));
    }
    if let Some(through) = range.through {
        query = query.filter(event::id.le(through.id()));
    }
    query.order(event::id.asc())
}

/// Within the present epoch, which is every page of a trail that was never restored elsewhere. PostgreSQL guesses how many
/// rows a comparison of rows leaves by its first column alone: of the epoch it would guess none, and take any index.
fn within_epoch<'a>(query: Query<'a>, (epoch, transaction): (i64, i64), range: Range) -> Query<'a> {
    let mut query = query.filter(event::epoch.eq(epoch));
    query = query.filter(event::transaction_id.lt(transaction));
    let bounds = [(range.after, ">"), (range.through, "<=")];
    for (bound, comparison) in bounds {
        if let Some(Key::Trail(place)) = bound {
            let pair = sql::<Bool>(&format!("(event.transaction_id, event.id) {comparison} ("));
            let pair = pair.bind::<BigInt, _>(place.transaction_id).sql(", ");
            query = query.filter(pair.bind::<BigInt, _>(place.event_id).sql(")"));
        }
    }
    query
}

fn across_epochs<'a>(query: Query<'a>, settled: (i64, i64), range: Range) -> Query<'a> {
    let mut query = query.filter(is_settled!(settled));
    if let Some(Key::Trail(place)) = range.after {
        query = query.filter(is_behind!(place));
    }
    if let Some(Key::Trail(place)) = range.through {
        let through = sql::<Bool>("(event.epoch, event.transaction_id, event.id) <= (");
        let through = through.bind::<BigInt, _>(place.epoch).sql(", ");
        let through = through.bind::<BigInt, _>(place.transaction_id).sql(", ");
        query = query.filter(through.bind::<BigInt, _>(place.event_id).sql(")"));
    }
    query
}

fn place((epoch, transaction_id, id): (i64, i64, EventId)) -> Place {
    Place {
        epoch,
        transaction_id,
        event_id: id.number(),
    }
}

const PLACE: (event::epoch, event::transaction_id, event::id) =
    (event::epoch, event::transaction_id, event::id);

impl<'a> Ordered for List<'a> {
    type Branch = Branch<'a>;
    type Row = (Place, Event);

    fn nth(
        &self,
        conn: &mut Conn,
        branch: Branch<'a>,
        range: Range,
        skipped: i64,
    ) -> Result<Option<Key>> {
        let nth = self
            .of(branch, range)
            .select(PLACE)
            .limit(1)
            .offset(skipped);
        let found: Option<(i64, i64, EventId)> = nth.get_result(conn).optional()?;
        Ok(found.map(|found| Key::Trail(place(found))))
    }

    fn keys(
        &self,
        conn: &mut Conn,
        branch: Branch<'a>,
        range: Range,
        limit: i64,
    ) -> Result<Vec<Key>> {
        let keys = self.admitted(branch, range).select(PLACE).limit(limit);
        let keys: Vec<(i64, i64, EventId)> = keys.load(conn)?;
        Ok(keys.into_iter().map(|key| Key::Trail(place(key))).collect())
    }

    fn rows(
        &self,
        conn: &mut Conn,
        branch: Branch<'a>,
        range: Range,
        limit: i64,
    ) -> Result<Vec<(Place, Event)>> {
        let columns = (PLACE, Event::as_select());
        let rows = self.admitted(branch, range).select(columns).limit(limit);
        let rows: Vec<((i64, i64, EventId), Event)> = rows.load(conn)?;
        Ok(rows
            .into_iter()
            .map(|(key, event)| (place(key), event))
            .collect())
    }

    fn key(&self, (place, _): &(Place, Event), _: Range) -> Key {
        Key::Trail(*place)
    }
}
