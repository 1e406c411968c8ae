//! The money of the year of everybody whom a run tells of, read once: what is kept when the run is shown, and told from then on
//! whatever is changed later.

use super::{OfRun, of_evaluation, side_of};
use crate::domain::subsidy::YearMoney;
use crate::domain::{AwardId, OrganizationId};
use crate::error::AppError;
use crate::operations::yearly_run::grades;
use crate::store::Conn;
use crate::store::yearly_input::Side;
use crate::store::yearly_run::{Evaluation, SubsidyRun, subsidy};

/// What is kept of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operations::yearly_run) enum KeptMoney {
    Awards(Vec<(AwardId, YearMoney)>),
    Units(Vec<(OrganizationId, YearMoney)>),
}

/// Of every award of a run.
pub(in crate::operations::yearly_run) fn of_awards(
    conn: &mut Conn,
    run: &SubsidyRun,
) -> Result<Vec<(AwardId, YearMoney)>, AppError> {
    let of_run = OfRun::read(conn, run)?;
    let awards = subsidy::list_awards(conn, run.id)?;
    let mut all = Vec::with_capacity(awards.len());
    for own in awards.chunk_by(|one, other| one.award_code == other.award_code) {
        let Some(first) = own.first() else { continue };
        let looked = of_run.looked(conn, run, &first.award_code)?;
        let terms = looked.terms(conn)?;
        let mut charges = looked.charges(&terms, side_of(first));
        for award in own {
            charges.side = side_of(award);
            let (money, _) = charges.sum(conn, 0)?;
            all.push((award.id, money));
        }
    }
    Ok(all)
}

/// Of every unit of an evaluation.
pub(in crate::operations::yearly_run) fn of_units(
    conn: &mut Conn,
    row: &Evaluation,
) -> Result<Vec<(OrganizationId, YearMoney)>, AppError> {
    let (policy, inputs) = grades::open(conn, row)?;
    let looked = of_evaluation(conn, row, (&policy, &inputs))?;
    let terms = looked.terms(conn)?;
    let units: Vec<OrganizationId> = inputs.units().map(|unit| unit.organization_id).collect();
    let Some(first) = units.first() else {
        return Ok(Vec::new());
    };
    let mut charges = looked.charges(&terms, Side::Host(*first));
    let mut all = Vec::with_capacity(units.len());
    for unit in units {
        charges.side = Side::Host(unit);
        let (money, _) = charges.sum(conn, 0)?;
        all.push((unit, money));
    }
    Ok(all)
}
