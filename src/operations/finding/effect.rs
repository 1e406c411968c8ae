//! What follows from findings that were upheld: records that count nowhere or whose evidence is manual, and the best grade of a unit.
//! It reaches what is frozen after it; the best grade also what is graded again.

use crate::domain::evaluation::{Effects, RecordEffect};
use crate::domain::finding::FindingEffect;
use crate::error::AppError;
use crate::store::Conn;
use crate::store::finding as rows;

/// The effects on a year. A record counts nowhere, in whichever year it was found; a grade is of the year alone.
pub(crate) fn of_year(conn: &mut Conn, year: i64) -> Result<Effects, AppError> {
    let mut effects = Effects::default();
    for (id, effect) in rows::record::list_affected(conn)? {
        let effect = match effect {
            FindingEffect::EvidenceManual => RecordEffect::Manual,
            _ => RecordEffect::Excluded,
        };
        effects.add_record(id, effect);
    }
    for (unit, grade) in rows::list_best_grades(conn, year)? {
        effects.add_grade(unit, grade);
    }
    Ok(effects)
}
