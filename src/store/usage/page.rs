//! Pages of the usage records a caller may see, with what a spreadsheet calls instrument and unit.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamp};

use super::UsageRecord;
use crate::domain::access::Reach;
use crate::domain::calendar::Year;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{BookingId, Fen, Instant, InstrumentId, OrganizationId, TypedKey, Uscc};
use crate::store::drive::{Asked, Branch, Drive, Driver, hidden, managed_by, own_unit};
use crate::store::page::{Found, Key, Ordered, Range, first, in_range, load_keys, walk};
use crate::store::schema::{instrument, organization, usage_record};
use crate::store::two_sided::two_sided_list;
use crate::store::{Conn, Result, StoreError};

two_sided_list!(
    UsageRecord of usage_record,
    host: host_organization_id,
    unit: organization_id in organizations,
    instrument: instrument_id
);

/// Which records to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub instruments: Vec<InstrumentId>,
    pub organizations: Vec<OrganizationId>,
    pub hosts: Vec<OrganizationId>,
    pub states: Vec<UsageState>,
    pub bookings: Vec<BookingId>,
    pub client_references: Vec<TypedKey>,
    /// Only use by units of others that nobody is charged for, or only the rest.
    pub is_unpriced: Option<bool>,
    /// Only records that end in one of these years.
    pub years: Vec<Year>,
    pub evidence: Vec<Evidence>,
    /// Only of instruments with this original value or a higher one.
    pub original_value_from: Option<Fen>,
    /// Only records that end after this moment.
    pub from: Option<Instant>,
    /// Only records that begin before this moment.
    pub until: Option<Instant>,
    /// In the order of (`updated_at`, `id`), after this place; else newest first.
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// A unit of others used the instrument, and no charge stands.
const IS_UNPRICED: &str = "(usage_record.organization_id <> usage_record.host_organization_id \
    AND usage_record.state <> 'voided' AND NOT EXISTS (SELECT 1 FROM charge c \
    WHERE c.usage_record_id = usage_record.id AND c.state <> 'voided'))";

/// A record with its host and what a spreadsheet calls instrument and unit.
#[derive(Debug, Clone)]
pub struct Listed {
    pub record: UsageRecord,
    pub host_organization_id: OrganizationId,
    pub asset_no: TypedKey,
    pub using_uscc: Uscc,
}

/// Looked up for each row, so that the order stays that of the records.
const ORIGINAL_VALUE: &str =
    "(SELECT i.original_value_fen FROM instrument i WHERE i.id = usage_record.instrument_id)";

/// Hidden from the choice of an index: the order of the list is that of another one.
const ENDED_AT: &str = "COALESCE(usage_record.ended_at, usage_record.started_at)";

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
    let found = list.page(conn, range)?;
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
            Some(Key::Trail(_)) | None => return Ok(all),
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
    let instruments: Vec<(InstrumentId, OrganizationId, TypedKey)> = instrument::table
        .filter(instrument::id.eq_any(instruments))
        .select((
            instrument::id,
            instrument::organization_id,
            instrument::asset_no,
        ))
        .load(conn)?;
    let instruments: BTreeMap<InstrumentId, (OrganizationId, TypedKey)> = instruments
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
                .filter(usage_record::client_reference_key.is_not_null());
        } else {
            return Ok(None);
        }
        Ok(Some(load_keys!(query, usage_record, range, conn)))
    }

    fn is_instrument_asked(&self) -> bool {
        !self.filter.instruments.is_empty() && self.drive.driver != Driver::Instruments
    }

    fn is_filtered_besides(&self) -> bool {
        let filter = self.filter;
        self.is_instrument_asked()
            || !filter.states.is_empty()
            || !filter.client_references.is_empty()
            || filter.from.or(filter.until).is_some()
            || filter.is_unpriced.is_some()
            || !filter.years.is_empty()
            || !filter.evidence.is_empty()
            || filter.original_value_from.is_some()
    }

    fn narrowed_besides<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let filter = self.filter;
        if self.is_instrument_asked() {
            let instruments = filter.instruments.clone();
            query = query.filter(hidden!(usage_record.instrument_id).eq_any(instruments));
        }
        if !filter.states.is_empty() {
            query = query.filter(usage_record::state.eq_any(filter.states.clone()));
        }
        if !filter.client_references.is_empty() {
            let references = filter.client_references.iter().map(TypedKey::folded);
            query = query
                .filter(usage_record::client_reference_key.eq_any(references.collect::<Vec<_>>()));
        }
        match filter.is_unpriced {
            Some(true) => query = query.filter(sql::<Bool>(IS_UNPRICED)),
            Some(false) => query = query.filter(sql::<Bool>("NOT ").sql(IS_UNPRICED)),
            None => {}
        }
        if let Some(from) = filter.from {
            query = query.filter(sql::<Timestamp>(ENDED_AT).gt(from));
        }
        if let Some(until) = filter.until {
            let started_at = "COALESCE(usage_record.started_at, usage_record.ended_at)";
            query = query.filter(sql::<Timestamp>(started_at).lt(until));
        }
        self.with_facts(query)
    }

    fn with_facts<'q>(&self, mut query: Query<'q>) -> Query<'q> {
        let filter = self.filter;
        let in_year = |year: &Year| -> Condition {
            let (first, next) = year.span();
            let ended_at = || sql::<Timestamp>(ENDED_AT);
            Box::new(ended_at().ge(first).and(ended_at().lt(next)))
        };
        let years = filter.years.iter().map(in_year);
        if let Some(years) = years.reduce(|all, next| Box::new(all.or(next))) {
            query = query.filter(years);
        }
        if !filter.evidence.is_empty() {
            query = query.filter(usage_record::evidence.eq_any(filter.evidence.clone()));
        }
        if let Some(from) = filter.original_value_from {
            query = query.filter(sql::<BigInt>(ORIGINAL_VALUE).ge(from));
        }
        query
    }
}
