//! Which rules about many records have anything to look for in a year: sums by instrument and using unit, and by operator, which
//! indexes hold. Only what those sums leave open is asked record by record. In a clean year that is nothing.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::{Dialect, LOOKS_RELATED, MINUTES, earliest, ended_in_year, in_year, moment};
use crate::domain::finding::{FindingRule, IDENTICAL_RECORDS_MIN, UNPAID_MINUTES_MIN};
use crate::store::yearly_input::Scope;
use crate::store::yearly_input::service::{confirmed_rows, ended_at_alone};
use crate::store::{Conn, Result};

/// 1 where some sum may be what the rule names.
#[derive(Debug, QueryableByName)]
struct Suspicion {
    #[diesel(sql_type = BigInt)]
    identical_durations: i64,
    #[diesel(sql_type = BigInt)]
    operator_twice: i64,
    #[diesel(sql_type = BigInt)]
    usage_without_income: i64,
    #[diesel(sql_type = BigInt)]
    circular_trade: i64,
    #[diesel(sql_type = BigInt)]
    related_customer: i64,
}

impl Suspicion {
    /// Other rules are always asked: an index holds only what they name, or they read charges, which are fewer than records.
    const fn of(&self, rule: FindingRule) -> bool {
        let flag = match rule {
            FindingRule::IdenticalDurations => self.identical_durations,
            FindingRule::OperatorTwice => self.operator_twice,
            FindingRule::UsageWithoutIncome => self.usage_without_income,
            FindingRule::CircularTrade => self.circular_trade,
            FindingRule::RelatedCustomer => self.related_customer,
            FindingRule::Over24Hours
            | FindingRule::Overlap
            | FindingRule::BeforeAcceptance
            | FindingRule::DuringClosure
            | FindingRule::LateManualEntry
            | FindingRule::PriceOffTariff
            | FindingRule::InvoiceSeenBefore
            | FindingRule::IncomeWithoutUsage => 1,
        };
        flag != 0
    }
}

/// The rules that may find something in the year.
pub fn list_suspected(conn: &mut Conn, scope: &Scope) -> Result<Vec<FindingRule>> {
    let (rows, ended_at) = (confirmed_rows(conn), ended_at_alone(conn));
    let text = text(scope, &Dialect::of(conn), (rows, ended_at));
    let suspicion: Suspicion = sql_query(text).get_result(conn)?;
    let rules = FindingRule::ALL.iter().copied();
    Ok(rules.filter(|rule| suspicion.of(*rule)).collect())
}

/// Confirmed records are summed where the yearly run sums them; the others are few.
fn text(scope: &Scope, dialect: &Dialect, (confirmed, ended_at): (&str, &str)) -> String {
    let year = in_year(scope);
    let ended = ended_in_year(scope).replace("u.ended_at", ended_at);
    let by_class = |minutes: &str, rows: &str, state: &str| {
        format!(
            "SELECT u.instrument_id, u.organization_id, COUNT(*) AS records, {minutes} AS minutes FROM {rows} \
             WHERE {state} AND {ended} GROUP BY u.instrument_id, u.organization_id"
        )
    };
    let flag = |rows: &str, rule: &str| {
        format!("CAST(CASE WHEN EXISTS ({rows}) THEN 1 ELSE 0 END AS BIGINT) AS {rule}")
    };
    format!(
        "WITH grouped AS MATERIALIZED ({} UNION ALL {}), \
         charged AS MATERIALIZED (SELECT u.host_organization_id, u.organization_id, \
         MAX(CASE WHEN u.state = 'confirmed' THEN 1 ELSE 0 END) AS confirmed FROM {} \
         WHERE c.state <> 'voided' AND c.amount_fen > 0 AND {year} GROUP BY u.host_organization_id, u.organization_id) SELECT {}, {}, {}, {}, {}",
        by_class(
            &format!("SUM({MINUTES})"),
            confirmed,
            "u.state = 'confirmed'"
        ),
        by_class(
            "0",
            dialect.unconfirmed_rows,
            "u.state <> 'confirmed' AND u.state <> 'voided'"
        ),
        dialect.charges,
        flag(
            &format!(
                "SELECT 1 FROM grouped h GROUP BY h.instrument_id, h.organization_id \
                 HAVING SUM(h.records) >= {IDENTICAL_RECORDS_MIN}"
            ),
            "identical_durations"
        ),
        flag(
            &format!(
                "SELECT 1 FROM usage_record u WHERE u.operator IS NOT NULL AND u.started_at > '{}' AND u.started_at < '{}' \
                 GROUP BY u.operator, u.organization_id HAVING MIN(u.instrument_id) <> MAX(u.instrument_id)",
                moment(earliest(scope)),
                moment(scope.period.ends_at())
            ),
            "operator_twice"
        ),
        flag(
            &format!(
                "SELECT 1 FROM grouped h JOIN instrument i ON i.id = h.instrument_id \
                 WHERE h.organization_id <> i.organization_id AND NOT EXISTS (SELECT 1 FROM charged k \
                 WHERE k.host_organization_id = i.organization_id AND k.organization_id = h.organization_id AND k.confirmed = 1) \
                 GROUP BY i.organization_id, h.organization_id HAVING SUM(h.minutes) >= {UNPAID_MINUTES_MIN}"
            ),
            "usage_without_income"
        ),
        flag(
            "SELECT 1 FROM charged a JOIN charged b ON b.host_organization_id = a.organization_id \
             AND b.organization_id = a.host_organization_id WHERE a.host_organization_id < a.organization_id",
            "circular_trade"
        ),
        flag(
            &format!(
                "SELECT 1 FROM charged k JOIN organization h ON h.id = k.host_organization_id \
                 JOIN organization o ON o.id = k.organization_id WHERE h.id <> o.id AND {LOOKS_RELATED}"
            ),
            "related_customer"
        ),
    )
}
