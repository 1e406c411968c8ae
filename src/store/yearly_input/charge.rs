//! The charges of a unit's year, of what it served or of what it used, as they stood at the freeze: those served in the year, and
//! those whose money is of it, whatever has become of their records. What of each was invoiced, counts in the year, counts in another
//! or went back is told beside its amount.
//!
//! The conditions are written into the texts as numbers and times, never as anything somebody typed.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Text, Timestamp};

use super::Scope;
use super::income::stands;
use crate::domain::policy::IncomeBy;
use crate::domain::usage::{Evidence, UsageState};
use crate::domain::{ChargeId, Fen, Instant, InstrumentId, Minutes, OrganizationId, UsageRecordId};
use crate::store::schema::usage_record_version;
use crate::store::usage::{self, StoredVersion, UsageRecord};
use crate::store::{Conn, Json, Result};

/// Whose year is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What a host served.
    Host(OrganizationId),
    /// What a using unit used, wherever.
    User(OrganizationId),
}

impl Side {
    pub const fn organization_id(self) -> OrganizationId {
        match self {
            Self::Host(id) | Self::User(id) => id,
        }
    }
}

/// A charge with the version of its usage record that was frozen.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ChargeRow {
    #[diesel(sql_type = BigInt)]
    pub id: ChargeId,
    #[diesel(sql_type = BigInt)]
    pub usage_record_id: UsageRecordId,
    #[diesel(sql_type = BigInt)]
    pub record_version: i64,
    #[diesel(sql_type = Bool)]
    is_replaced: bool,
    #[diesel(sql_type = BigInt)]
    pub instrument_id: InstrumentId,
    #[diesel(sql_type = BigInt)]
    pub host_organization_id: OrganizationId,
    #[diesel(sql_type = BigInt)]
    pub organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    pub evidence: Evidence,
    #[diesel(sql_type = Bool)]
    pub statutory: bool,
    #[diesel(sql_type = Text)]
    pub state: UsageState,
    #[diesel(sql_type = Timestamp)]
    pub ended_at: Instant,
    #[diesel(sql_type = BigInt)]
    pub minutes: Minutes,
    #[diesel(sql_type = BigInt)]
    pub amount_fen: Fen,
    /// What a voucher is to pay.
    #[diesel(sql_type = BigInt)]
    told_fen: Fen,
    #[diesel(sql_type = Bool)]
    pub is_invoiced: bool,
    /// The invoice has a date that counts in the year.
    #[diesel(sql_type = Bool)]
    is_dated: bool,
    /// Of the payer, and of a voucher, counted in the year.
    #[diesel(sql_type = BigInt)]
    pub paid_fen: Fen,
    #[diesel(sql_type = BigInt)]
    pub voucher_fen: Fen,
    #[diesel(sql_type = BigInt)]
    pub other_year_fen: Fen,
    #[diesel(sql_type = BigInt)]
    pub returned_fen: Fen,
}

/// The next charges of a side by id, after `after`, with the id of the last one that was looked at; `None`: it was the last.
pub fn list_charges(
    conn: &mut Conn,
    scope: &Scope,
    side: Side,
    after: Option<ChargeId>,
    limit: i64,
) -> Result<(Vec<ChargeRow>, Option<ChargeId>)> {
    let mut rows: Vec<ChargeRow> = sql_query(text(scope, side, after, limit)).load(conn)?;
    let is_whole = i64::try_from(rows.len()).is_ok_and(|found| found < limit);
    let last = rows.last().map(|row| row.id).filter(|_| !is_whole);
    restore(conn, scope, &mut rows)?;
    if scope.income_by != IncomeBy::PaidOn {
        rows.iter_mut().for_each(ChargeRow::count_by_invoice);
    }
    rows.retain(|row| {
        let counts = row.paid_fen > Fen::ZERO || row.voucher_fen > Fen::ZERO;
        // Money of a record that was voided later is money of the year all the same.
        (counts && scope.may_earn(row.ended_at))
            || (row.state != UsageState::Voided && scope.has_end(row.ended_at))
    });
    Ok((rows, last))
}

/// In the order of ids by the indexes `charge_host` and `charge_payer`.
fn text(scope: &Scope, side: Side, after: Option<ChargeId>, limit: i64) -> String {
    let of_side = match side {
        Side::Host(id) => format!("c.host_organization_id = {id}"),
        Side::User(id) => format!("c.payer_organization_id = {id}"),
    };
    let event = scope.event_number();
    let moment = |instant: Instant| instant.naive_utc().format("%Y-%m-%d %H:%M:%S").to_string();
    let Money {
        payer,
        voucher,
        other_year,
        returned,
        is_dated,
        is_of_days,
    } = money(scope);
    format!(
        "SELECT c.id, c.usage_record_id, u.version AS record_version, \
         CASE WHEN u.event_id > {event} THEN TRUE ELSE FALSE END AS is_replaced, \
         u.instrument_id, c.host_organization_id, u.organization_id, u.evidence, u.statutory, u.state, u.ended_at, \
         u.prepare_minutes + u.run_minutes + u.post_minutes AS minutes, c.amount_fen, c.voucher_fen AS told_fen, \
         CASE WHEN EXISTS (SELECT 1 FROM invoice_line il JOIN invoice i ON i.id = il.invoice_id WHERE il.charge_id = c.id \
         AND i.event_id <= {event} AND (il.annulled_event_id IS NULL OR il.annulled_event_id > {event})) \
         THEN TRUE ELSE FALSE END AS is_invoiced, CASE WHEN {is_dated} THEN TRUE ELSE FALSE END AS is_dated, \
         {payer} AS paid_fen, {voucher} AS voucher_fen, {other_year} AS other_year_fen, {returned} AS returned_fen \
         FROM charge c JOIN usage_record u ON u.id = c.usage_record_id \
         LEFT JOIN payment_line l ON l.charge_id = c.id LEFT JOIN payment p ON p.id = l.payment_id \
         WHERE {of_side} AND c.id > {after} AND (c.state <> 'voided' OR c.event_id > {event}) \
         AND (c.event_id <= {event} OR c.created_at <= '{frozen_at}') \
         AND (u.event_id > {event} OR (u.ended_at > '{starts_at}' AND u.ended_at <= '{ends_at}') \
         OR {is_of_days}) \
         GROUP BY c.id, c.host_organization_id, c.usage_record_id, c.amount_fen, u.id, u.version, u.event_id, u.instrument_id, u.organization_id, \
         u.evidence, u.statutory, u.state, u.ended_at, u.prepare_minutes, u.run_minutes, u.post_minutes \
         ORDER BY c.id LIMIT {limit}",
        after = after.map_or(0, ChargeId::number),
        frozen_at = moment(scope.frozen_at),
        starts_at = moment(scope.period.starts_at()),
        ends_at = moment(scope.period.ends_at()),
    )
}

/// The parts of the text that say what money counts.
struct Money {
    payer: String,
    voucher: String,
    other_year: String,
    returned: String,
    is_dated: String,
    /// Some money of the charge may be of the days, whenever it was served.
    is_of_days: String,
}

fn money(scope: &Scope) -> Money {
    let event = scope.event_number();
    let between = |column: &str| {
        format!(
            "{column} >= '{}' AND {column} <= '{}'",
            scope.first_on, scope.last_on
        )
    };
    let stands = stands(scope);
    let paid = |condition: &str| {
        format!("CAST(SUM(CASE WHEN {condition} THEN l.amount_fen ELSE 0 END) AS BIGINT)")
    };
    if scope.income_by == IncomeBy::PaidOn {
        let in_year = between("p.paid_on");
        let by = |source: &str| paid(&format!("{stands} AND {in_year} AND p.source = '{source}'"));
        return Money {
            payer: by("payer"),
            voucher: by("voucher"),
            other_year: paid(&format!("{stands} AND NOT ({in_year})")),
            returned: paid(&format!(
                "p.received_event_id <= {event} AND p.ended_event_id <= {event}"
            )),
            is_dated: "c.id > 0".to_owned(),
            is_of_days: format!(
                "EXISTS (SELECT 1 FROM payment_line ly JOIN payment py ON py.id = ly.payment_id \
                 WHERE ly.charge_id = c.id AND {})",
                between("py.paid_on")
            ),
        };
    }
    let (is_dated, is_of_days) = match scope.income_by {
        IncomeBy::InvoicedOn => {
            let issued = format!(
                "EXISTS (SELECT 1 FROM invoice_line il JOIN invoice i ON i.id = il.invoice_id WHERE il.charge_id = c.id \
                 AND i.event_id <= {event} AND (il.annulled_event_id IS NULL OR il.annulled_event_id > {event}) AND {})",
                between("i.issued_on")
            );
            (issued.clone(), issued)
        }
        // Those that were served in the days are there, and no others.
        IncomeBy::PaidOn | IncomeBy::EndedAt => ("c.id > 0".to_owned(), "c.id < 0".to_owned()),
    };
    let nothing = || "CAST(0 AS BIGINT)".to_owned();
    Money {
        payer: paid(&format!("{stands} AND p.source = 'payer'")),
        voucher: paid(&format!("{stands} AND p.source = 'voucher'")),
        other_year: nothing(),
        returned: nothing(),
        is_dated,
        is_of_days,
    }
}

impl ChargeRow {
    /// Counts the whole charge by its invoice, whoever has paid: in the year, or in another one.
    fn count_by_invoice(&mut self) {
        let unpaid = Fen::new(self.amount_fen.number() - self.paid_fen.number());
        let voucher = self.told_fen.min(unpaid).max(self.voucher_fen);
        self.voucher_fen = Fen::ZERO;
        self.paid_fen = Fen::ZERO;
        match (self.is_invoiced, self.is_dated) {
            (true, true) => {
                self.voucher_fen = voucher;
                self.paid_fen = Fen::new(self.amount_fen.number() - voucher.number());
            }
            (true, false) => self.other_year_fen = self.amount_fen,
            (false, _) => {}
        }
    }
}

/// Gives charges whose records changed since the freeze the versions that stood then.
fn restore(conn: &mut Conn, scope: &Scope, rows: &mut [ChargeRow]) -> Result<()> {
    let changed = rows.iter().filter(|row| row.is_replaced);
    let ids: Vec<UsageRecordId> = changed.map(|row| row.usage_record_id).collect();
    let stood = list_replaced_of(conn, scope, &ids)?;
    for row in rows.iter_mut().filter(|row| row.is_replaced) {
        let Some(record) = stood.get(&row.usage_record_id) else {
            continue;
        };
        row.record_version = record.version;
        row.instrument_id = record.instrument_id;
        row.organization_id = record.organization_id;
        row.evidence = record.evidence;
        row.statutory = record.statutory;
        row.state = record.state;
        row.ended_at = record.ended_at;
        row.minutes = record.effective_minutes();
    }
    Ok(())
}

/// Of these records, those that changed since the freeze, as they stood then.
fn list_replaced_of(
    conn: &mut Conn,
    scope: &Scope,
    ids: &[UsageRecordId],
) -> Result<BTreeMap<UsageRecordId, UsageRecord>> {
    let event = scope.event_number();
    let mut stood = BTreeMap::new();
    for ids in ids.chunks(1_000) {
        let versions: Vec<Json<StoredVersion>> = usage_record_version::table
            .filter(usage_record_version::usage_record_id.eq_any(ids))
            .filter(
                usage_record_version::event_id
                    .le(event)
                    .and(usage_record_version::replaced_by_event_id.gt(event)),
            )
            .select(usage_record_version::content)
            .load(conn)?;
        let records = versions
            .into_iter()
            .map(|version| UsageRecord::from(version.into_inner()));
        stood.extend(records.map(|record| (record.id, record)));
    }
    Ok(stood)
}

/// These records as they stood at the freeze.
pub fn list_stood(
    conn: &mut Conn,
    scope: &Scope,
    ids: &[UsageRecordId],
) -> Result<BTreeMap<UsageRecordId, UsageRecord>> {
    let mut records = BTreeMap::new();
    for ids in ids.chunks(1_000) {
        let present = usage::list_of(conn, ids)?.into_iter();
        records.extend(present.map(|record| (record.id, record)));
    }
    records.extend(list_replaced_of(conn, scope, ids)?);
    Ok(records)
}
