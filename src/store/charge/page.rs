//! Pages of the charges a caller may see. Whether one is paid in full is not stored, so it is asked of each row.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};

use super::{Charge, SERVICE, Service, Whole};
use crate::domain::access::Reach;
use crate::domain::calendar::Year;
use crate::domain::charge::ChargeState;
use crate::domain::usage::UsageState;
use crate::domain::{ChargeId, Fen, Instant, InstrumentId, OrganizationId, UsageRecordId};
use crate::store::drive::{Asked, Branch, Drive, Driver, hidden, own_unit};
use crate::store::page::{Found, Key, Ordered, Range, first, in_range, load_keys, walk};
use crate::store::schema::{charge, usage_record};
use crate::store::two_sided::two_sided_list;
use crate::store::{Conn, Result, StoreError, invoice, payment};

two_sided_list!(
    Charge of charge,
    host: host_organization_id,
    unit: payer_organization_id in payers
);

/// Which charges to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub records: Vec<UsageRecordId>,
    pub hosts: Vec<OrganizationId>,
    pub payers: Vec<OrganizationId>,
    pub states: Vec<ChargeState>,
    pub instruments: Vec<InstrumentId>,
    /// Only services that began at this moment or later.
    pub from: Option<Instant>,
    /// Only services that began before this moment.
    pub until: Option<Instant>,
    /// Something is still owed, or nothing.
    pub is_open: Option<bool>,
    /// The payer declared a payment that the host has not decided about, or not.
    pub is_declared: Option<bool>,
    /// Only services that ended in one of these years.
    pub years: Vec<Year>,
    /// What the two sides say about the service.
    pub usage_states: Vec<UsageState>,
    /// An invoice stands for it, or none does though it costs something.
    pub is_invoiced: Option<bool>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Paid in full is not stored: it is what the payments say that were received.
const IS_PAID: &str = "(charge.amount_fen <= (SELECT COALESCE(SUM(l.amount_fen), 0) FROM payment_line l \
    JOIN payment p ON p.id = l.payment_id AND p.state = 'received' WHERE l.charge_id = charge.id))";

const IS_DECLARED: &str = "EXISTS (SELECT 1 FROM payment_line l JOIN payment p ON p.id = l.payment_id \
    AND p.state = 'declared' WHERE l.charge_id = charge.id)";

/// Of the service: looked up for each row, so that the order stays that of the charges.
const INSTRUMENT: &str =
    "(SELECT u.instrument_id FROM usage_record u WHERE u.id = charge.usage_record_id)";
const STARTED_AT: &str =
    "(SELECT u.started_at FROM usage_record u WHERE u.id = charge.usage_record_id)";

const ENDED_AT: &str =
    "(SELECT u.ended_at FROM usage_record u WHERE u.id = charge.usage_record_id)";
const USAGE_STATE: &str =
    "(SELECT u.state FROM usage_record u WHERE u.id = charge.usage_record_id)";

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
    let found = list.page(conn, range)?;
    Ok(Found {
        rows: with_money(conn, found.rows)?,
        rest: found.rest,
    })
}

/// All pages, up to the filter's limit; more than a statement reads are read in several.
pub fn list_all(conn: &mut Conn, reach: &Reach, filter: Filter) -> Result<Vec<Whole>> {
    let (most, mut filter) = (filter.limit, filter);
    let mut all: Vec<Whole> = Vec::new();
    loop {
        let left = most - i64::try_from(all.len()).unwrap_or(most);
        filter.limit = left.min(1_000);
        let found = list(conn, reach, &filter)?;
        let is_full = i64::try_from(found.rows.len()).is_ok_and(|rows| rows == filter.limit);
        let last = found.rows.last().map(|whole| whole.charge.id.number());
        all.extend(found.rows);
        filter.below = match found.rest {
            _ if left <= filter.limit && is_full => return Ok(all),
            Some(place) => Some(place.id()),
            None if is_full => last,
            None => return Ok(all),
        };
    }
}

fn with_money(conn: &mut Conn, charges: Vec<Charge>) -> Result<Vec<Whole>> {
    let ids: Vec<ChargeId> = charges.iter().map(|charge| charge.id).collect();
    let mut invoices: BTreeMap<ChargeId, _> =
        invoice::list_of_charges(conn, &ids)?.into_iter().collect();
    let mut payments: BTreeMap<ChargeId, Vec<_>> = BTreeMap::new();
    for (charge, payment) in payment::list_of_charges(conn, &ids)? {
        payments.entry(charge).or_default().push(payment);
    }
    let services = services(conn, &charges)?;
    let whole = charges.into_iter().map(|charge| {
        Some(Whole {
            service: services.get(&charge.usage_record_id).copied()?,
            invoice: invoices.remove(&charge.id),
            payments: payments.remove(&charge.id).unwrap_or_default(),
            charge,
        })
    });
    let whole: Option<Vec<Whole>> = whole.collect();
    whole.ok_or(StoreError::NotFound)
}

fn services(conn: &mut Conn, charges: &[Charge]) -> Result<BTreeMap<UsageRecordId, Service>> {
    let records: Vec<UsageRecordId> = charges.iter().map(|c| c.usage_record_id).collect();
    let services: Vec<(UsageRecordId, Service)> = usage_record::table
        .filter(usage_record::id.eq_any(records))
        .select((usage_record::id, SERVICE))
        .load(conn)?;
    Ok(services.into_iter().collect())
}

impl List<'_> {
    /// The places of all rows, when usage records leave few.
    fn few(&self, conn: &mut Conn, range: Range) -> Result<Option<Vec<Key>>> {
        let records = &self.filter.records;
        if records.is_empty() {
            return Ok(None);
        }
        let drive = Drive::undriven(self.reach);
        let query = List { drive, ..*self }
            .narrowed(charge::table.into_boxed())
            .filter(charge::usage_record_id.eq_any(records.clone()));
        Ok(Some(load_keys!(query, charge, range, conn)))
    }

    fn is_filtered_besides(&self) -> bool {
        let filter = self.filter;
        !filter.states.is_empty()
            || !filter.instruments.is_empty()
            || filter.from.or(filter.until).is_some()
            || filter.is_open.or(filter.is_declared).is_some()
            || filter.is_invoiced.is_some()
            || !filter.years.is_empty()
            || !filter.usage_states.is_empty()
    }

    fn narrowed_besides<'q>(&self, query: Query<'q>) -> Query<'q> {
        self.with_money(self.with_service(self.in_states(query)))
    }

    fn with_service<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let filter = self.filter;
        if !filter.instruments.is_empty() {
            let instruments = filter.instruments.clone();
            query = query.filter(sql::<BigInt>(INSTRUMENT).eq_any(instruments));
        }
        if let Some(from) = filter.from {
            query = query.filter(sql::<Timestamp>(STARTED_AT).ge(from));
        }
        if let Some(until) = filter.until {
            query = query.filter(sql::<Timestamp>(STARTED_AT).lt(until));
        }
        let in_year = |year: &Year| -> Condition {
            let (first, next) = year.span();
            let ended_at = || sql::<Timestamp>(ENDED_AT);
            Box::new(ended_at().ge(first).and(ended_at().lt(next)))
        };
        let years = filter.years.iter().map(in_year);
        if let Some(years) = years.reduce(|all, next| Box::new(all.or(next))) {
            query = query.filter(years);
        }
        if !filter.usage_states.is_empty() {
            let states = filter.usage_states.clone();
            query = query.filter(sql::<Text>(USAGE_STATE).eq_any(states));
        }
        query
    }

    fn with_money<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let owed = || {
            let unpaid = sql::<Bool>("NOT ").sql(IS_PAID);
            charge::state.ne(ChargeState::Voided).and(unpaid)
        };
        match self.filter.is_open {
            Some(true) => query = query.filter(owed()),
            Some(false) => query = query.filter(diesel::dsl::not(owed())),
            None => {}
        }
        match self.filter.is_invoiced {
            Some(true) => query = query.filter(charge::state.eq(ChargeState::Invoiced)),
            Some(false) => {
                let costs = charge::amount_fen.gt(Fen::ZERO);
                query = query.filter(charge::state.eq(ChargeState::Open).and(costs));
            }
            None => {}
        }
        match self.filter.is_declared {
            Some(true) => query = query.filter(sql::<Bool>(IS_DECLARED)),
            Some(false) => query = query.filter(sql::<Bool>("NOT ").sql(IS_DECLARED)),
            None => {}
        }
        query
    }

    fn in_states<'q>(&self, query: Query<'q>) -> Query<'q> {
        if self.filter.states.is_empty() {
            return query;
        }
        let paid = sql::<Bool>(IS_PAID);
        let unpaid = sql::<Bool>("NOT ").sql(IS_PAID);
        let (settled, voided, owed) = stored(&self.filter.states);
        query.filter(
            charge::state
                .eq_any(owed)
                .and(unpaid)
                .or(charge::state.eq_any(voided))
                .or(charge::state.eq_any(settled).and(paid)),
        )
    }
}
