//! What the evaluators of a year gave: of each unit and indicator the mean of those whose points count, how many gave them, and
//! how many still owe them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use num_rational::BigRational;

use crate::domain::expert::{AssignmentState, mean};
use crate::domain::{OrganizationId, ratio};
use crate::error::AppError;
use crate::store::yearly_run::expert;
use crate::store::{Conn, expert_assignment};

/// A unit and an indicator.
pub(super) type Place = (OrganizationId, String);

/// What the evaluators of one unit and indicator gave.
#[derive(Debug, Clone, Default)]
pub(super) struct ByExperts {
    /// Those that count.
    points: Vec<BigRational>,
    pub missing: i64,
    /// Somebody may still give points.
    pub is_open: bool,
}

impl ByExperts {
    pub(super) fn mean(&self) -> Option<BigRational> {
        mean(&self.points)
    }

    pub(super) fn given(&self) -> i64 {
        i64::try_from(self.points.len()).unwrap_or(i64::MAX)
    }
}

/// What the evaluators of a year gave, as it stands on a day.
pub(super) fn of_year(
    conn: &mut Conn,
    year: i64,
    today: NaiveDate,
) -> Result<BTreeMap<Place, ByExperts>, AppError> {
    let mut places: BTreeMap<Place, ByExperts> = BTreeMap::new();
    for one in expert_assignment::list_of_year(conn, year)? {
        let state = one.state.on(today, one.due_on);
        let points = one.points.filter(|_| state.counts());
        let place = places.entry((one.organization_id, one.indicator));
        let place = place.or_default();
        place.is_open |= state == AssignmentState::Open;
        match points {
            Some(points) => {
                let points = ratio::parse(&points).map_err(AppError::internal)?;
                place.points.push(points);
            }
            None => place.missing += 1,
        }
    }
    Ok(places)
}

/// Where an evaluator is still to give points and the province gave none in their place.
pub(crate) fn list_open(
    conn: &mut Conn,
    year: i64,
    today: NaiveDate,
) -> Result<BTreeSet<(OrganizationId, String)>, AppError> {
    let settled = expert::list(conn, year)?.into_iter();
    let settled: BTreeSet<_> = settled
        .map(|point| (point.organization_id, point.indicator))
        .collect();
    let open = of_year(conn, year, today)?.into_iter();
    let open = open.filter(|(place, by)| by.is_open && !settled.contains(place));
    Ok(open.map(|(place, _)| place).collect())
}

/// The means of a year that count, by unit and indicator.
pub(crate) fn list_means(
    conn: &mut Conn,
    year: i64,
    today: NaiveDate,
) -> Result<Vec<(OrganizationId, String, BigRational)>, AppError> {
    let places = of_year(conn, year, today)?.into_iter();
    let means = places.filter_map(|((unit, indicator), by)| Some((unit, indicator, by.mean()?)));
    Ok(means.collect())
}
