//! What a host's year lacks, counted: three questions for each unit, each answered from that unit's rows alone by an index. Their
//! conditions are those of the lists of usage records, charges, bookings and instruments.
//!
//! The conditions are written into the texts as numbers and times, never as anything somebody typed.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text, Timestamp};

use super::case_fold::CaseFold;
use super::directory::LACKS_ADMIN;
use super::instrument::is_incomplete;
use super::{Conn, Result};
use crate::domain::calendar::Year;
use crate::domain::charge::ChargeState;
use crate::domain::policy::IncomeBy;
use crate::domain::usage::UsageState;
use crate::domain::{Fen, Instant, Minutes, OrganizationId, Uscc};

/// A host.
#[derive(Debug, Clone, QueryableByName)]
pub struct HostRow {
    #[diesel(sql_type = BigInt)]
    pub id: OrganizationId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub uscc: Uscc,
    #[diesel(sql_type = Bool)]
    pub lacks_admin: bool,
}

/// The hosts by id: these, or all.
pub fn list_hosts(conn: &mut Conn, asked: Option<&[OrganizationId]>) -> Result<Vec<HostRow>> {
    let narrowed = match asked {
        Some([]) => return Ok(Vec::new()),
        Some(ids) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!(" AND organization.id IN ({})", ids.join(", "))
        }
        None => String::new(),
    };
    Ok(sql_query(format!(
        "SELECT organization.id, organization.name, organization.uscc, {LACKS_ADMIN} AS lacks_admin \
         FROM organization WHERE organization.is_host{narrowed} ORDER BY organization.id"
    ))
    .load(conn)?)
}

/// Services of the year that are alike; what each field means, `domain::preflight::Services` says.
#[derive(Debug, QueryableByName)]
pub struct ServiceGroup {
    #[diesel(sql_type = Text)]
    pub state: UsageState,
    #[diesel(sql_type = Bool)]
    pub has_weak_evidence: bool,
    #[diesel(sql_type = Bool)]
    pub is_unpriced: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub charge: Option<ChargeState>,
    #[diesel(sql_type = Bool)]
    pub is_owed: bool,
    #[diesel(sql_type = BigInt)]
    pub services: i64,
    #[diesel(sql_type = BigInt)]
    pub minutes: Minutes,
    #[diesel(sql_type = BigInt)]
    pub amount_fen: Fen,
    #[diesel(sql_type = BigInt)]
    pub received_fen: Fen,
    #[diesel(sql_type = BigInt)]
    pub received_in_year_fen: Fen,
}

/// What evidence is weak: its classes, from this original value on.
pub type WeakEvidence<'a> = (&'a [crate::domain::usage::Evidence], Fen);

/// The services of a host that ended in the year, by the index `usage_record_host_ended`.
pub fn list_services(
    conn: &mut Conn,
    host: OrganizationId,
    (year, income_by): (Year, IncomeBy),
    weak: Option<WeakEvidence<'_>>,
) -> Result<Vec<ServiceGroup>> {
    let weak = match weak {
        Some((classes, from)) if !classes.is_empty() => {
            let classes: Vec<String> = classes.iter().map(|class| format!("'{class}'")).collect();
            format!(
                "u.evidence IN ({}) AND (SELECT i.original_value_fen FROM instrument i \
                 WHERE i.id = u.instrument_id) >= {}",
                classes.join(", "),
                from.number()
            )
        }
        _ => "u.id < 0".to_owned(),
    };
    let (received_ever, received_in_year) = received(year, income_by);
    Ok(sql_query(format!(
        "SELECT s.state, s.has_weak_evidence, s.is_unpriced, s.charge, s.received_fen < s.amount_fen AS is_owed, \
         COUNT(*) AS services, CAST(SUM(s.minutes) AS BIGINT) AS minutes, \
         CAST(SUM(s.amount_fen) AS BIGINT) AS amount_fen, CAST(SUM(s.received_fen) AS BIGINT) AS received_fen, \
         CAST(SUM(s.received_in_year_fen) AS BIGINT) AS received_in_year_fen FROM ( \
         SELECT u.state, CASE WHEN {weak} THEN TRUE ELSE FALSE END AS has_weak_evidence, \
         (u.organization_id <> u.host_organization_id AND c.id IS NULL) AS is_unpriced, \
         CASE WHEN c.amount_fen > 0 THEN c.state END AS charge, \
         u.prepare_minutes + u.run_minutes + u.post_minutes AS minutes, COALESCE(c.amount_fen, 0) AS amount_fen, \
         {received_ever} AS received_fen, {received_in_year} AS received_in_year_fen \
         FROM usage_record u LEFT JOIN charge c ON c.usage_record_id = u.id AND c.state <> 'voided' \
         WHERE u.host_organization_id = {host} AND {ended} AND u.state <> 'voided') s GROUP BY 1, 2, 3, 4, 5",
        ended = within("u.ended_at", year),
    ))
    .load(conn)?)
}

/// What was received for a charge `c`, and of it what counts in the year. By an invoice the whole charge counts, whoever has paid.
fn received(year: Year, income_by: IncomeBy) -> (String, String) {
    let (first, last) = (year.first(), year.last());
    let paid = |more: &str| {
        format!(
            "COALESCE((SELECT CAST(SUM(l.amount_fen) AS BIGINT) FROM payment_line l JOIN payment p \
             ON p.id = l.payment_id AND p.state = 'received'{more} WHERE l.charge_id = c.id), 0)"
        )
    };
    let invoiced =
        |more: &str| format!("CASE WHEN c.state = 'invoiced'{more} THEN c.amount_fen ELSE 0 END");
    match income_by {
        IncomeBy::PaidOn => {
            let in_year = format!(" AND p.paid_on >= '{first}' AND p.paid_on <= '{last}'");
            (paid(""), paid(&in_year))
        }
        IncomeBy::InvoicedOn => {
            let in_year = format!(
                " AND EXISTS (SELECT 1 FROM invoice_line il JOIN invoice i ON i.id = il.invoice_id WHERE il.charge_id = c.id \
                 AND il.annulled_event_id IS NULL AND i.issued_on >= '{first}' AND i.issued_on <= '{last}')"
            );
            (invoiced(""), invoiced(&in_year))
        }
        IncomeBy::EndedAt => (invoiced(""), invoiced("")),
    }
}

/// What lies in the year by a moment.
fn within(column: &str, year: Year) -> String {
    let (first, next) = year.span();
    let moment = |instant: Instant| instant.naive_utc().format("%Y-%m-%d %H:%M:%S");
    format!(
        "{column} >= '{}' AND {column} < '{}'",
        moment(first),
        moment(next)
    )
}

/// Requests of others that nobody answered, and when the first came.
#[derive(Debug, QueryableByName)]
pub struct Requests {
    #[diesel(sql_type = BigInt)]
    pub requests: i64,
    #[diesel(sql_type = Nullable<Timestamp>)]
    pub first_requested_at: Option<Instant>,
}

/// Those of the year that are open still, by the index `booking_host_open`.
pub fn count_requests(conn: &mut Conn, host: OrganizationId, year: Year) -> Result<Requests> {
    Ok(sql_query(format!(
        "SELECT COUNT(*) AS requests, MIN(b.created_at) AS first_requested_at FROM booking b \
         WHERE b.host_organization_id = {host} AND b.state IN ('held', 'requested', 'confirmed', 'in_progress') \
         AND b.state = 'requested' AND b.organization_id <> b.host_organization_id AND {}",
        within("b.created_at", year)
    ))
    .get_result(conn)?)
}

/// Instruments of a host worth the threshold.
#[derive(Debug, QueryableByName)]
pub struct Registry {
    #[diesel(sql_type = BigInt)]
    pub drafts: i64,
    #[diesel(sql_type = Nullable<Date>)]
    pub first_accepted_on: Option<NaiveDate>,
    #[diesel(sql_type = BigInt)]
    pub listed: i64,
    #[diesel(sql_type = BigInt)]
    pub incomplete: i64,
}

/// What of them is accepted in the year and still a draft, listed, and listed with something missing at its end.
pub fn count_registry(
    conn: &mut Conn,
    host: OrganizationId,
    year: Year,
    threshold: Fen,
) -> Result<Registry> {
    let (first, last) = (year.first(), year.last());
    let draft = format!(
        "instrument.state = 'draft' AND instrument.accepted_on >= '{first}' AND instrument.accepted_on <= '{last}'"
    );
    let listed = "instrument.state = 'listed'";
    let incomplete = is_incomplete(last, CaseFold::of(conn));
    let count = |condition: &str| format!("COUNT(CASE WHEN {condition} THEN 1 END)");
    Ok(sql_query(format!(
        "SELECT {} AS drafts, MIN(CASE WHEN {draft} THEN instrument.accepted_on END) AS first_accepted_on, \
         {} AS listed, {} AS incomplete FROM instrument \
         WHERE instrument.organization_id = {host} AND instrument.original_value_fen >= {}",
        count(&draft),
        count(listed),
        count(&format!("{listed} AND {incomplete}")),
        threshold.number(),
    ))
    .get_result(conn)?)
}
