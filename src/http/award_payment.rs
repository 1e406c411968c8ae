//! What becomes of an award of a final run: payments, adjustments by two persons, holds and releases.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::{Answer, reply};
use super::context::RequestContext;
use super::reason::{EmptyBody, ReasonBody};
use super::route::{BASE, Route, post};
use crate::domain::access::Action;
use crate::domain::award::{AdjustmentReason, AdjustmentState, Standing};
use crate::domain::time::read_date;
use crate::domain::{
    AwardAdjustmentId, AwardId, AwardPaymentId, Fen, Instant, SubsidyRunId, UserId,
};
use crate::error::AppError;
use crate::operations::award::{
    self, Adjustment, AwardAdjustment, AwardHold, AwardPayment, Entered, Held, History, Payment,
};
use crate::operations::run::Reply;

pub fn routes() -> Vec<Route> {
    vec![
        post(
            "/subsidy-runs/{id}/awards/{award_id}/payments",
            Action::AwardPaymentCreate,
            "Enters a payment of an award of a final run; below 0: what came back",
            pay,
        )
        .takes::<AwardPaymentBody>()
        .answers::<AwardPaymentShape>(201)
        .ignores_version(),
        post(
            "/subsidy-runs/{id}/awards/{award_id}/adjustments",
            Action::AwardAdjustmentCreate,
            "Proposes an adjustment; it counts once a second person approves it",
            adjust,
        )
        .takes::<AwardAdjustmentBody>()
        .answers::<AwardAdjustmentShape>(201)
        .ignores_version(),
        post(
            "/subsidy-runs/{id}/awards/{award_id}/adjustments/{adjustment_id}/approve",
            Action::AwardAdjustmentApprove,
            "Approves an adjustment that another person proposed",
            decide,
        )
        .takes::<EmptyBody>()
        .answers::<AwardAdjustmentShape>(200)
        .ignores_version(),
        post(
            "/subsidy-runs/{id}/awards/{award_id}/adjustments/{adjustment_id}/refuse",
            Action::AwardAdjustmentRefuse,
            "Refuses an adjustment that another person proposed",
            decide,
        )
        .takes::<EmptyBody>()
        .answers::<AwardAdjustmentShape>(200)
        .ignores_version(),
        post(
            "/subsidy-runs/{id}/awards/{award_id}/hold",
            Action::AwardHold,
            "Holds an award: nothing is paid until it is released",
            hold,
        )
        .takes::<ReasonBody>()
        .answers::<HeldAwardShape>(200)
        .ignores_version(),
        post(
            "/subsidy-runs/{id}/awards/{award_id}/release",
            Action::AwardRelease,
            "Releases an award that was held",
            hold,
        )
        .takes::<ReasonBody>()
        .answers::<HeldAwardShape>(200)
        .ignores_version(),
    ]
}

/// `amount_fen` is not 0; below 0: so much came back. `document_no` has at most 64 characters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AwardPaymentBody {
    amount_fen: Fen,
    #[serde(deserialize_with = "read_date")]
    paid_on: NaiveDate,
    document_no: String,
}

/// `amount_fen` is added to the award, and is not 0.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AwardAdjustmentBody {
    amount_fen: Fen,
    reason_code: AdjustmentReason,
    reason: String,
    decision_no: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AwardPaymentShape {
    id: AwardPaymentId,
    award_id: AwardId,
    amount_fen: Fen,
    paid_on: NaiveDate,
    document_no: String,
    created_by: Option<UserId>,
    created_at: Instant,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AwardAdjustmentShape {
    id: AwardAdjustmentId,
    award_id: AwardId,
    amount_fen: Fen,
    reason_code: AdjustmentReason,
    reason: String,
    decision_no: Option<String>,
    state: AdjustmentState,
    proposed_by: Option<UserId>,
    decided_by: Option<UserId>,
    decided_at: Option<Instant>,
    created_at: Instant,
}

/// What an award came to until now: `due_fen` is award + adjusted − paid; below 0: to be returned.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StandingShape {
    adjusted_fen: Fen,
    paid_fen: Fen,
    due_fen: Fen,
    is_held: bool,
}

/// An award that was held or released.
#[derive(Debug, Serialize, ToSchema)]
struct HeldAwardShape {
    award_id: AwardId,
    award_fen: Fen,
    #[serde(flatten)]
    standing: StandingShape,
}

#[derive(Debug, Serialize, ToSchema)]
struct HoldShape {
    is_held: bool,
    reason: String,
    created_by: Option<UserId>,
    created_at: Instant,
}

/// What became of an award; the unit sees the adjustments that were approved, others nothing.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct HistoryShape {
    payments: Option<Vec<AwardPaymentShape>>,
    adjustments: Option<Vec<AwardAdjustmentShape>>,
    holds: Option<Vec<HoldShape>>,
}

impl From<Standing> for StandingShape {
    fn from(standing: Standing) -> Self {
        Self {
            adjusted_fen: standing.adjusted,
            paid_fen: standing.paid,
            due_fen: standing.due,
            is_held: standing.is_held,
        }
    }
}

impl From<AwardPayment> for AwardPaymentShape {
    fn from(payment: AwardPayment) -> Self {
        Self {
            id: payment.id,
            award_id: payment.award_id,
            amount_fen: payment.amount_fen,
            paid_on: payment.paid_on,
            document_no: payment.document_no,
            created_by: payment.created_by,
            created_at: payment.created_at,
        }
    }
}

impl From<AwardAdjustment> for AwardAdjustmentShape {
    fn from(adjustment: AwardAdjustment) -> Self {
        Self {
            id: adjustment.id,
            award_id: adjustment.award_id,
            amount_fen: adjustment.amount_fen,
            reason_code: adjustment.reason_code,
            reason: adjustment.reason,
            decision_no: adjustment.decision_no,
            state: adjustment.state,
            proposed_by: adjustment.proposed_by,
            decided_by: adjustment.decided_by,
            decided_at: adjustment.decided_at,
            created_at: adjustment.created_at,
        }
    }
}

impl From<AwardHold> for HoldShape {
    fn from(hold: AwardHold) -> Self {
        Self {
            is_held: hold.is_held,
            reason: hold.reason,
            created_by: hold.created_by,
            created_at: hold.created_at,
        }
    }
}

impl From<Option<History>> for HistoryShape {
    fn from(history: Option<History>) -> Self {
        let Some(history) = history else {
            return Self::default();
        };
        Self {
            payments: Some(history.payments.into_iter().map(Into::into).collect()),
            adjustments: Some(history.adjustments.into_iter().map(Into::into).collect()),
            holds: Some(history.holds.into_iter().map(Into::into).collect()),
        }
    }
}

/// The run and the award that the path names.
fn place(context: &RequestContext) -> Result<(SubsidyRunId, AwardId), AppError> {
    Ok((context.id("id")?, context.id("award_id")?))
}

async fn pay(context: RequestContext) -> Answer {
    let payment = context.body().map(|body: AwardPaymentBody| Payment {
        amount_fen: body.amount_fen,
        paid_on: body.paid_on,
        document_no: body.document_no,
    });
    let done = award::pay(&context.run(paid)?, place(&context)?, payment).await?;
    context.answer(done, paid)
}

fn paid(entered: &Entered<AwardPayment>) -> Result<Reply, AppError> {
    let (payment, at) = (entered.row.clone(), at(entered.run, entered.row.award_id));
    Ok(reply(201, &AwardPaymentShape::from(payment))?.at(at))
}

/// An award, with everything that became of it.
fn at(run: SubsidyRunId, award: AwardId) -> String {
    format!("{BASE}/subsidy-runs/{run}/awards/{award}")
}

async fn adjust(context: RequestContext) -> Answer {
    let adjustment = context.body().map(|body: AwardAdjustmentBody| Adjustment {
        amount_fen: body.amount_fen,
        reason_code: body.reason_code,
        reason: body.reason,
        decision_no: body.decision_no,
    });
    let done = award::adjust(&context.run(proposed)?, place(&context)?, adjustment).await?;
    context.answer(done, proposed)
}

fn proposed(entered: &Entered<AwardAdjustment>) -> Result<Reply, AppError> {
    let (adjustment, at) = (entered.row.clone(), at(entered.run, entered.row.award_id));
    Ok(reply(201, &AwardAdjustmentShape::from(adjustment))?.at(at))
}

async fn decide(context: RequestContext) -> Answer {
    let (run, award) = place(&context)?;
    let adjustment = (run, award, context.id("adjustment_id")?);
    let nothing = context.body_or_default().map(|EmptyBody {}| ());
    let done = award::decide(&context.run(decided)?, adjustment, nothing).await?;
    context.answer(done, decided)
}

fn decided(adjustment: &AwardAdjustment) -> Result<Reply, AppError> {
    reply(200, &AwardAdjustmentShape::from(adjustment.clone()))
}

async fn hold(context: RequestContext) -> Answer {
    let reason = context
        .body_or_default()
        .map(|body: ReasonBody| body.reason);
    let done = award::hold(&context.run(held)?, place(&context)?, reason).await?;
    context.answer(done, held)
}

fn held(done: &Held) -> Result<Reply, AppError> {
    let shape = HeldAwardShape {
        award_id: done.award.id,
        award_fen: done.award.award_fen,
        standing: done.standing.into(),
    };
    reply(200, &shape)
}
