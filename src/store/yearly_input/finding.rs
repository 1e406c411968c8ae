//! The candidates of findings: for each rule one query that leaves only what looks wrong, or what two units come to. Read are
//! the records as they stand, up to the event of the freeze. The conditions are written into the texts as numbers and times,
//! never as anything somebody typed.

mod pair;
mod suspicion;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Timestamp};

use super::Scope;
use crate::domain::finding::{
    CANDIDATES_MAX, Candidate, FindingRule, IDENTICAL_RECORDS_MIN, LATE_DAYS, UNPAID_MINUTES_MIN,
};
use crate::domain::usage::INTERVAL_MINUTES_MAX;
use crate::domain::{Fen, Instant, InstrumentId, Minutes, OrganizationId, TooLarge, UsageRecordId};
use crate::store::{Conn, Result};
pub use pair::read_records_of_two;
pub use suspicion::list_suspected;

/// The effective minutes of a record.
const MINUTES: &str = "(u.prepare_minutes + u.run_minutes + u.post_minutes)";

/// Of the host `h` and its customer `o`: one body in two codes, or one address or contact.
const LOOKS_RELATED: &str = "(SUBSTR(h.uscc, 9, 9) = SUBSTR(o.uscc, 9, 9) \
     OR (TRIM(h.address) <> '' AND TRIM(h.address) = TRIM(o.address)) \
     OR (TRIM(h.public_contact) <> '' AND TRIM(h.public_contact) = TRIM(o.public_contact)))";

#[derive(Debug, QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Nullable<BigInt>)]
    counterpart_id: Option<OrganizationId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    instrument_id: Option<InstrumentId>,
    #[diesel(sql_type = Nullable<BigInt>)]
    record_id: Option<UsageRecordId>,
    #[diesel(sql_type = BigInt)]
    records: i64,
    #[diesel(sql_type = BigInt)]
    minutes: i64,
    #[diesel(sql_type = BigInt)]
    millions: i64,
    #[diesel(sql_type = BigInt)]
    rest: i64,
    #[diesel(sql_type = BigInt)]
    value: i64,
    #[diesel(sql_type = BigInt)]
    bound: i64,
    #[diesel(sql_type = Nullable<Timestamp>)]
    started_at: Option<Instant>,
    #[diesel(sql_type = Nullable<Date>)]
    accepted_on: Option<NaiveDate>,
}

/// What the two databases write differently.
struct Dialect {
    /// Whole minutes of a record's interval.
    interval: &'static str,
    /// More minutes than the interval has.
    too_long: String,
    entered_late: String,
    /// Charges with their records, the charges first: they are fewer.
    charges: &'static str,
    /// Instruments with their records, so that each one's are found by its index.
    by_instrument: &'static str,
    /// Records by the index that holds only those longer than their interval, or entered late.
    too_long_rows: &'static str,
    entered_late_rows: &'static str,
    /// Those not yet confirmed, by the index that holds only them.
    unconfirmed_rows: &'static str,
    /// What the index of operators holds.
    same_operator: &'static str,
    /// A record that begins so long before another cannot reach it.
    within_reach: &'static str,
}

impl Dialect {
    fn of(conn: &Conn) -> Self {
        match conn {
            Conn::Sqlite(_) => Self {
                interval: "((CAST(strftime('%s', u.ended_at) AS BIGINT) - CAST(strftime('%s', u.started_at) AS BIGINT)) / 60)",
                // The column first: a term that SQLite turns round is no longer that of the index.
                too_long: format!("u.ended_at < datetime(u.started_at, {MINUTES} || ' minutes')"),
                entered_late: format!("u.entered_at > datetime(u.ended_at, '+{LATE_DAYS} days')"),
                charges: "charge c CROSS JOIN usage_record u ON u.id = c.usage_record_id",
                by_instrument: "instrument i CROSS JOIN usage_record u ON u.instrument_id = i.id",
                too_long_rows: "usage_record u INDEXED BY usage_record_too_long",
                entered_late_rows: "usage_record u INDEXED BY usage_record_entered_late",
                unconfirmed_rows: "usage_record u INDEXED BY usage_record_unconfirmed",
                same_operator: "v.operator = u.operator",
                within_reach: "v.started_at > datetime(u.started_at, '-31 days')",
            },
            Conn::Postgres(_) => Self {
                interval: "(CAST(EXTRACT(EPOCH FROM (u.ended_at - u.started_at)) AS BIGINT) / 60)",
                too_long: format!("u.ended_at < u.started_at + {MINUTES} * INTERVAL '1 minute'"),
                entered_late: format!("u.entered_at > u.ended_at + INTERVAL '{LATE_DAYS} days'"),
                charges: "charge c JOIN usage_record u ON u.id = c.usage_record_id",
                by_instrument: "instrument i JOIN usage_record u ON u.instrument_id = i.id",
                too_long_rows: "usage_record u",
                entered_late_rows: "usage_record u",
                unconfirmed_rows: "usage_record u",
                same_operator: "md5(v.operator) = md5(u.operator)",
                within_reach: "v.started_at > u.started_at - INTERVAL '31 days'",
            },
        }
    }
}

/// The columns of a record that looks wrong: what it is held against what.
fn of_record(value: &str, bound: &str) -> String {
    format!(
        "SELECT u.host_organization_id AS organization_id, CAST(NULL AS BIGINT) AS counterpart_id, \
         u.instrument_id AS instrument_id, u.id AS record_id, CAST(1 AS BIGINT) AS records, {MINUTES} AS minutes, \
         CAST(0 AS BIGINT) AS millions, CAST(0 AS BIGINT) AS rest, CAST({value} AS BIGINT) AS value, \
         CAST({bound} AS BIGINT) AS bound, u.started_at AS started_at, NULL_DAY AS accepted_on"
    )
}

/// The columns of two units: the records of the second at the first, what they cost, and what that is held against.
fn of_pair(income: &str, value: &str, bound: &str) -> String {
    format!(
        "SELECT u.host_organization_id AS organization_id, u.organization_id AS counterpart_id, \
         CAST(NULL AS BIGINT) AS instrument_id, CAST(NULL AS BIGINT) AS record_id, COUNT(*) AS records, \
         CAST(SUM({MINUTES}) AS BIGINT) AS minutes, CAST(COALESCE(SUM({income} / 1000000), 0) AS BIGINT) AS millions, \
         CAST(COALESCE(SUM({income} % 1000000), 0) AS BIGINT) AS rest, CAST({value} AS BIGINT) AS value, \
         CAST({bound} AS BIGINT) AS bound, CAST(NULL AS TIMESTAMP) AS started_at, NULL_DAY AS accepted_on"
    )
}

/// The candidates of a rule; `is_cut`: there are more of them.
#[derive(Debug)]
pub struct Candidates {
    rows: Vec<Row>,
    pub is_cut: bool,
}

impl Candidates {
    /// Each one, or that no number holds its money.
    pub fn each(self) -> impl Iterator<Item = std::result::Result<Candidate, TooLarge>> {
        self.rows.into_iter().map(Row::candidate)
    }
}

impl Row {
    fn candidate(self) -> std::result::Result<Candidate, TooLarge> {
        let income = self.millions.checked_mul(1_000_000);
        let income = income.and_then(|fen| fen.checked_add(self.rest));
        Ok(Candidate {
            organization_id: self.organization_id,
            counterpart_id: self.counterpart_id,
            instrument_id: self.instrument_id,
            record_id: self.record_id,
            records: self.records,
            minutes: Minutes::new(self.minutes),
            income: Fen::new(income.ok_or(TooLarge)?),
            value: self.value,
            bound: self.bound,
            started_at: self.started_at,
            accepted_on: self.accepted_on,
        })
    }
}

/// The candidates of a rule in the order of units, instruments and records, as far as they are read.
pub fn list_candidates(conn: &mut Conn, scope: &Scope, rule: FindingRule) -> Result<Candidates> {
    let text = text(rule, scope, &Dialect::of(conn));
    // A cast would make a number of a day on SQLite; PostgreSQL wants the type of a NULL.
    let no_day = match conn {
        Conn::Sqlite(_) => "NULL",
        Conn::Postgres(_) => "CAST(NULL AS DATE)",
    };
    let text = format!(
        "{} ORDER BY 1, 2, 3, 4 LIMIT {}",
        text.replace("NULL_DAY", no_day),
        CANDIDATES_MAX + 1
    );
    let mut rows: Vec<Row> = sql_query(text).load(conn)?;
    let is_cut = cut(&mut rows);
    Ok(Candidates { rows, is_cut })
}

/// Whether there were more than are read.
fn cut<T>(rows: &mut Vec<T>) -> bool {
    let most = usize::try_from(CANDIDATES_MAX).unwrap_or(usize::MAX);
    let is_cut = rows.len() > most;
    rows.truncate(most);
    is_cut
}

fn text(rule: FindingRule, scope: &Scope, dialect: &Dialect) -> String {
    let year = in_year(scope);
    match rule {
        FindingRule::Over24Hours => format!(
            "{} FROM {} WHERE {year} AND {}",
            of_record(MINUTES, dialect.interval),
            dialect.too_long_rows,
            dialect.too_long
        ),
        FindingRule::Overlap => format!(
            "{} FROM {} AND u.channel > i.channels WHERE {year}",
            of_record("u.channel", "i.channels"),
            dialect.by_instrument
        ),
        FindingRule::BeforeAcceptance => format!(
            "{} FROM {} AND u.started_at < i.accepted_on WHERE {year} AND i.accepted_on > '{}'",
            of_record("0", "0").replace("NULL_DAY", "i.accepted_on"),
            dialect.by_instrument,
            earliest(scope).local_date()
        ),
        FindingRule::DuringClosure => format!(
            "{} FROM usage_record u WHERE {year} AND u.instrument_id IN (SELECT k.instrument_id FROM closure k \
             WHERE k.withdrawn_at IS NULL AND k.starts_at < '{}' AND (k.ends_at IS NULL OR k.ends_at > '{}')) \
             AND EXISTS (SELECT 1 FROM closure c WHERE c.instrument_id = u.instrument_id \
             AND c.withdrawn_at IS NULL AND c.starts_at < u.ended_at AND (c.ends_at IS NULL OR c.ends_at > u.started_at))",
            of_record("1", "0"),
            moment(scope.period.ends_at()),
            moment(earliest(scope))
        ),
        FindingRule::OperatorTwice => format!(
            "{} FROM usage_record u WHERE {year} AND u.operator IS NOT NULL AND EXISTS (SELECT 1 FROM usage_record v \
             WHERE {} AND v.operator IS NOT NULL AND v.operator = u.operator AND {} AND v.started_at < u.ended_at \
             AND v.ended_at > u.started_at AND v.instrument_id <> u.instrument_id AND v.organization_id = u.organization_id \
             AND v.state <> 'voided')",
            of_record("1", "0"),
            dialect.same_operator,
            dialect.within_reach
        ),
        FindingRule::LateManualEntry => format!(
            "{} FROM {} WHERE {year} AND u.evidence = 'manual' AND {}",
            of_record("1", "0"),
            dialect.entered_late_rows,
            dialect.entered_late
        ),
        FindingRule::PriceOffTariff => format!(
            "{} FROM {} \
             JOIN tariff t ON t.instrument_id = u.instrument_id AND t.customer_class IS NULL AND t.mode IS NULL \
             AND t.ended_at IS NULL AND t.price_fen_per_hour > 0 AND t.valid_from <= u.ended_at \
             AND (t.valid_until IS NULL OR t.valid_until > u.ended_at) \
             WHERE c.state <> 'voided' AND c.amount_fen > 0 AND {year} AND u.organization_id <> u.host_organization_id AND \
             (120.0 * c.amount_fen < 1.0 * t.price_fen_per_hour * {MINUTES} \
             OR 60.0 * c.amount_fen > 2.0 * t.price_fen_per_hour * {MINUTES})",
            of_record("c.amount_fen", "t.price_fen_per_hour"),
            dialect.charges
        ),
        _ => money(rule, scope, (&year, dialect)),
    }
}

/// The rules about the money of single records.
fn money(rule: FindingRule, scope: &Scope, (year, dialect): (&str, &Dialect)) -> String {
    match rule {
        FindingRule::InvoiceSeenBefore => {
            let folded =
                |of: &str| format!("REPLACE(REPLACE(UPPER({of}.invoice_no), '-', ''), ' ', '')");
            format!(
                "{} FROM (SELECT {} AS number, COUNT(*) AS times FROM invoice x WHERE x.annulled_at IS NULL \
                 GROUP BY 1 HAVING COUNT(*) > 1) f JOIN invoice i ON {} = f.number AND i.annulled_at IS NULL \
                 JOIN invoice_line il ON il.invoice_id = i.id JOIN charge c ON c.id = il.charge_id \
                 JOIN usage_record u ON u.id = c.usage_record_id WHERE {year}",
                of_record("f.times", "1"),
                folded("x"),
                folded("i")
            )
        }
        FindingRule::IncomeWithoutUsage => format!(
            "{} FROM payment p JOIN payment_line l ON l.payment_id = p.id JOIN charge c ON c.id = l.charge_id \
             JOIN usage_record u ON u.id = c.usage_record_id WHERE p.state = 'received' \
             AND p.paid_on >= '{}' AND p.paid_on <= '{}' AND u.host_organization_id IS NOT NULL \
             AND (u.state = 'voided' OR c.state = 'voided')",
            of_record("1", "0")
                .replace(
                    "CAST(0 AS BIGINT) AS millions",
                    "l.amount_fen / 1000000 AS millions"
                )
                .replace(
                    "CAST(0 AS BIGINT) AS rest",
                    "l.amount_fen % 1000000 AS rest"
                ),
            scope.first_on,
            scope.last_on
        ),
        _ => of_two(rule, year, dialect),
    }
}

/// The rules about two units.
fn of_two(rule: FindingRule, year: &str, dialect: &Dialect) -> String {
    let charged = format!(
        "FROM {} WHERE c.state <> 'voided' AND c.amount_fen > 0 AND {year} AND u.organization_id <> u.host_organization_id",
        dialect.charges
    );
    let by_pair = "GROUP BY u.host_organization_id, u.organization_id";
    match rule {
        FindingRule::UsageWithoutIncome => format!(
            "{} FROM usage_record u LEFT JOIN charge c ON c.usage_record_id = u.id AND c.state <> 'voided' \
             AND c.amount_fen > 0 WHERE {year} AND u.state = 'confirmed' AND u.organization_id <> u.host_organization_id \
             {by_pair} HAVING COUNT(c.id) = 0 AND SUM({MINUTES}) >= {UNPAID_MINUTES_MIN}",
            of_pair("0", "0", "0")
        ),
        FindingRule::CircularTrade => format!(
            "WITH trade AS ({} {charged} {by_pair}) \
             SELECT a.organization_id, a.counterpart_id, a.instrument_id, a.record_id, a.records + b.records AS records, \
             a.minutes + b.minutes AS minutes, a.millions, a.rest, a.value, b.value AS bound, a.started_at, a.accepted_on FROM trade a JOIN trade b \
             ON b.organization_id = a.counterpart_id AND b.counterpart_id = a.organization_id \
             WHERE a.organization_id < a.counterpart_id",
            of_pair("c.amount_fen", "SUM(c.amount_fen / 100)", "0")
        ),
        FindingRule::RelatedCustomer => format!(
            "WITH trade AS ({} {charged} {by_pair}) \
             SELECT t.* FROM trade t JOIN organization h ON h.id = t.organization_id \
             JOIN organization o ON o.id = t.counterpart_id WHERE NOT EXISTS (SELECT 1 FROM related_party r \
             WHERE (r.organization_id = h.id AND r.related_organization_id = o.id) \
             OR (r.organization_id = o.id AND r.related_organization_id = h.id)) AND {LOOKS_RELATED}",
            of_pair("c.amount_fen", "1", "0")
        ),
        _ => format!(
            "{} FROM usage_record u WHERE {year} GROUP BY u.host_organization_id, u.organization_id, u.instrument_id, \
             {MINUTES} HAVING COUNT(*) >= {IDENTICAL_RECORDS_MIN}",
            of_pair(
                "0",
                "COUNT(*)",
                &format!(
                    "(SELECT COUNT(*) FROM usage_record w WHERE w.instrument_id = u.instrument_id \
                     AND w.organization_id = u.organization_id AND {})",
                    year.replace("u.", "w.")
                )
            )
            .replace(
                "CAST(NULL AS BIGINT) AS instrument_id",
                "u.instrument_id AS instrument_id"
            )
        ),
    }
}

/// A record that stood at the freeze and is of the year.
fn in_year(scope: &Scope) -> String {
    format!(
        "u.state <> 'voided' AND u.host_organization_id IS NOT NULL AND {}",
        ended_in_year(scope)
    )
}

/// A record of before the freeze that ended in the year.
fn ended_in_year(scope: &Scope) -> String {
    format!(
        "u.event_id <= {} AND u.ended_at > '{}' AND u.ended_at <= '{}'",
        scope.event_number(),
        moment(scope.period.starts_at()),
        moment(scope.period.ends_at())
    )
}

/// No record of the year begins earlier.
fn earliest(scope: &Scope) -> Instant {
    let starts_at = scope.period.starts_at();
    starts_at.plus_seconds(-INTERVAL_MINUTES_MAX * 60)
}

fn moment(instant: Instant) -> String {
    instant.naive_utc().format("%Y-%m-%d %H:%M:%S").to_string()
}
