//! A yearly run of either kind with everything that its exports print, read as it is stored: nothing is computed again.

use std::collections::BTreeMap;

use super::basis::policy_of;
use super::refuse_without_results;
use crate::app::App;
use crate::domain::access::Action;
use crate::domain::award::Standing;
use crate::domain::policy::{Policy, indicators};
use crate::domain::run::RunId;
use crate::domain::sentence::Sentence;
use crate::domain::{AwardId, Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::award;
use crate::operations::public_notice::{self, PrintedNotice};
use crate::operations::subject;
pub use crate::store::yearly_run::evaluation::Host;
pub use crate::store::yearly_run::subsidy::Award;
use crate::store::yearly_run::{self as rows, Evaluation, Run as Row};
use crate::store::{self, Conn};

/// A run that has results.
#[derive(Debug, Clone)]
pub struct Export {
    /// None where a run stands on none.
    pub evaluation: Option<Evaluation>,
    /// The ids of the scores with their names, in the order of the pack that graded.
    pub indicators: Vec<(String, Sentence)>,
    pub hosts: Vec<Host>,
    /// None of an evaluation.
    pub awards: Option<Vec<Award>>,
    /// What became of them.
    pub standings: BTreeMap<AwardId, Standing>,
    /// The codes of units.
    pub uscc: BTreeMap<OrganizationId, String>,
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
    let mut standings = BTreeMap::new();
    let (evaluation, awards) = match run {
        Row::Evaluation(row) => (Some(row.clone()), None),
        Row::SubsidyRun(row) => {
            let awards = rows::subsidy::list_awards(conn, row.id)?;
            standings = award::standings_of(conn, row, &awards)?;
            let evaluation = row.evaluation_id;
            let evaluation = evaluation.map(|id| rows::evaluation::get(conn, id));
            (evaluation.transpose()?, Some(awards))
        }
    };
    let (indicators, hosts) = match &evaluation {
        Some(row) => (
            indicators_of(&policy_of(conn, &row.lifecycle)?),
            rows::evaluation::list_units(conn, row.id)?,
        ),
        None => (Vec::new(), Vec::new()),
    };
    let members = store::yearly_input::list_members(conn)?.into_iter();
    let uscc = members.map(|member| (member.id, member.uscc.to_string()));
    let uscc = uscc.collect();
    let instruments = names_of(conn, &hosts, awards.as_deref().unwrap_or_default())?;
    Ok(Export {
        evaluation,
        indicators,
        hosts,
        awards,
        standings,
        uscc,
        instruments,
        notice: public_notice::printed(conn, run, now)?,
        made_at: now,
    })
}

/// In the order of the pack.
fn indicators_of(policy: &Policy) -> Vec<(String, Sentence)> {
    let mut names = indicators(policy);
    let ids = policy.scores.iter().map(|score| score.id.clone());
    let named = ids.map(|id| {
        let name = names.remove(&id);
        (id.clone(), name.unwrap_or_else(|| Sentence::same(id)))
    });
    named.collect()
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
