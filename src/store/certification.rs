//! What units were certified as, and where what follows from it is not so yet.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::schema::{certification, organization};
use super::{Conn, Result};
use crate::domain::OrganizationId;
use crate::domain::certification::{Certification, SME, SmeDays};

/// So many organizations are asked for in one statement.
const CHUNK: usize = 500;

type Row = (
    OrganizationId,
    String,
    Option<NaiveDate>,
    Option<NaiveDate>,
    Option<String>,
);

/// The certifications of an organization, as they were entered.
pub fn list(conn: &mut Conn, organization: OrganizationId) -> Result<Vec<Certification>> {
    let found = list_of(conn, &[organization])?;
    Ok(found.into_values().next().unwrap_or_default())
}

/// Those of several; who has none stands not among them.
pub fn list_of(
    conn: &mut Conn,
    organizations: &[OrganizationId],
) -> Result<BTreeMap<OrganizationId, Vec<Certification>>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for some in organizations.chunks(CHUNK) {
        let rows: Vec<Row> = certification::table
            .filter(certification::organization_id.eq_any(some))
            .select((
                certification::organization_id,
                certification::code,
                certification::valid_from_on,
                certification::valid_until_on,
                certification::document_no,
            ))
            .order(certification::id)
            .load(conn)?;
        for (organization, code, from, until, document_no) in rows {
            all.entry(organization).or_default().push(Certification {
                certification: code,
                valid_from_on: from,
                valid_until_on: until,
                document_no,
            });
        }
    }
    Ok(all)
}

/// The days on which these organizations are small or medium enterprises; who never is stands not among them.
pub fn list_sme_days(
    conn: &mut Conn,
    organizations: &[OrganizationId],
) -> Result<BTreeMap<OrganizationId, SmeDays>> {
    type Span = (OrganizationId, Option<NaiveDate>, Option<NaiveDate>);
    let rows: Vec<Span> = certification::table
        .filter(
            certification::organization_id
                .eq_any(organizations)
                .and(certification::code.eq_any(SME)),
        )
        .select((
            certification::organization_id,
            certification::valid_from_on,
            certification::valid_until_on,
        ))
        .order(certification::id)
        .load(conn)?;
    let mut days: BTreeMap<_, SmeDays> = BTreeMap::new();
    for (organization, from, until) in rows {
        days.entry(organization).or_default().0.push((from, until));
    }
    Ok(days)
}

/// Whether an organization is a small or medium enterprise on this day.
pub fn is_sme_on(conn: &mut Conn, organization: OrganizationId, day: NaiveDate) -> Result<bool> {
    let days = list_sme_days(conn, &[organization])?;
    Ok(days
        .get(&organization)
        .is_some_and(|days| days.holds_on(day)))
}

/// Gives an organization these certifications and no others.
pub fn replace(conn: &mut Conn, organization: OrganizationId, all: &[Certification]) -> Result<()> {
    let present = certification::table.filter(certification::organization_id.eq(organization));
    diesel::delete(present).execute(conn)?;
    for one in all {
        diesel::insert_into(certification::table)
            .values((
                certification::organization_id.eq(organization),
                certification::code.eq(&one.certification),
                certification::valid_from_on.eq(one.valid_from_on),
                certification::valid_until_on.eq(one.valid_until_on),
                certification::document_no.eq(&one.document_no),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The organizations that are small enterprises by what was entered and not by their certifications of this day, or the
/// other way round; at most so many.
pub fn list_differing(conn: &mut Conn, day: NaiveDate, limit: i64) -> Result<Vec<OrganizationId>> {
    let holds = || {
        certification::table.filter(
            certification::organization_id
                .eq(organization::id)
                .and(certification::code.eq_any(SME))
                .and(
                    certification::valid_from_on
                        .is_null()
                        .or(certification::valid_from_on.le(day)),
                )
                .and(
                    certification::valid_until_on
                        .is_null()
                        .or(certification::valid_until_on.ge(day)),
                ),
        )
    };
    Ok(organization::table
        .filter(organization::is_sme.and(not(exists(holds()))))
        .or_filter(not(organization::is_sme).and(exists(holds())))
        .select(organization::id)
        .order(organization::id)
        .limit(limit)
        .load(conn)?)
}
