//! Which rules have anything to look for in a year: one pass sums its records by instrument, using unit and operator, and only what
//! those sums leave open is asked record by record. In a clean year that is nothing.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use super::{Dialect, MINUTES, in_year};
use crate::domain::finding::{FindingRule, IDENTICAL_RECORDS_MIN, UNPAID_MINUTES_MIN};
use crate::store::yearly_input::Scope;
use crate::store::{Conn, Result};

/// 1 where some record or sum may be what the rule names.
#[derive(Debug, QueryableByName)]
struct Suspicion {
    #[diesel(sql_type = BigInt)]
    over_24_hours: i64,
    #[diesel(sql_type = BigInt)]
    overlap: i64,
    #[diesel(sql_type = BigInt)]
    before_acceptance: i64,
    #[diesel(sql_type = BigInt)]
    during_closure: i64,
    #[diesel(sql_type = BigInt)]
    late_manual_entry: i64,
    #[diesel(sql_type = BigInt)]
    identical_durations: i64,
    #[diesel(sql_type = BigInt)]
    operator_twice: i64,
    #[diesel(sql_type = BigInt)]
    usage_without_income: i64,
}

impl Suspicion {
    /// Rules about charges are always asked: those are read by themselves, and are fewer than the records.
    const fn of(&self, rule: FindingRule) -> bool {
        let flag = match rule {
            FindingRule::Over24Hours => self.over_24_hours,
            FindingRule::Overlap => self.overlap,
            FindingRule::BeforeAcceptance => self.before_acceptance,
            FindingRule::DuringClosure => self.during_closure,
            FindingRule::LateManualEntry => self.late_manual_entry,
            FindingRule::IdenticalDurations => self.identical_durations,
            FindingRule::OperatorTwice => self.operator_twice,
            FindingRule::UsageWithoutIncome => self.usage_without_income,
            FindingRule::PriceOffTariff
            | FindingRule::InvoiceSeenBefore
            | FindingRule::IncomeWithoutUsage
            | FindingRule::CircularTrade
            | FindingRule::RelatedCustomer => 1,
        };
        flag != 0
    }
}

/// The rules that may find something in the year.
pub fn list_suspected(conn: &mut Conn, scope: &Scope) -> Result<Vec<FindingRule>> {
    let text = text(scope, &Dialect::of(conn));
    let suspicion: Suspicion = sql_query(text).get_result(conn)?;
    let rules = FindingRule::ALL.iter().copied();
    Ok(rules.filter(|rule| suspicion.of(*rule)).collect())
}

fn text(scope: &Scope, dialect: &Dialect) -> String {
    let year = in_year(scope);
    let Dialect {
        too_long,
        entered_late,
        charges,
        ..
    } = dialect;
    let any = |condition: &str| format!("MAX(CASE WHEN {condition} THEN 1 ELSE 0 END)");
    let exists = |rows: &str| format!("CASE WHEN EXISTS ({rows}) THEN 1 ELSE 0 END");
    format!(
        "WITH grouped AS MATERIALIZED (SELECT u.host_organization_id, u.organization_id, u.instrument_id, u.operator, \
         COUNT(*) AS records, SUM(CASE WHEN u.state = 'confirmed' THEN {MINUTES} ELSE 0 END) AS minutes, \
         {} AS is_too_long, {} AS is_late, MAX(u.channel) AS channel, MIN(u.started_at) AS started_at \
         FROM usage_record u WHERE {year} \
         GROUP BY u.instrument_id, u.organization_id, u.host_organization_id, u.operator), \
         charged AS MATERIALIZED (SELECT DISTINCT u.host_organization_id, u.organization_id FROM {charges} \
         WHERE c.state <> 'voided' AND c.amount_fen > 0 AND u.state = 'confirmed' AND {year}) \
         SELECT {}, {}, {}, {}, {}, {}, {}, {} FROM grouped g JOIN instrument i ON i.id = g.instrument_id",
        any(too_long),
        any(&format!("u.evidence = 'manual' AND {entered_late}")),
        flag("MAX(g.is_too_long)", "over_24_hours"),
        flag(&any("g.channel > i.channels"), "overlap"),
        flag(&any("g.started_at < i.accepted_on"), "before_acceptance"),
        flag(
            &any(
                "g.instrument_id IN (SELECT k.instrument_id FROM closure k WHERE k.withdrawn_at IS NULL)"
            ),
            "during_closure"
        ),
        flag("MAX(g.is_late)", "late_manual_entry"),
        flag(
            &exists(&format!(
                "SELECT 1 FROM grouped h GROUP BY h.host_organization_id, h.organization_id, h.instrument_id \
                 HAVING SUM(h.records) >= {IDENTICAL_RECORDS_MIN}"
            )),
            "identical_durations"
        ),
        flag(
            &exists(
                "SELECT 1 FROM grouped h WHERE h.operator IS NOT NULL GROUP BY h.operator, h.organization_id \
                 HAVING MIN(h.instrument_id) <> MAX(h.instrument_id)"
            ),
            "operator_twice"
        ),
        flag(
            &exists(&format!(
                "SELECT 1 FROM grouped h WHERE h.organization_id <> h.host_organization_id \
                 AND NOT EXISTS (SELECT 1 FROM charged k WHERE k.host_organization_id = h.host_organization_id \
                 AND k.organization_id = h.organization_id) GROUP BY h.host_organization_id, h.organization_id \
                 HAVING SUM(h.minutes) >= {UNPAID_MINUTES_MIN}"
            )),
            "usage_without_income"
        ),
    )
}

/// A year without records flags nothing.
fn flag(value: &str, rule: &str) -> String {
    format!("CAST(COALESCE({value}, 0) AS BIGINT) AS {rule}")
}
