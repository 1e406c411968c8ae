//! Grades that others gave the units of a year, and the version of the year's list.

use diesel::prelude::*;

use super::schema::{adopted_grade, adopted_grade_year};
use super::{Conn, Result};
use crate::domain::policy::Grade;
use crate::domain::{Instant, OrganizationId};

/// The grade of a unit, who gave it, and by which document.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = adopted_grade)]
pub struct AdoptedGrade {
    pub organization_id: OrganizationId,
    pub grade: Grade,
    pub issuer: String,
    pub document_no: String,
}

/// The grades of a year, by unit.
pub fn list(conn: &mut Conn, year: i64) -> Result<Vec<AdoptedGrade>> {
    Ok(adopted_grade::table
        .filter(adopted_grade::year.eq(year))
        .select(AdoptedGrade::as_select())
        .order(adopted_grade::organization_id)
        .load(conn)?)
}

/// The version of the list of a year: 1 until somebody changes it.
pub fn version_of_year(conn: &mut Conn, year: i64) -> Result<i64> {
    let own = adopted_grade_year::table.find(year);
    let version = own.select(adopted_grade_year::version).get_result(conn);
    Ok(version.optional()?.unwrap_or(1))
}

/// Nobody else changes the list of the year until the transaction ends; there may be none yet.
pub fn lock_year(conn: &mut Conn, year: i64) -> Result<()> {
    if let Conn::Postgres(postgres) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('adopted_grade'), $1)")
            .bind::<diesel::sql_types::Integer, _>(i32::try_from(year).unwrap_or_default())
            .execute(postgres)?;
    }
    Ok(())
}

/// Gives a year these grades and no others, as its next version.
pub fn replace_year(
    conn: &mut Conn,
    (year, version): (i64, i64),
    items: &[AdoptedGrade],
    now: Instant,
) -> Result<()> {
    let own = adopted_grade::table.filter(adopted_grade::year.eq(year));
    diesel::delete(own).execute(conn)?;
    for item in items {
        diesel::insert_into(adopted_grade::table)
            .values((
                adopted_grade::year.eq(year),
                adopted_grade::organization_id.eq(item.organization_id),
                adopted_grade::grade.eq(item.grade),
                adopted_grade::issuer.eq(&item.issuer),
                adopted_grade::document_no.eq(&item.document_no),
            ))
            .execute(conn)?;
    }
    let next = (
        adopted_grade_year::version.eq(version + 1),
        adopted_grade_year::updated_at.eq(now),
    );
    let updated = diesel::update(adopted_grade_year::table.find(year)).set(next);
    if updated.execute(conn)? == 0 {
        diesel::insert_into(adopted_grade_year::table)
            .values((adopted_grade_year::year.eq(year), next.0, next.1))
            .execute(conn)?;
    }
    Ok(())
}
