//! `yiqi evaluate|subsidy list`, and what is done with runs that nobody was shown: a draft is graded again, a what-if deleted.

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::output::{self, Format};
use super::{decision, operator};
use crate::app::App;
use crate::operations::run::{Done, Run};
use crate::operations::session::Action;
use crate::operations::yearly_run::{
    self, EvaluationId, Fen, Page, PageStart, RunId, RunKind, YearlyRun, expert,
};

#[derive(Debug, Args)]
pub struct Listed {
    /// Those of this year only.
    #[arg(long)]
    year: Option<i32>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A run that nobody was shown.
#[derive(Debug, Args)]
pub struct Unshown {
    /// The number of the run.
    pub run: i64,
    /// The account in whose name; by default the installation itself.
    #[arg(long = "as", value_name = "EMAIL")]
    account: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub async fn list(app: &App, kind: RunKind, asked: Listed) -> Result<(), Failure> {
    let page = Page {
        years: asked.year.map(i64::from).into_iter().collect(),
        place: PageStart::After(0),
        limit: i64::MAX,
    };
    let listed = yearly_run::list(app, &operator(app), kind, Ok(page)).await?;
    let runs: Vec<YearlyRun> = listed.into_iter().map(|listed| listed.run).collect();
    match (asked.format, kind) {
        (Format::Json, _) => output::json(&runs.iter().map(document).collect::<Vec<_>>()),
        (Format::Table, RunKind::Evaluation) => {
            let rows: Vec<[String; 6]> = runs.iter().map(evaluation_row).collect();
            let headings = ["evaluation", "year", "policy", "state", "what-if", "stale"];
            output::table(headings, &rows)
        }
        (Format::Table, RunKind::SubsidyRun) => {
            let rows: Vec<[String; 7]> = runs.iter().map(subsidy_row).collect();
            let headings = [
                "run", "year", "policy", "state", "what-if", "budget", "awarded",
            ];
            output::table(headings, &rows)
        }
    }
}

fn common(run: &YearlyRun) -> [String; 5] {
    let lifecycle = run.lifecycle();
    [
        run.id().number().to_string(),
        lifecycle.year.to_string(),
        lifecycle.policy_code.clone(),
        lifecycle.state.to_string(),
        yes(lifecycle.is_scenario),
    ]
}

fn yes(it_is: bool) -> String {
    if it_is { "yes" } else { "" }.to_owned()
}

fn evaluation_row(run: &YearlyRun) -> [String; 6] {
    let [id, year, policy, state, scenario] = common(run);
    let stale = yes(run.lifecycle().is_stale);
    [id, year, policy, state, scenario, stale]
}

fn subsidy_row(run: &YearlyRun) -> [String; 7] {
    let [id, year, policy, state, scenario] = common(run);
    let (budget, awarded) = money(run);
    let told = |fen: Option<Fen>| fen.map(|fen| fen.to_string()).unwrap_or_default();
    [
        id,
        year,
        policy,
        state,
        scenario,
        told(budget),
        told(awarded),
    ]
}

const fn money(run: &YearlyRun) -> (Option<Fen>, Option<Fen>) {
    match run {
        YearlyRun::Evaluation(_) => (None, None),
        YearlyRun::SubsidyRun(run) => (Some(run.budget_fen), run.awarded_fen),
    }
}

fn document(run: &YearlyRun) -> Value {
    let lifecycle = run.lifecycle();
    match run {
        YearlyRun::Evaluation(row) => json!({
            "evaluation_id": row.id,
            "year": lifecycle.year,
            "policy": lifecycle.policy_code,
            "state": lifecycle.state,
            "scenario": lifecycle.is_scenario,
            "is_stale": lifecycle.is_stale,
        }),
        YearlyRun::SubsidyRun(row) => json!({
            "run_id": row.id,
            "year": lifecycle.year,
            "policy": lifecycle.policy_code,
            "state": lifecycle.state,
            "scenario": lifecycle.is_scenario,
            "evaluation_id": row.evaluation_id,
            "budget_fen": row.budget_fen,
            "awarded_fen": row.awarded_fen,
        }),
    }
}

/// Takes the points of the year as they are now into a draft, and grades it again.
pub async fn regrade(app: &App, id: EvaluationId, draft: &Unshown) -> Result<(), Failure> {
    let actor = decision::actor(app, draft.account.as_deref()).await?;
    let run = Run::direct(app, &actor, Action::EvaluationRegrade);
    let done = expert::regrade(&run, id, Ok(())).await;
    let graded = done.and_then(Done::now);
    graded.map_err(|error| decision::no_run(error, id.into()))?;
    Ok(())
}

/// Deletes a what-if.
pub async fn delete(app: &App, id: RunId, scenario: &Unshown) -> Result<(), Failure> {
    let actor = decision::actor(app, scenario.account.as_deref()).await?;
    let action = match id.kind() {
        RunKind::Evaluation => Action::EvaluationDelete,
        RunKind::SubsidyRun => Action::SubsidyDelete,
    };
    let done = yearly_run::delete(&Run::direct(app, &actor, action), id, Ok(())).await;
    let deleted = done.and_then(Done::now);
    deleted.map_err(|error| decision::no_run(error, id))?;
    match scenario.format {
        Format::Json => output::json(&json!({ "id": id.number(), "state": "deleted" })),
        Format::Table => output::say(&format!(
            "{} {} is deleted.",
            id.kind().title(),
            id.number()
        )),
    }
}
