//! Pages of the bookings a caller may see. Beside the common drivers, own references, a window of time and the open states of
//! a host drive a page, since they are somebody's daily work.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamp};

use super::Booking;
use super::blocking::is_open;
use crate::domain::access::Reach;
use crate::domain::booking::BookingState;
use crate::domain::booking_rules::LONGEST;
use crate::domain::calendar::Year;
use crate::domain::{Instant, InstrumentId, Minutes, OrganizationId, TypedKey, UserId};
use crate::store::drive::{
    Asked, Branch, Drive, Driver, hidden, hosts_within, managed_by, own_unit,
};
use crate::store::page::{Found, Key, Ordered, ROWS_MAX, Range, first, in_range, load_keys, walk};
use crate::store::schema::booking;
use crate::store::{Conn, Result};

type Backend = <Conn as Connection>::Backend;
type Query<'a> = booking::BoxedQuery<'a, Backend>;
type Condition = Box<dyn BoxableExpression<booking::table, Backend, SqlType = Bool>>;

/// Which bookings to list. Absent and empty mean all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub instruments: Vec<InstrumentId>,
    pub organizations: Vec<OrganizationId>,
    pub hosts: Vec<OrganizationId>,
    pub states: Vec<BookingState>,
    /// Overlapping the time from here …
    pub from: Option<Instant>,
    /// … to here.
    pub until: Option<Instant>,
    /// On instruments this person manages.
    pub assigned_to: Option<UserId>,
    pub client_references: Vec<TypedKey>,
    /// Requested in one of these years.
    pub years: Vec<Year>,
    /// By a unit other than the host, or by the host itself.
    pub is_from_others: Option<bool>,
    /// In the order of (`updated_at`, `id`), after this place; else the newest come first, below `before`.
    pub changed_after: Option<(Instant, i64)>,
    pub before: Option<i64>,
    pub limit: i64,
}

impl Filter {
    /// Only bookings of open states are asked for, newest first: a host has few, and an index of their own.
    fn is_open_asked(&self) -> bool {
        let is_timed = self.changed_after.is_some() || self.from.or(self.until).is_some();
        let mut states = self.states.iter();
        !is_timed && !self.states.is_empty() && states.all(|state| state.blocks())
    }
}

/// A branch, of a host perhaps only the bookings in one open state.
type OfState = (Branch, Option<BookingState>);

struct List<'a> {
    filter: &'a Filter,
    reach: &'a Reach,
    drive: Drive,
    branches: Vec<OfState>,
}

/// The bookings that `reach` admits and `filter` asks for.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Found<Booking>> {
    let range = Range::of(filter.changed_after, filter.before);
    let list = List::of(conn, reach, filter)?;
    if let Some(keys) = list.few(conn, range)? {
        return list.rows_of(conn, first(keys, range, filter.limit), range);
    }
    let is_filtered = list.is_filtered();
    walk(
        conn,
        &list,
        &list.branches,
        is_filtered,
        range,
        filter.limit,
    )
}

impl<'a> List<'a> {
    fn of(conn: &mut Conn, reach: &'a Reach, filter: &'a Filter) -> Result<Self> {
        let is_open_asked = filter.is_open_asked();
        let asked = Asked {
            reach,
            instruments: &filter.instruments,
            assigned_to: filter.assigned_to,
            hosts: &filter.hosts,
            units: &filter.organizations,
            has_instrument_order: filter.changed_after.is_none(),
            is_host_narrow: is_open_asked,
        };
        let drive = Drive::of(conn, asked)?;
        let mut branches: Vec<OfState> = Vec::new();
        for branch in &drive.branches {
            if is_open_asked && matches!(branch, Branch::Host(_)) {
                for state in &filter.states {
                    let of_state = (*branch, Some(*state));
                    if !branches.contains(&of_state) {
                        branches.push(of_state);
                    }
                }
            } else {
                branches.push((*branch, None));
            }
        }
        Ok(Self {
            filter,
            reach,
            drive,
            branches,
        })
    }

    /// A condition beside those of the branches narrows the rows.
    fn is_filtered(&self) -> bool {
        let (filter, drive) = (self.filter, &self.drive);
        let driver = drive.driver;
        drive.is_reach_asked
            || drive.managed.is_some()
            || (filter.assigned_to.is_some() && driver != Driver::AssignedTo)
            || (!filter.instruments.is_empty() && driver != Driver::Instruments)
            || (!filter.organizations.is_empty() && driver != Driver::Units)
            || (!filter.states.is_empty() && self.branches.iter().any(|(_, state)| state.is_none()))
            || (!filter.hosts.is_empty() && driver != Driver::Hosts)
            || filter.from.or(filter.until).is_some()
            || !filter.client_references.is_empty()
            || !filter.years.is_empty()
            || filter.is_from_others.is_some()
    }

    /// The places of all rows, when references or a window leave few.
    fn few(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        if self.filter.client_references.is_empty() {
            return self.window(conn, range);
        }
        let Some(units) = self.drive.units() else {
            return self.window(conn, range);
        };
        let own = booking::organization_id
            .eq_any(units)
            .and(booking::client_reference_key.is_not_null());
        let query = self
            .narrowed(booking::table.into_boxed(), None, false)
            .filter(own);
        Ok(Some(load_keys!(query, booking, range, conn)))
    }

    /// The places in a window of time, when it holds no more rows than half a page may look at.
    fn window(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        let is_served = |(branch, _): &OfState| *branch != Branch::Everything;
        let is_windowed = self.filter.from.or(self.filter.until).is_some();
        if range.is_changes() || !is_windowed || !self.branches.iter().all(is_served) {
            return Ok(None);
        }
        let count = i64::try_from(self.branches.len().max(1)).unwrap_or(1);
        let most = ROWS_MAX / 2 / count;
        for branch in &self.branches {
            let beyond = self.within(*branch).select(booking::id).limit(1);
            if !beyond.offset(most).load::<i64>(conn)?.is_empty() {
                return Ok(None);
            }
        }
        let mut keys = Vec::new();
        for branch in &self.branches {
            let query = self.narrowed(self.within(*branch), branch.1, true);
            keys.extend(load_keys!(query, booking, range, conn));
        }
        Ok(Some(keys))
    }

    /// The rows of a branch that begin in the window, or so early that they may last until it.
    fn within<'q>(&self, branch: OfState) -> Query<'q> {
        let mut query = driven(branch);
        if let Some(from) = self.filter.from {
            let earliest = from.plus(Minutes::new(-LONGEST.number()));
            query = query.filter(booking::starts_at.gt(earliest));
        }
        if let Some(until) = self.filter.until {
            query = query.filter(booking::starts_at.lt(until));
        }
        query
    }

    /// A page of these places.
    fn rows_of(&self, conn: &mut Conn, keys: Vec<Key>, range: Range) -> Result<Found<Booking>> {
        if keys.is_empty() {
            return Ok(Found::all(Vec::new()));
        }
        let ids: Vec<i64> = keys.into_iter().map(Key::id).collect();
        let mut rows: Vec<Booking> = booking::table
            .filter(booking::id.eq_any(ids))
            .select(Booking::as_select())
            .load(conn)?;
        rows.sort_by_key(|row| self.key(row, range));
        Ok(Found::all(rows))
    }

    /// The conditions beside those of the branch, hidden from the choice of an index. `state`: the branch's own; `is_window`:
    /// the branch already has the window's first and last start.
    fn narrowed<'q>(
        &self,
        mut query: Query<'q>,
        state: Option<BookingState>,
        is_window: bool,
    ) -> Query<'q> {
        let (filter, drive) = (self.filter, &self.drive);
        if drive.is_reach_asked {
            query = query.filter(visible(self.reach));
        }
        let assigned_to = filter
            .assigned_to
            .filter(|_| drive.driver != Driver::AssignedTo);
        for user in drive.managed.into_iter().chain(assigned_to) {
            query = query.filter(hidden!(booking.instrument_id).eq_any(managed_by!(user)));
        }
        if !filter.instruments.is_empty() && drive.driver != Driver::Instruments {
            let instruments = filter.instruments.clone();
            query = query.filter(hidden!(booking.instrument_id).eq_any(instruments));
        }
        if !filter.organizations.is_empty() && drive.driver != Driver::Units {
            let units = filter.organizations.clone();
            query = query.filter(hidden!(booking.organization_id).eq_any(units));
        }
        if !filter.states.is_empty() && state.is_none() {
            query = query.filter(booking::state.eq_any(filter.states.clone()));
        }
        if let Some(from) = filter.from {
            query = query.filter(booking::ends_at.gt(from));
        }
        if let (Some(until), false) = (filter.until, is_window) {
            let starts_at = "COALESCE(booking.starts_at, booking.ends_at)";
            query = query.filter(diesel::dsl::sql::<Timestamp>(starts_at).lt(until));
        }
        if !filter.client_references.is_empty() {
            let references = filter.client_references.iter().map(TypedKey::folded);
            query =
                query.filter(booking::client_reference_key.eq_any(references.collect::<Vec<_>>()));
        }
        self.with_request(query)
    }

    /// Whose instrument was asked for, when and by whom.
    fn with_request<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let filter = self.filter;
        if !filter.hosts.is_empty() && self.drive.driver != Driver::Hosts {
            let hosts = filter.hosts.clone();
            query = query.filter(hidden!(booking.host_organization_id).eq_any(hosts));
        }
        let in_year = |year: &Year| -> Condition {
            let (first, next) = year.span();
            Box::new(
                booking::created_at
                    .ge(first)
                    .and(booking::created_at.lt(next)),
            )
        };
        let years = filter.years.iter().map(in_year);
        if let Some(years) = years.reduce(|all, next| Box::new(all.or(next))) {
            query = query.filter(years);
        }
        let other = || hidden!(booking.organization_id).ne(hidden!(booking.host_organization_id));
        match filter.is_from_others {
            Some(true) => query.filter(other()),
            Some(false) => query.filter(diesel::dsl::not(other())),
            None => query,
        }
    }
}

impl Ordered for List<'_> {
    type Branch = OfState;
    type Row = Booking;

    fn nth(
        &self,
        conn: &mut Conn,
        branch: OfState,
        range: Range,
        skipped: i64,
    ) -> Result<Option<Key>> {
        let query = in_range!(driven(branch), booking, range);
        Ok(load_keys!(query.limit(1).offset(skipped), booking, range, conn).pop())
    }

    fn keys(&self, conn: &mut Conn, branch: OfState, range: Range, limit: i64) -> Result<Vec<Key>> {
        let query = in_range!(
            self.narrowed(driven(branch), branch.1, false),
            booking,
            range
        );
        Ok(load_keys!(query.limit(limit), booking, range, conn))
    }

    fn rows(
        &self,
        conn: &mut Conn,
        branch: OfState,
        range: Range,
        limit: i64,
    ) -> Result<Vec<Booking>> {
        let query = in_range!(
            self.narrowed(driven(branch), branch.1, false),
            booking,
            range
        );
        Ok(query.limit(limit).select(Booking::as_select()).load(conn)?)
    }

    fn key(&self, row: &Booking, range: Range) -> Key {
        range.key(row.updated_at, row.id.number())
    }
}

/// The rows of a branch.
fn driven<'a>((branch, state): OfState) -> Query<'a> {
    let mut query = booking::table.into_boxed();
    query = match branch {
        Branch::Everything => query,
        Branch::Host(host) => query.filter(booking::host_organization_id.eq(host)),
        Branch::Unit(unit) => query.filter(booking::organization_id.eq(unit)),
        Branch::Instrument(instrument) => query.filter(booking::instrument_id.eq(instrument)),
    };
    match state {
        Some(state) => query.filter(is_open()).filter(booking::state.eq(state)),
        None => query,
    }
}

/// What the roles reach, of one row.
fn visible(reach: &Reach) -> Condition {
    let mut condition: Condition = Box::new(booking::id.eq(0));
    if let Some(host) = reach.host {
        condition = Box::new(condition.or(hidden!(booking.host_organization_id).eq(host)));
    }
    if let Some(region) = reach.region {
        let hosts = hosts_within!(region);
        condition = Box::new(condition.or(hidden!(booking.host_organization_id).eq_any(hosts)));
    }
    if let Some(unit) = own_unit(reach) {
        condition = Box::new(condition.or(hidden!(booking.organization_id).eq(unit)));
    }
    if let Some((host, user)) = reach.managed {
        let managed = hidden!(booking.host_organization_id)
            .eq(host)
            .and(hidden!(booking.instrument_id).eq_any(managed_by!(user)));
        condition = Box::new(condition.or(managed));
    }
    condition
}
