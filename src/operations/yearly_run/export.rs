//! A yearly run of either kind with everything that its exports print, read as it is stored: nothing is computed again.

use std::collections::BTreeMap;

use super::{evaluation_of, refuse_without_results};
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::policy::indicators;
use crate::domain::run::RunId;
use crate::domain::sentence::Sentence;
use crate::domain::{Instant, InstrumentId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::public_notice::{self, PrintedNotice};
use crate::operations::subject;
pub use crate::store::yearly_run::evaluation::Host;
pub use crate::store::yearly_run::subsidy::Award;
use crate::store::yearly_run::{self as rows, Evaluation, Run as Row};
use crate::store::{self, Conn};

/// A run that has results.
#[derive(Debug, Clone)]
pub struct Export {
    pub evaluation: Evaluation,
    /// The ids of the scores with their names, in the order of the pack that graded.
    pub indicators: Vec<(String, Sentence)>,
    pub hosts: Vec<Host>,
    /// None of an evaluation.
    pub awards: Option<Vec<Award>>,
    /// What the instruments are called now.
    pub instruments: BTreeMap<InstrumentId, String>,
    /// What its publication printed, or would print.
    pub notice: PrintedNotice,
    pub made_at: Instant,
}

/// Reads a run for who may export it; 409 `run_not_ready` before it has results.
pub async fn read(app: &App, actor: &Actor, id: RunId) -> Result<Export, AppError> {
    let by = actor.clone();
    let action = match id {
        RunId::Evaluation(_) => Action::EvaluationExport,
        RunId::SubsidyRun(_) => Action::SubsidyExport,
    };
    app.store
        .read_snapshot(move |conn| {
            let run: Row = subject::load(conn, &by, action, id)?;
            export(conn, &run, by.now)
        })
        .await
}

fn export(conn: &mut Conn, run: &Row, now: Instant) -> Result<Export, AppError> {
    refuse_without_results(run.lifecycle().state)?;
    let (evaluation, awards) = match run {
        Row::Evaluation(row) => (row.clone(), None),
        Row::SubsidyRun(row) => {
            let awards = rows::subsidy::list_awards(conn, row.id)?;
            (evaluation_of(conn, row)?, Some(awards))
        }
    };
    let graded_by = packs::open(&store::policy::get(conn, evaluation.lifecycle.policy_id)?)?;
    let mut names = indicators(&graded_by);
    let ids = graded_by.scores.iter().map(|score| score.id.clone());
    let named = ids.map(|id| {
        let name = names.remove(&id).unwrap_or(Sentence::same(id.clone()));
        (id, name)
    });
    let indicators = named.collect();
    let hosts = rows::evaluation::list_units(conn, evaluation.id)?;
    let instruments = names_of(conn, &hosts, awards.as_deref().unwrap_or_default())?;
    Ok(Export {
        evaluation,
        indicators,
        hosts,
        awards,
        instruments,
        notice: public_notice::printed(conn, run, now)?,
        made_at: now,
    })
}

fn names_of(
    conn: &mut Conn,
    hosts: &[Host],
    awards: &[Award],
) -> Result<BTreeMap<InstrumentId, String>, AppError> {
    let graded = hosts.iter().flat_map(|host| host.instruments.iter());
    let paid = awards.iter().flat_map(|award| award.instruments.iter());
    let ids = graded
        .map(|figures| figures.instrument_id)
        .chain(paid.map(|base| base.instrument_id));
    let named = store::names::Named {
        instruments: ids.clone().map(InstrumentId::number).collect(),
        ..Default::default()
    };
    let names = store::names::list(conn, &named)?.instruments;
    let named = ids.filter_map(|id| Some((id, names.get(&id.number())?.clone())));
    Ok(named.collect())
}
