//! Results of an evaluation as rows and back. Exact values are kept as `p/q`, so what is read is what was computed.

use super::basis::policy_of;
use super::refuse_without_results;
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::evaluation::{
    Evaluation, GradedHost, GradedInstrument, Inputs, InstrumentFigures, ScoreExplanation,
    ScoreResult,
};
use crate::domain::policy::{LinesDigest, Policy};
use crate::domain::{EvaluationId, OrganizationId, policy, ratio};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::subject;
use crate::store::yearly_run::evaluation::{self, Figures, GradedFigures, Host};
use crate::store::{self, Conn, Json};
use num_rational::BigRational;
use std::collections::BTreeMap;

/// Names of organizations by their ids.
pub type Names = BTreeMap<OrganizationId, String>;

/// What the organizations are called now.
pub fn names(conn: &mut Conn) -> Result<Names, AppError> {
    let members = store::yearly_input::list_members(conn)?.into_iter();
    Ok(members.map(|member| (member.id, member.name)).collect())
}

/// The rows of graded units. Names are kept beside the results and have no part in them.
pub fn rows(id: EvaluationId, graded: &Evaluation, names: &Names) -> Result<Vec<Host>, AppError> {
    let units = graded.units.iter();
    units.map(|unit| row(id, unit, names)).collect()
}

fn row(id: EvaluationId, unit: &GradedHost, names: &Names) -> Result<Host, AppError> {
    let name = names.get(&unit.organization_id);
    let scores: Vec<_> = unit.scores.iter().map(ScoreResult::explain).collect();
    let figures = unit.instruments.iter().map(|figures| Figures {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
        graded: figures.graded.as_ref().map(|graded| GradedFigures {
            scores: graded.scores.iter().map(ScoreResult::explain).collect(),
            total: ratio::exact(&graded.total),
            place: i64::try_from(graded.place).unwrap_or(i64::MAX),
            grade: graded.grade,
        }),
    });
    Ok(Host {
        evaluation_id: id,
        organization_id: unit.organization_id,
        total: ratio::exact(&unit.total),
        grade: unit.grade,
        place: i64::try_from(unit.place).map_err(AppError::internal)?,
        scores: Json::of(scores)?,
        instruments: Json::of(figures.collect())?,
        uscc: unit.uscc.clone(),
        name: name.cloned().unwrap_or_default(),
    })
}

/// SHA-256 of the results.
pub fn digest(units: &[Host]) -> Result<String, AppError> {
    Ok(policy::digest(&lines(units)?.join("\n")))
}

/// The digest of the inputs that were stored; where they are another's, which were read again when they were, that one's.
pub(super) fn kept_inputs_digest(
    tx: &mut Conn,
    id: EvaluationId,
) -> Result<Option<String>, AppError> {
    if let Some(known) = evaluation::find_facts(tx, id)? {
        return Ok(evaluation::get(tx, known)?.input_digest);
    }
    let mut digest = LinesDigest::default();
    evaluation::each_input(tx, id, |block| digest.add(block))?;
    Ok(Some(digest.finish()))
}

/// The results as they are hashed: one JSON array a unit, in the order of organizations.
pub(super) fn lines(units: &[Host]) -> Result<Vec<String>, AppError> {
    let lines: Result<Vec<String>, _> = units
        .iter()
        .map(|unit| {
            serde_json::to_string(&(
                unit.organization_id,
                &unit.uscc,
                &unit.total,
                unit.grade,
                unit.place,
                &unit.scores,
                &unit.instruments,
            ))
        })
        .collect();
    Ok(lines?)
}

/// The graded hosts of an evaluation, as they are stored, for who may see it.
pub async fn list(app: &App, actor: &Actor, id: EvaluationId) -> Result<Vec<Host>, AppError> {
    let by = actor.clone();
    app.store
        .read(move |conn| {
            let action = Action::EvaluationScoreList;
            let row: evaluation::Evaluation = subject::load(conn, &by, action, id)?;
            Ok(evaluation::list_units(conn, row.id)?)
        })
        .await
}

/// The policy and the inputs of an evaluation that has results.
pub(super) fn open(
    conn: &mut Conn,
    row: &evaluation::Evaluation,
) -> Result<(Policy, Inputs), AppError> {
    refuse_without_results(row.lifecycle.state)?;
    let policy = policy_of(conn, &row.lifecycle)?;
    let lines = evaluation::list_inputs(conn, row.id)?;
    let inputs = Inputs::from_lines(lines).map_err(AppError::internal)?;
    Ok((policy, inputs))
}

/// The results as they are stored; nothing is computed again.
pub(super) fn read(conn: &mut Conn, id: EvaluationId) -> Result<Evaluation, AppError> {
    graded(evaluation::list_units(conn, id)?)
}

/// Stored rows as what was computed.
pub fn graded(rows: Vec<Host>) -> Result<Evaluation, AppError> {
    let units = rows.into_iter().map(graded_host);
    Ok(Evaluation {
        units: units.collect::<Result<_, _>>()?,
    })
}

fn graded_host(unit: Host) -> Result<GradedHost, AppError> {
    let scores = unit.scores.iter().map(score);
    let instruments = unit.instruments.iter().map(instrument);
    Ok(GradedHost {
        organization_id: unit.organization_id,
        uscc: unit.uscc,
        scores: scores.collect::<Result<_, _>>()?,
        total: exact(&unit.total)?,
        place: usize::try_from(unit.place).map_err(AppError::internal)?,
        grade: unit.grade,
        instruments: instruments.collect::<Result<_, _>>()?,
    })
}

fn instrument(figures: &Figures) -> Result<InstrumentFigures, AppError> {
    let graded = figures.graded.as_ref();
    Ok(InstrumentFigures {
        instrument_id: figures.instrument_id,
        asset_no: figures.asset_no.clone(),
        effective_minutes: figures.effective_minutes,
        external_minutes: figures.external_minutes,
        rated_minutes: figures.rated_minutes,
        graded: graded.map(graded_instrument).transpose()?,
    })
}

fn graded_instrument(stored: &GradedFigures) -> Result<GradedInstrument, AppError> {
    let scores = stored.scores.iter().map(score);
    Ok(GradedInstrument {
        scores: scores.collect::<Result<_, _>>()?,
        total: exact(&stored.total)?,
        place: usize::try_from(stored.place).map_err(AppError::internal)?,
        grade: stored.grade,
    })
}

fn score(stored: &ScoreExplanation) -> Result<ScoreResult, AppError> {
    Ok(ScoreResult {
        id: stored.id.clone(),
        numerator: exact(&stored.numerator)?,
        denominator: exact(&stored.denominator)?,
        full_at: exact(&stored.full_at)?,
        max: exact(&stored.max)?,
        shape: stored.shape,
        empty: stored.empty,
        points: exact(&stored.points)?,
    })
}

/// A stored `p/q`.
pub fn exact(text: &str) -> Result<BigRational, AppError> {
    ratio::parse_exact(text).map_err(AppError::internal)
}
