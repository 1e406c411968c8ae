//! Pages of the charges a caller may see. Whether one is paid in full is not stored, so it is asked of each row.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::{Charge, Whole};
use crate::domain::access::Reach;
use crate::domain::charge::ChargeState;
use crate::domain::{ChargeId, Instant, OrganizationId, UsageRecordId};
use crate::store::drive::{Asked, Branch, Drive, Driver, hidden, own_unit};
use crate::store::page::{Found, Key, Ordered, Range, first, in_range, load_keys, walk};
use crate::store::schema::charge;
use crate::store::{Conn, Result, invoice, payment};

type Backend = <Conn as Connection>::Backend;
type Query<'a> = charge::BoxedQuery<'a, Backend>;
type Condition = Box<dyn BoxableExpression<charge::table, Backend, SqlType = Bool>>;

/// Which charges to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub records: Vec<UsageRecordId>,
    pub hosts: Vec<OrganizationId>,
    pub payers: Vec<OrganizationId>,
    pub states: Vec<ChargeState>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Paid in full is not stored: it is what the payments say.
const IS_PAID: &str = "(charge.amount_fen <= (SELECT COALESCE(SUM(payment_line.amount_fen), 0) FROM payment_line \
    WHERE payment_line.charge_id = charge.id))";

/// The stored states behind the derived ones: of charges that are paid in full, voided, and still owed.
fn stored(states: &[ChargeState]) -> (Vec<ChargeState>, Vec<ChargeState>, Vec<ChargeState>) {
    use ChargeState::{Invoiced, Open, Paid, Voided};
    let asked = |state: &ChargeState| states.contains(state);
    let settled = if asked(&Paid) {
        vec![Open, Invoiced]
    } else {
        Vec::new()
    };
    let voided = [Voided].into_iter().filter(asked).collect();
    let owed = [Open, Invoiced].into_iter().filter(asked).collect();
    (settled, voided, owed)
}

struct List<'a> {
    filter: &'a Filter,
    reach: &'a Reach,
    drive: Drive,
}

/// One page of what the caller reaches, each charge with its invoice and its payments.
pub fn list(conn: &mut Conn, reach: &Reach, filter: &Filter) -> Result<Found<Whole>> {
    let range = Range::of(filter.changed_after, filter.below);
    let asked = Asked {
        reach,
        instruments: &[],
        assigned_to: None,
        hosts: &filter.hosts,
        units: &filter.payers,
        has_instrument_order: false,
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
        rows: with_money(conn, found.rows)?,
        rest: found.rest,
    })
}

fn with_money(conn: &mut Conn, charges: Vec<Charge>) -> Result<Vec<Whole>> {
    let ids: Vec<ChargeId> = charges.iter().map(|charge| charge.id).collect();
    let mut invoices: BTreeMap<ChargeId, _> =
        invoice::list_of_charges(conn, &ids)?.into_iter().collect();
    let mut payments: BTreeMap<ChargeId, Vec<_>> = BTreeMap::new();
    for (charge, payment) in payment::list_of_charges(conn, &ids)? {
        payments.entry(charge).or_default().push(payment);
    }
    let whole = charges.into_iter().map(|charge| Whole {
        invoice: invoices.remove(&charge.id),
        payments: payments.remove(&charge.id).unwrap_or_default(),
        charge,
    });
    Ok(whole.collect())
}

impl List<'_> {
    /// A condition beside those of the branches narrows the rows.
    fn is_filtered(&self) -> bool {
        let (filter, drive) = (self.filter, &self.drive);
        drive.is_reach_asked
            || drive.managed.is_some()
            || (!filter.hosts.is_empty() && drive.driver != Driver::Hosts)
            || (!filter.payers.is_empty() && drive.driver != Driver::Units)
            || !filter.states.is_empty()
    }

    /// The places of all rows, when usage records leave few.
    fn few(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        let filter = self.filter;
        if filter.records.is_empty() {
            return Ok(None);
        }
        let drive = Drive::undriven(self.reach);
        let query = List { drive, ..*self }
            .narrowed(charge::table.into_boxed())
            .filter(charge::usage_record_id.eq_any(filter.records.clone()));
        Ok(Some(load_keys!(query, charge, range, conn)))
    }

    /// A page of these places.
    fn rows_of(&self, conn: &mut Conn, keys: Vec<Key>, range: Range) -> Result<Found<Charge>> {
        if keys.is_empty() {
            return Ok(Found::all(Vec::new()));
        }
        let ids: Vec<i64> = keys.into_iter().map(Key::id).collect();
        let mut rows: Vec<Charge> = charge::table
            .filter(charge::id.eq_any(ids))
            .select(Charge::as_select())
            .load(conn)?;
        rows.sort_by_key(|row| self.key(row, range));
        Ok(Found::all(rows))
    }

    /// The conditions beside those of the branch, hidden from the choice of an index.
    fn narrowed<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let (filter, drive) = (self.filter, &self.drive);
        if drive.is_reach_asked || drive.managed.is_some() {
            query = query.filter(visible(self.reach));
        }
        if !filter.hosts.is_empty() && drive.driver != Driver::Hosts {
            let hosts = filter.hosts.clone();
            query = query.filter(hidden!("charge.host_organization_id").eq_any(hosts));
        }
        if !filter.payers.is_empty() && drive.driver != Driver::Units {
            let payers = filter.payers.clone();
            query = query.filter(hidden!("charge.payer_organization_id").eq_any(payers));
        }
        if !filter.states.is_empty() {
            let paid = sql::<Bool>(IS_PAID);
            let unpaid = sql::<Bool>("NOT ").sql(IS_PAID);
            let (settled, voided, owed) = stored(&filter.states);
            query = query.filter(
                charge::state
                    .eq_any(owed)
                    .and(unpaid)
                    .or(charge::state.eq_any(voided))
                    .or(charge::state.eq_any(settled).and(paid)),
            );
        }
        query
    }
}

impl Ordered for List<'_> {
    type Branch = Branch;
    type Row = Charge;

    fn nth(
        &self,
        conn: &mut Conn,
        branch: Branch,
        range: Range,
        skipped: i64,
    ) -> Result<Option<Key>> {
        let query = in_range!(driven(branch), charge, range);
        Ok(load_keys!(query.limit(1).offset(skipped), charge, range, conn).pop())
    }

    fn keys(&self, conn: &mut Conn, branch: Branch, range: Range, limit: i64) -> Result<Vec<Key>> {
        let query = in_range!(self.narrowed(driven(branch)), charge, range);
        Ok(load_keys!(query.limit(limit), charge, range, conn))
    }

    fn rows(
        &self,
        conn: &mut Conn,
        branch: Branch,
        range: Range,
        limit: i64,
    ) -> Result<Vec<Charge>> {
        let query = in_range!(self.narrowed(driven(branch)), charge, range);
        Ok(query.limit(limit).select(Charge::as_select()).load(conn)?)
    }

    fn key(&self, row: &Charge, range: Range) -> Key {
        range.key(row.updated_at, row.id.number())
    }
}

/// The rows of a branch. No role reaches charges by their instrument.
fn driven<'a>(branch: Branch) -> Query<'a> {
    let query = charge::table.into_boxed();
    match branch {
        Branch::Everything => query,
        Branch::Host(host) => query.filter(charge::host_organization_id.eq(host)),
        Branch::Unit(unit) => query.filter(charge::payer_organization_id.eq(unit)),
        Branch::Instrument(_) => query.filter(charge::id.eq(0)),
    }
}

/// What the roles reach, of one row.
fn visible(reach: &Reach) -> Condition {
    let mut condition: Condition = Box::new(charge::id.eq(0));
    if let Some(host) = reach.host {
        condition = Box::new(condition.or(hidden!("charge.host_organization_id").eq(host)));
    }
    if let Some(unit) = own_unit(reach) {
        condition = Box::new(condition.or(hidden!("charge.payer_organization_id").eq(unit)));
    }
    condition
}
