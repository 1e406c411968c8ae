//! Pages of the usage records a caller may see, with what a spreadsheet calls instrument and unit.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamp};

use super::UsageRecord;
use crate::domain::access::Reach;
use crate::domain::usage::UsageState;
use crate::domain::{BookingId, Instant, InstrumentId, OrganizationId, Uscc};
use crate::store::drive::{Asked, Branch, Drive, Driver, hidden, managed_by, own_unit};
use crate::store::page::{Found, Key, Ordered, Range, first, in_range, load_keys, walk};
use crate::store::schema::{instrument, organization, usage_record};
use crate::store::{Conn, Result, StoreError};

type Backend = <Conn as Connection>::Backend;
type Query<'a> = usage_record::BoxedQuery<'a, Backend>;
type Condition = Box<dyn BoxableExpression<usage_record::table, Backend, SqlType = Bool>>;

/// Which records to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub instruments: Vec<InstrumentId>,
    pub organizations: Vec<OrganizationId>,
    pub hosts: Vec<OrganizationId>,
    pub states: Vec<UsageState>,
    pub bookings: Vec<BookingId>,
    pub client_references: Vec<String>,
    /// Only records that end after this moment.
    pub from: Option<Instant>,
    /// Only records that begin before this moment.
    pub until: Option<Instant>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// A record with its host and what a spreadsheet calls instrument and unit.
#[derive(Debug, Clone)]
pub struct Listed {
    pub record: UsageRecord,
    pub host_organization_id: OrganizationId,
    pub asset_no: String,
    pub using_uscc: Uscc,
}

struct List<'a> {
    filter: &'a Filter,
    reach: &'a Reach,
    drive: Drive,
}

/// One page of what the caller reaches.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Found<Listed>> {
    let range = Range::of(filter.changed_after, filter.below);
    let asked = Asked {
        reach,
        instruments: &filter.instruments,
        assigned_to: None,
        hosts: &filter.hosts,
        units: &filter.organizations,
        has_instrument_order: !range.is_changes(),
        is_host_narrow: false,
    };
    let drive = Drive::of(conn, asked)?;
    let list = List {
        filter,
        reach,
        drive,
    };
    let found = match list.few(conn, range)? {
        Some(keys) => list.rows_of(conn, first(keys, range, filter.limit), range)?,
        None => {
            let branches = &list.drive.branches;
            walk(
                conn,
                &list,
                branches,
                list.is_filtered(),
                range,
                filter.limit,
            )?
        }
    };
    Ok(Found {
        rows: with_names(conn, found.rows)?,
        rest: found.rest,
    })
}

/// All pages, up to the filter's limit.
pub fn list_all(conn: &mut Conn, reach: &Reach, mut filter: Filter) -> Result<Vec<Listed>> {
    let mut all = Vec::new();
    loop {
        let found = list(conn, reach, &filter)?;
        filter.limit -= i64::try_from(found.rows.len()).unwrap_or(filter.limit);
        all.extend(found.rows);
        match found.rest {
            _ if filter.limit <= 0 => return Ok(all),
            None => return Ok(all),
            Some(Key::Newest(id) | Key::Oldest(id)) => filter.below = Some(id),
            Some(Key::Changed(at, id)) => filter.changed_after = Some((at, id)),
        }
    }
}

fn with_names(conn: &mut Conn, records: Vec<UsageRecord>) -> Result<Vec<Listed>> {
    let mut instruments: Vec<InstrumentId> = records.iter().map(|row| row.instrument_id).collect();
    instruments.sort_unstable();
    instruments.dedup();
    let mut units: Vec<OrganizationId> = records.iter().map(|row| row.organization_id).collect();
    units.sort_unstable();
    units.dedup();
    let instruments: Vec<(InstrumentId, OrganizationId, String)> = instrument::table
        .filter(instrument::id.eq_any(instruments))
        .select((
            instrument::id,
            instrument::organization_id,
            instrument::asset_no,
        ))
        .load(conn)?;
    let instruments: BTreeMap<InstrumentId, (OrganizationId, String)> = instruments
        .into_iter()
        .map(|(id, host, asset_no)| (id, (host, asset_no)))
        .collect();
    let units: Vec<(OrganizationId, Uscc)> = organization::table
        .filter(organization::id.eq_any(units))
        .select((organization::id, organization::uscc))
        .load(conn)?;
    let units: BTreeMap<OrganizationId, Uscc> = units.into_iter().collect();
    let listed = records.into_iter().map(|record| {
        let (host, asset_no) = instruments.get(&record.instrument_id).cloned()?;
        Some(Listed {
            host_organization_id: host,
            asset_no,
            using_uscc: units.get(&record.organization_id).cloned()?,
            record,
        })
    });
    let listed: Option<Vec<Listed>> = listed.collect();
    listed.ok_or(StoreError::NotFound)
}

impl List<'_> {
    /// A condition beside those of the branches narrows the rows.
    fn is_filtered(&self) -> bool {
        let (filter, drive) = (self.filter, &self.drive);
        let driver = drive.driver;
        drive.is_reach_asked
            || drive.managed.is_some()
            || (!filter.instruments.is_empty() && driver != Driver::Instruments)
            || (!filter.hosts.is_empty() && driver != Driver::Hosts)
            || (!filter.organizations.is_empty() && driver != Driver::Units)
            || !filter.states.is_empty()
            || !filter.client_references.is_empty()
            || filter.from.or(filter.until).is_some()
    }

    /// The places of all rows, when bookings or own references leave few.
    fn few(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        let filter = self.filter;
        let drive = Drive::undriven(self.reach);
        let mut query = List { drive, ..*self }.narrowed(usage_record::table.into_boxed());
        if !filter.bookings.is_empty() {
            query = query.filter(usage_record::booking_id.eq_any(filter.bookings.clone()));
        } else if let (Some(units), false) =
            (self.drive.units(), filter.client_references.is_empty())
        {
            query = query
                .filter(usage_record::organization_id.eq_any(units))
                .filter(usage_record::client_reference.is_not_null());
        } else {
            return Ok(None);
        }
        Ok(Some(load_keys!(query, usage_record, range, conn)))
    }

    /// A page of these places.
    fn rows_of(&self, conn: &mut Conn, keys: Vec<Key>, range: Range) -> Result<Found<UsageRecord>> {
        if keys.is_empty() {
            return Ok(Found::all(Vec::new()));
        }
        let ids: Vec<i64> = keys.into_iter().map(Key::id).collect();
        let mut rows: Vec<UsageRecord> = usage_record::table
            .filter(usage_record::id.eq_any(ids))
            .select(UsageRecord::as_select())
            .load(conn)?;
        rows.sort_by_key(|row| self.key(row, range));
        Ok(Found::all(rows))
    }

    /// The conditions beside those of the branch, hidden from the choice of an index.
    fn narrowed<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let (filter, drive) = (self.filter, &self.drive);
        if drive.is_reach_asked {
            query = query.filter(visible(self.reach));
        }
        if let Some(user) = drive.managed {
            let managed = hidden!("usage_record.instrument_id").eq_any(managed_by!(user));
            query = query.filter(managed);
        }
        if !filter.instruments.is_empty() && drive.driver != Driver::Instruments {
            let instruments = filter.instruments.clone();
            query = query.filter(hidden!("usage_record.instrument_id").eq_any(instruments));
        }
        if !filter.hosts.is_empty() && drive.driver != Driver::Hosts {
            let hosts = filter.hosts.clone();
            query = query.filter(hidden!("usage_record.host_organization_id").eq_any(hosts));
        }
        if !filter.organizations.is_empty() && drive.driver != Driver::Units {
            let units = filter.organizations.clone();
            query = query.filter(hidden!("usage_record.organization_id").eq_any(units));
        }
        if !filter.states.is_empty() {
            query = query.filter(usage_record::state.eq_any(filter.states.clone()));
        }
        if !filter.client_references.is_empty() {
            let references = filter.client_references.clone();
            query = query.filter(usage_record::client_reference.eq_any(references));
        }
        if let Some(from) = filter.from {
            query = query.filter(usage_record::ended_at.gt(from));
        }
        if let Some(until) = filter.until {
            let started_at = "COALESCE(usage_record.started_at, usage_record.ended_at)";
            query = query.filter(diesel::dsl::sql::<Timestamp>(started_at).lt(until));
        }
        query
    }
}

impl Ordered for List<'_> {
    type Branch = Branch;
    type Row = UsageRecord;

    fn nth(
        &self,
        conn: &mut Conn,
        branch: Branch,
        range: Range,
        skipped: i64,
    ) -> Result<Option<Key>> {
        let query = in_range!(driven(branch), usage_record, range);
        Ok(load_keys!(query.limit(1).offset(skipped), usage_record, range, conn).pop())
    }

    fn keys(&self, conn: &mut Conn, branch: Branch, range: Range, limit: i64) -> Result<Vec<Key>> {
        let query = in_range!(self.narrowed(driven(branch)), usage_record, range);
        Ok(load_keys!(query.limit(limit), usage_record, range, conn))
    }

    fn rows(
        &self,
        conn: &mut Conn,
        branch: Branch,
        range: Range,
        limit: i64,
    ) -> Result<Vec<UsageRecord>> {
        let query = in_range!(self.narrowed(driven(branch)), usage_record, range);
        Ok(query
            .limit(limit)
            .select(UsageRecord::as_select())
            .load(conn)?)
    }

    fn key(&self, row: &UsageRecord, range: Range) -> Key {
        range.key(row.updated_at, row.id.number())
    }
}

/// The rows of a branch.
fn driven<'a>(branch: Branch) -> Query<'a> {
    let query = usage_record::table.into_boxed();
    match branch {
        Branch::Everything => query,
        Branch::Host(host) => query.filter(usage_record::host_organization_id.eq(host)),
        Branch::Unit(unit) => query.filter(usage_record::organization_id.eq(unit)),
        Branch::Instrument(instrument) => query.filter(usage_record::instrument_id.eq(instrument)),
    }
}

/// What the roles reach, of one row.
fn visible(reach: &Reach) -> Condition {
    let mut condition: Condition = Box::new(usage_record::id.eq(0));
    if let Some(host) = reach.host {
        condition = Box::new(condition.or(hidden!("usage_record.host_organization_id").eq(host)));
    }
    if let Some(unit) = own_unit(reach) {
        condition = Box::new(condition.or(hidden!("usage_record.organization_id").eq(unit)));
    }
    if let Some((host, user)) = reach.managed {
        let managed = hidden!("usage_record.host_organization_id")
            .eq(host)
            .and(hidden!("usage_record.instrument_id").eq_any(managed_by!(user)));
        condition = Box::new(condition.or(managed));
    }
    condition
}
