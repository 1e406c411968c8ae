//! Results of an evaluation as rows and back. Exact values are kept as `p/q`, so what is read is what was computed.

use crate::domain::evaluation::{
    Evaluation, GradedUnit, InstrumentFigures, ScoreExplanation, ScoreResult,
};
use crate::domain::{EvaluationId, policy, ratio};
use crate::error::AppError;
use crate::store::evaluation::{Figures, Unit};
use crate::store::{self, Conn, Json};
use num_rational::BigRational;

/// The rows of graded units.
pub fn rows(id: EvaluationId, graded: &Evaluation) -> Result<Vec<Unit>, AppError> {
    graded.units.iter().map(|unit| row(id, unit)).collect()
}

fn row(id: EvaluationId, unit: &GradedUnit) -> Result<Unit, AppError> {
    let scores: Vec<_> = unit.scores.iter().map(ScoreResult::explain).collect();
    let figures = unit.instruments.iter().map(|figures| Figures {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
    });
    Ok(Unit {
        evaluation_id: id,
        organization_id: unit.organization_id,
        total: ratio::exact(&unit.total),
        grade: unit.grade,
        place: i64::try_from(unit.place).map_err(AppError::internal)?,
        scores: Json::of(scores)?,
        instruments: Json::of(figures.collect())?,
    })
}

/// SHA-256 of the results: of one JSON array a unit, one line each, in the order of organizations.
pub fn digest(units: &[Unit]) -> Result<String, AppError> {
    let lines: Result<Vec<String>, _> = units
        .iter()
        .map(|unit| {
            serde_json::to_string(&(
                unit.organization_id,
                &unit.total,
                unit.grade,
                unit.place,
                &unit.scores,
                &unit.instruments,
            ))
        })
        .collect();
    Ok(policy::digest(&lines?.join("\n")))
}

/// The results as they are stored; nothing is computed again.
pub fn read(conn: &mut Conn, id: EvaluationId) -> Result<Evaluation, AppError> {
    let members = store::yearly_input::list_members(conn)?;
    let units = store::evaluation::list_units(conn, id)?;
    let units = units.into_iter().map(|unit| {
        let member = members
            .iter()
            .find(|member| member.id == unit.organization_id);
        let uscc = member.map(|member| member.uscc.to_string());
        graded(unit, uscc.unwrap_or_default())
    });
    Ok(Evaluation {
        units: units.collect::<Result<_, _>>()?,
    })
}

fn graded(unit: Unit, uscc: String) -> Result<GradedUnit, AppError> {
    let scores = unit.scores.iter().map(score);
    let instruments = unit.instruments.iter().map(|figures| InstrumentFigures {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
    });
    Ok(GradedUnit {
        organization_id: unit.organization_id,
        uscc,
        scores: scores.collect::<Result<_, _>>()?,
        total: exact(&unit.total)?,
        place: usize::try_from(unit.place).map_err(AppError::internal)?,
        grade: unit.grade,
        instruments: instruments.collect(),
    })
}

fn score(stored: &ScoreExplanation) -> Result<ScoreResult, AppError> {
    Ok(ScoreResult {
        id: stored.id.clone(),
        numerator: exact(&stored.numerator)?,
        denominator: exact(&stored.denominator)?,
        full_at: exact(&stored.full_at)?,
        max: exact(&stored.max)?,
        empty: stored.empty,
        points: exact(&stored.points)?,
    })
}

/// A stored `p/q`.
pub fn exact(text: &str) -> Result<BigRational, AppError> {
    ratio::parse_exact(text).map_err(AppError::internal)
}
