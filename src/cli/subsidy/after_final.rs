//! What becomes of an award after its run is final, at the command line: paid, adjusted, held or released, in the name of a person.

use chrono::NaiveDate;
use clap::Args;
use serde_json::json;

use super::super::acting_as_or_only;
use super::super::failure::Failure;
use super::super::output::{self, Format};
use crate::app::App;
use crate::error::AppError;
use crate::operations::award::{self, Adjustment, AdjustmentReason, Payment, Place};
use crate::operations::run::{Done, Run};
use crate::operations::session::Action;
use crate::operations::yearly_run::Fen;

/// Which award, and in whose name.
#[derive(Debug, Args)]
pub struct Chosen {
    /// The number of the run.
    run: i64,
    /// The number of the award.
    award: i64,
    /// The account, whose rights hold; by default the only one that may.
    #[arg(long = "as", value_name = "EMAIL")]
    account: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Args)]
pub struct Paid {
    #[command(flatten)]
    chosen: Chosen,
    /// In yuan, with at most two decimals.
    #[arg(long, value_name = "YUAN", value_parser = Fen::of_yuan)]
    yuan: Fen,
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: NaiveDate,
    /// The number of the document.
    #[arg(long, value_name = "NUMBER")]
    document: String,
    /// So much came back.
    #[arg(long)]
    returned: bool,
}

#[derive(Debug, Args)]
pub struct Adjusted {
    #[command(flatten)]
    chosen: Chosen,
    /// In yuan, with at most two decimals.
    #[arg(long, value_name = "YUAN", value_parser = Fen::of_yuan)]
    yuan: Fen,
    /// Less instead of more.
    #[arg(long)]
    less: bool,
    /// fraud, error, court, refund or other.
    #[arg(long, value_name = "CODE")]
    because: AdjustmentReason,
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The number of the decision.
    #[arg(long, value_name = "NUMBER")]
    decision: Option<String>,
}

#[derive(Debug, Args)]
pub struct Decided {
    #[command(flatten)]
    chosen: Chosen,
    /// The number of the adjustment.
    adjustment: i64,
    /// Refuse it.
    #[arg(long)]
    refuse: bool,
}

#[derive(Debug, Args)]
pub struct Held {
    #[command(flatten)]
    chosen: Chosen,
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Chosen {
    fn place(&self) -> Result<Place, Failure> {
        let unknown = || {
            Failure::Refused(format!(
                "there is no award {} of run {}",
                self.award, self.run
            ))
        };
        let run = self.run.try_into().map_err(|_| unknown())?;
        let award = self.award.try_into().map_err(|_| unknown())?;
        Ok((run, award))
    }

    async fn run<T: Send + 'static>(&self, app: &App, action: Action) -> Result<Run<T>, Failure> {
        let actor = acting_as_or_only(app, self.account.as_deref(), action).await?;
        Ok(Run::direct(app, &actor, action))
    }

    fn failure(&self, error: AppError) -> Failure {
        match error {
            AppError::NotFound => Failure::Refused(format!(
                "there is no award {} of run {}, or no such adjustment",
                self.award, self.run
            )),
            other => other.into(),
        }
    }

    fn print(&self, document: &serde_json::Value, sentence: &str) -> Result<(), Failure> {
        match self.format {
            Format::Json => output::json(document),
            Format::Table => output::say(sentence),
        }
    }
}

fn signed(amount: Fen, is_less: bool) -> Fen {
    match is_less {
        true => Fen::new(-amount.number()),
        false => amount,
    }
}

pub async fn pay(app: &App, paid: Paid) -> Result<(), Failure> {
    let chosen = paid.chosen;
    let run = chosen.run(app, Action::AwardPaymentCreate).await?;
    let payment = Payment {
        amount_fen: signed(paid.yuan, paid.returned),
        paid_on: paid.on,
        document_no: paid.document,
    };
    let done = award::pay(&run, chosen.place()?, Ok(payment)).await;
    let done = done
        .and_then(Done::now)
        .map_err(|error| chosen.failure(error))?
        .row;
    let document = json!({
        "id": done.id, "award_id": done.award_id, "amount_fen": done.amount_fen, "paid_on": done.paid_on,
        "document_no": done.document_no,
    });
    let said = format!(
        "Payment {} of {} yuan is entered.",
        done.id, done.amount_fen
    );
    chosen.print(&document, &said)
}

pub async fn adjust(app: &App, adjusted: Adjusted) -> Result<(), Failure> {
    let chosen = adjusted.chosen;
    let run = chosen.run(app, Action::AwardAdjustmentCreate).await?;
    let adjustment = Adjustment {
        amount_fen: signed(adjusted.yuan, adjusted.less),
        reason_code: adjusted.because,
        reason: adjusted.reason,
        decision_no: adjusted.decision,
    };
    let done = award::adjust(&run, chosen.place()?, Ok(adjustment)).await;
    let done = done
        .and_then(Done::now)
        .map_err(|error| chosen.failure(error))?;
    print_adjustment(&chosen, &done.row)
}

fn print_adjustment(chosen: &Chosen, done: &award::AwardAdjustment) -> Result<(), Failure> {
    let document = json!({
        "id": done.id, "award_id": done.award_id, "amount_fen": done.amount_fen, "reason_code": done.reason_code,
        "state": done.state,
    });
    let said = format!(
        "Adjustment {} of {} yuan is {}.",
        done.id, done.amount_fen, done.state
    );
    chosen.print(&document, &said)
}

pub async fn decide(app: &App, decided: Decided) -> Result<(), Failure> {
    let chosen = decided.chosen;
    let action = match decided.refuse {
        true => Action::AwardAdjustmentRefuse,
        false => Action::AwardAdjustmentApprove,
    };
    let run = chosen.run(app, action).await?;
    let (of_run, of_award) = chosen.place()?;
    let adjustment = decided.adjustment.try_into();
    let adjustment = adjustment.map_err(|_| chosen.failure(AppError::NotFound))?;
    let done = award::decide(&run, (of_run, of_award, adjustment), Ok(())).await;
    let done = done
        .and_then(Done::now)
        .map_err(|error| chosen.failure(error))?;
    print_adjustment(&chosen, &done)
}

pub async fn hold(app: &App, action: Action, held: Held) -> Result<(), Failure> {
    let chosen = held.chosen;
    let run = chosen.run(app, action).await?;
    let done = award::hold(&run, chosen.place()?, Ok(Some(held.reason))).await;
    let done = done
        .and_then(Done::now)
        .map_err(|error| chosen.failure(error))?;
    let document = json!({ "award_id": done.award.id, "is_held": done.standing.is_held });
    let said = match done.standing.is_held {
        true => "The award is held: nothing is paid until it is released.",
        false => "The award is released.",
    };
    chosen.print(&document, said)
}
