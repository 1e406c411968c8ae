//! What drives a list of bookings, usage records or charges: the branches whose rows an index gives in order. The narrowest
//! filter drives: instruments, then hosts, then using units, then what the caller's roles reach.

use diesel::prelude::*;

use super::page::BRANCHES_MAX;
use super::schema::{instrument, instrument_manager};
use super::{Conn, Result};
use crate::domain::access::Reach;
use crate::domain::{InstrumentId, OrganizationId, UserId};

/// The hosts that an administration supervises, within a statement or by themselves.
macro_rules! hosts_within {
    ($region:expr) => {
        $crate::store::schema::organization::table
            .filter($crate::store::schema::organization::is_host)
            .filter(
                $crate::store::schema::organization::supervising_region_code
                    .like(format!("{}%", $region.prefix())),
            )
            .select($crate::store::schema::organization::id)
    };
}
pub(super) use hosts_within;

/// Rows that an index gives in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Branch {
    Everything,
    Host(OrganizationId),
    Unit(OrganizationId),
    Instrument(InstrumentId),
}

/// The filter that the branches stand for: it narrows nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Driver {
    Reach,
    Instruments,
    AssignedTo,
    Hosts,
    Units,
}

/// What a list asks for, as far as it can drive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub reach: &'a Reach,
    pub instruments: &'a [InstrumentId],
    pub assigned_to: Option<UserId>,
    pub hosts: &'a [OrganizationId],
    pub units: &'a [OrganizationId],
    /// The table has an instrument's rows in the order that is asked for.
    pub has_instrument_order: bool,
    /// Rows of a host are few here, so that a manager's are found among them.
    pub is_host_narrow: bool,
}

/// The branches of a list, and what they leave to be asked of each row.
#[derive(Debug, Clone)]
pub(super) struct Drive {
    pub driver: Driver,
    pub branches: Vec<Branch>,
    /// The branches alone do not say what the caller may see.
    pub is_reach_asked: bool,
    /// Of the host's instruments those of this manager, where they are too many for branches.
    pub managed: Option<UserId>,
}

impl Drive {
    pub fn of(conn: &mut Conn, asked: Asked<'_>) -> Result<Self> {
        let reach = asked.reach;
        let is_host_side = reach.everything
            || reach.region.is_some()
            || reach.host.is_some()
            || reach.managed.is_some();
        if !is_host_side {
            return Ok(by_own_unit(asked));
        }
        if let Some((driver, instruments)) = instruments(conn, asked)? {
            return Ok(filtered(driver, reach, instruments, Branch::Instrument));
        }
        if let Some(hosts) = branches_of(asked.hosts) {
            return Ok(filtered(Driver::Hosts, reach, hosts, Branch::Host));
        }
        if let Some(units) = branches_of(asked.units) {
            return Ok(filtered(Driver::Units, reach, units, Branch::Unit));
        }
        by_reach(conn, asked)
    }

    /// The same list without branches: every filter and right is asked of each row.
    pub fn undriven(reach: &Reach) -> Self {
        filtered(Driver::Reach, reach, Vec::new(), |all| all)
    }

    /// The using units, when nothing else drives.
    pub fn units(&self) -> Option<Vec<OrganizationId>> {
        let of_unit = |branch: &Branch| match branch {
            Branch::Unit(unit) => Some(*unit),
            _ => None,
        };
        let units: Option<Vec<OrganizationId>> = self.branches.iter().map(of_unit).collect();
        units.filter(|units| !units.is_empty())
    }
}

/// The unit whose rows a caller sees as a user.
pub(super) fn own_unit(reach: &Reach) -> Option<OrganizationId> {
    reach.unit.or(reach.own.map(|(unit, _)| unit))
}

/// Each value once, when they are few enough to be branches.
fn branches_of<T: Copy + Ord>(values: &[T]) -> Option<Vec<T>> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    (!values.is_empty() && values.len() <= BRANCHES_MAX).then_some(values)
}

fn filtered<T>(driver: Driver, reach: &Reach, values: Vec<T>, branch: fn(T) -> Branch) -> Drive {
    Drive {
        driver,
        branches: values.into_iter().map(branch).collect(),
        is_reach_asked: !reach.everything,
        managed: None,
    }
}

/// The only unit the caller belongs to; others' rows are not there.
fn by_own_unit(asked: Asked<'_>) -> Drive {
    let is_asked = |unit: &OrganizationId| asked.units.is_empty() || asked.units.contains(unit);
    let unit = own_unit(asked.reach).filter(is_asked);
    Drive {
        driver: Driver::Units,
        branches: unit.into_iter().map(Branch::Unit).collect(),
        is_reach_asked: false,
        managed: None,
    }
}

fn instruments(conn: &mut Conn, asked: Asked<'_>) -> Result<Option<(Driver, Vec<InstrumentId>)>> {
    if !asked.has_instrument_order {
        return Ok(None);
    }
    if !asked.instruments.is_empty() {
        return Ok(branches_of(asked.instruments).map(|all| (Driver::Instruments, all)));
    }
    let Some(user) = asked.assigned_to else {
        return Ok(None);
    };
    let assigned = managed_ids(conn, user, None)?;
    Ok((assigned.len() <= BRANCHES_MAX).then_some((Driver::AssignedTo, assigned)))
}

fn by_reach(conn: &mut Conn, asked: Asked<'_>) -> Result<Drive> {
    let reach = asked.reach;
    let mut drive = filtered(Driver::Reach, reach, vec![Branch::Everything], |all| all);
    if reach.everything {
        return Ok(drive);
    }
    let supervised = match reach.region {
        Some(region) => hosts_within!(region).load(conn)?,
        None => Vec::new(),
    };
    if supervised.len() > BRANCHES_MAX {
        return Ok(drive);
    }
    drive.is_reach_asked = false;
    drive.branches = supervised.into_iter().map(Branch::Host).collect();
    if let Some(host) = reach.host {
        drive.branches.retain(|known| *known != Branch::Host(host));
        drive.branches.push(Branch::Host(host));
    } else if let Some((host, user)) = reach.managed {
        let instruments = managed_ids(conn, user, Some(host))?;
        let is_split = asked.has_instrument_order && !asked.is_host_narrow;
        if is_split && instruments.len() <= BRANCHES_MAX {
            drive
                .branches
                .extend(instruments.into_iter().map(Branch::Instrument));
        } else {
            drive.branches.push(Branch::Host(host));
            drive.managed = Some(user);
        }
    }
    if let Some(unit) = own_unit(reach) {
        drive.branches.push(Branch::Unit(unit));
        // What narrows the host's branch must not narrow the unit's.
        drive.is_reach_asked = drive.managed.take().is_some();
    }
    Ok(drive)
}

/// The instruments a person manages, at this host or at any.
fn managed_ids(
    conn: &mut Conn,
    user: UserId,
    host: Option<OrganizationId>,
) -> Result<Vec<InstrumentId>> {
    let mut query = instrument_manager::table
        .inner_join(instrument::table)
        .filter(instrument_manager::user_id.eq(user))
        .select(instrument::id)
        .into_boxed();
    if let Some(host) = host {
        query = query.filter(instrument::organization_id.eq(host));
    }
    Ok(query.load(conn)?)
}

/// The instruments a person manages, within a statement.
macro_rules! managed_by {
    ($user:expr) => {
        $crate::store::schema::instrument_manager::table
            .filter($crate::store::schema::instrument_manager::user_id.eq($user))
            .select($crate::store::schema::instrument_manager::instrument_id)
    };
}
pub(super) use managed_by;

/// A column under a sign that hides it from the choice of an index, where a branch has already chosen.
macro_rules! hidden {
    ($table:ident.$column:ident) => {{
        let column = concat!("+", stringify!($table), ".", stringify!($column));
        diesel::dsl::sql::<diesel::sql_types::BigInt>(column)
    }};
}
pub(super) use hidden;
