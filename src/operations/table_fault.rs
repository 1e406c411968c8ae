//! What is wrong with a table that was to be imported: every fault at its row and column, up to a limit.

use crate::error::{AppError, Code, Fault};

/// So many faults are told; a last one says how many more there are.
const FAULTS_MAX: usize = 1_000;

/// `Ok` without faults. 422 with all of them; 409 when only other records, states or final years are in the way.
pub fn refuse(mut faults: Vec<Fault>) -> Result<(), AppError> {
    if faults.is_empty() {
        return Ok(());
    }
    let is_conflict = faults.iter().all(|fault| fault.code.status() == 409);
    faults.sort_by_key(Fault::row);
    let more = faults.len().saturating_sub(FAULTS_MAX);
    if more > 0 {
        faults.truncate(FAULTS_MAX);
        let note = Fault::cell(0, "", Code::more_faults).limit(FAULTS_MAX);
        faults.push(note.actual(more));
    }
    Err(if is_conflict {
        AppError::conflicts(faults)
    } else {
        AppError::Refused(faults)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_only_conflict_are_a_conflict() {
        let used = Fault::cell(3, "asset_no", Code::asset_no_used);
        let missing = Fault::cell(2, "name", Code::required);
        assert!(refuse(Vec::new()).is_ok());
        let Err(AppError::Conflict(conflict)) = refuse(vec![used.clone()]) else {
            panic!()
        };
        assert_eq!(
            (conflict.code, conflict.faults.len()),
            (Code::asset_no_used, 1)
        );
        let Err(AppError::Refused(faults)) = refuse(vec![used, missing]) else {
            panic!()
        };
        assert_eq!(faults[0].code, Code::required);
    }

    #[test]
    fn the_last_of_many_faults_says_how_many_more_there_are() {
        let used = Fault::cell(3, "asset_no", Code::asset_no_used);
        let Err(AppError::Conflict(conflict)) = refuse(vec![used; FAULTS_MAX + 2]) else {
            panic!()
        };
        let last = conflict.faults.last().unwrap();
        assert_eq!(
            (last.code, last.actual.clone()),
            (Code::more_faults, Some(2.into()))
        );
    }
}
