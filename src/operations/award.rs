//! What becomes of the awards of a final run: payments, adjustments that a second person approves, holds and releases. An upheld
//! finding that holds the award does so until it is released. The run itself stays as it was.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::access::{Action, Role};
pub use crate::domain::award::AdjustmentReason;
use crate::domain::award::{AdjustmentDecision, AdjustmentState, Standing};
use crate::domain::fault::Faults;
use crate::domain::run::RunState;
use crate::domain::{AwardAdjustmentId, AwardId, Fen, Reason, SubsidyRunId};
use crate::error::{AppError, Code};
use crate::operations::actor::{Actor, Who};
use crate::operations::run::{Outcome, Run, personal};
use crate::operations::subject;
use crate::store::Conn;
use crate::store::award_payment::{self as rows, NewAdjustment, NewPayment, OfRun};
pub use crate::store::award_payment::{AwardAdjustment, AwardHold, AwardPayment};
use crate::store::event::{self, NewEvent, Subject as Noun};
use crate::store::yearly_run::subsidy::{self, Award, SubsidyRun};

/// A run and one of its awards.
pub type Place = (SubsidyRunId, AwardId);

const NUMBER_CHARS_MAX: usize = 64;

/// What an award came to until now.
fn standing(of_run: &OfRun, award: &Award) -> Result<Standing, AppError> {
    let of = |amounts: Option<&Vec<Fen>>| amounts.cloned().unwrap_or_default();
    let held = of_run.findings.get(&award.organization_id);
    let is_held = match of_run.holds.get(&award.id) {
        Some((is_held, at)) => *is_held || held.is_some_and(|decided| decided > at),
        None => held.is_some(),
    };
    let standing = Standing::new(
        award.award_fen,
        of(of_run.adjustments.get(&award.id)),
        of(of_run.payments.get(&award.id)),
        is_held,
    );
    standing.map_err(AppError::internal)
}

/// What these awards of a run came to until now.
pub(super) fn standings_of(
    conn: &mut Conn,
    run: &SubsidyRun,
    awards: &[Award],
) -> Result<BTreeMap<AwardId, Standing>, AppError> {
    let of_run = rows::of_run(conn, (run.id, run.lifecycle.year), None)?;
    let awards = awards.iter();
    let standings = awards.map(|award| Ok((award.id, standing(&of_run, award)?)));
    standings.collect()
}

/// What the awards of a run came to until now, for who reads them.
pub async fn standings(
    app: &App,
    actor: &Actor,
    id: SubsidyRunId,
) -> Result<BTreeMap<AwardId, Standing>, AppError> {
    let by = actor.clone();
    let read = move |conn: &mut Conn| {
        let run: SubsidyRun = subject::load(conn, &by, Action::AwardGet, id)?;
        let awards = subsidy::list_awards(conn, run.id)?;
        standings_of(conn, &run, &awards)
    };
    app.store.read_snapshot(read).await
}

/// An award of a final run under its lock, with what it came to.
fn locked(tx: &mut Conn, run: &SubsidyRun, id: AwardId) -> Result<(Award, Standing), AppError> {
    let award = subsidy::get_award(tx, run.id, id)?;
    rows::lock(tx, award.id)?;
    let of_run = rows::of_run(tx, (run.id, run.lifecycle.year), Some(award.id))?;
    let standing = standing(&of_run, &award)?;
    Ok((award, standing))
}

/// 409 `invalid_state` unless the run is final.
fn refuse_unless_final(run: &SubsidyRun) -> Result<(), AppError> {
    match run.lifecycle.state {
        RunState::Final => Ok(()),
        state => Err(AppError::conflict(Code::invalid_state)
            .with("state", state.as_str())
            .with("allowed", Vec::<&str>::new())),
    }
}

fn told(by: &Actor, action: Action, award: &Award, after: Value) -> Result<NewEvent, AppError> {
    let event = by.event(action, Noun::new("award", award.id));
    Ok(event.of(award.organization_id, None).after(after)?)
}

/// A payment as it is sent.
#[derive(Debug, Clone)]
pub struct Payment {
    pub amount_fen: Fen,
    pub paid_on: NaiveDate,
    pub document_no: String,
}

/// Enters a payment, or below 0 what came back. 422 `overpaid`; 409 `award_held`.
pub async fn pay(
    run: &Run<Entered<AwardPayment>>,
    (id, award): Place,
    payment: Result<Payment, AppError>,
) -> Outcome<Entered<AwardPayment>> {
    run.on(id, payment, move |tx, by, run: SubsidyRun, payment| {
        let (award, standing) = locked(tx, &run, award)?;
        let mut faults = Faults::new();
        faults.extend(standing.check_payment(payment.amount_fen).err());
        let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or(NaiveDate::MIN);
        let today = by.now.local_date();
        faults.date("paid_on", Some(payment.paid_on), first, today);
        faults.text("document_no", &payment.document_no, NUMBER_CHARS_MAX);
        AppError::refuse_all(faults.into_vec())?;
        refuse_unless_final(&run)?;
        if standing.is_held && payment.amount_fen > Fen::ZERO {
            return Err(AppError::conflict(Code::award_held));
        }
        let new = NewPayment {
            award_id: award.id,
            amount_fen: payment.amount_fen,
            paid_on: payment.paid_on,
            document_no: payment.document_no.clone(),
            created_by: by.user_id(),
            created_at: by.now,
        };
        let paid = rows::insert_payment(tx, &new)?;
        let after = json!({
            "subsidy_run_id": run.id,
            "payment_id": paid.id,
            "amount_fen": paid.amount_fen,
            "paid_on": paid.paid_on,
            "document_no": paid.document_no,
        });
        event::append(tx, &told(by, Action::AwardPaymentCreate, &award, after)?)?;
        Ok(Entered {
            run: run.id,
            row: paid,
        })
    })
    .await
}

/// What was entered of an award, and the run of it: where it is looked at.
#[derive(Debug, Clone)]
pub struct Entered<T> {
    pub run: SubsidyRunId,
    pub row: T,
}

/// An adjustment as it is sent.
#[derive(Debug, Clone)]
pub struct Adjustment {
    pub amount_fen: Fen,
    pub reason_code: AdjustmentReason,
    pub reason: String,
    pub decision_no: Option<String>,
}

/// Proposes an adjustment; it counts once a second person approves it. 422 when the award would fall below 0.
pub async fn adjust(
    run: &Run<Entered<AwardAdjustment>>,
    (id, award): Place,
    adjustment: Result<Adjustment, AppError>,
) -> Outcome<Entered<AwardAdjustment>> {
    run.on(id, adjustment, move |tx, by, run: SubsidyRun, sent| {
        let (award, standing) = locked(tx, &run, award)?;
        let mut faults = Faults::new();
        faults.extend(standing.check_adjustment(sent.amount_fen).err());
        let reason = match Reason::read(Some(&sent.reason), true) {
            Ok(reason) => reason,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let number = sent.decision_no.as_deref();
        faults.optional_text("decision_no", number, NUMBER_CHARS_MAX);
        AppError::refuse_all(faults.into_vec())?;
        refuse_unless_final(&run)?;
        let new = NewAdjustment {
            award_id: award.id,
            amount_fen: sent.amount_fen,
            reason_code: sent.reason_code,
            reason: reason.map(String::from).unwrap_or_default(),
            decision_no: number
                .filter(|number| !number.trim().is_empty())
                .map(str::to_owned),
            state: AdjustmentState::Proposed,
            proposed_by: by.user_id(),
            created_at: by.now,
        };
        let made = rows::insert_adjustment(tx, &new)?;
        // The unit hears of it when it is decided.
        let event = by.event(Action::AwardAdjustmentCreate, Noun::new("award", award.id));
        let event = event.after(adjusted(&run, &made))?;
        let event = event.personal(personal(json!({ "reason": made.reason }))?);
        event::append(tx, &event)?;
        Ok(Entered {
            run: run.id,
            row: made,
        })
    })
    .await
}

fn adjusted(run: &SubsidyRun, adjustment: &AwardAdjustment) -> Value {
    json!({
        "subsidy_run_id": run.id,
        "adjustment_id": adjustment.id,
        "amount_fen": adjustment.amount_fen,
        "reason_code": adjustment.reason_code,
        "decision_no": adjustment.decision_no,
        "state": adjustment.state,
    })
}

/// Approves or refuses an adjustment, as the action says. 403 `second_person_required` for who proposed it; 409 `invalid_state`
/// once it is decided; 422 when the award would fall below 0 by now.
pub async fn decide(
    run: &Run<AwardAdjustment>,
    (id, award, adjustment): (SubsidyRunId, AwardId, AwardAdjustmentId),
    nothing: Result<(), AppError>,
) -> Outcome<AwardAdjustment> {
    let action = run.action;
    run.on(id, nothing, move |tx, by, run: SubsidyRun, ()| {
        let (award, standing) = locked(tx, &run, award)?;
        let present = rows::get_adjustment(tx, award.id, adjustment)?;
        if present.proposed_by == by.user_id() {
            return Err(AppError::Denied(Code::second_person_required));
        }
        let decision = match action {
            Action::AwardAdjustmentApprove => AdjustmentDecision::Approve,
            _ => AdjustmentDecision::Refuse,
        };
        let state = present.state.after(decision)?;
        if state == AdjustmentState::Approved {
            standing.check_adjustment(present.amount_fen)?;
        }
        let decided = rows::update_decided(tx, &present, (state, by.user_id(), by.now))?;
        let event = told(by, action, &award, adjusted(&run, &decided))?;
        event::append(tx, &event.before(json!({ "state": present.state }))?)?;
        Ok(decided)
    })
    .await
}

/// An award with what it came to until now.
#[derive(Debug, Clone)]
pub struct Held {
    pub award: Award,
    pub standing: Standing,
}

/// Holds the award or releases it, as the action says, with a reason. 409 `invalid_state` when it is so already.
pub async fn hold(
    run: &Run<Held>,
    (id, award): Place,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Held> {
    let action = run.action;
    run.on(
        id,
        reason,
        move |tx, by, run: SubsidyRun, reason: &Option<String>| {
            let (award, standing) = locked(tx, &run, award)?;
            let reason = Reason::read(reason.as_deref(), true)?;
            refuse_unless_final(&run)?;
            let is_held = action == Action::AwardHold;
            if standing.is_held == is_held {
                let (state, allowed) = match is_held {
                    true => ("held", "release"),
                    false => ("released", "hold"),
                };
                return Err(AppError::conflict(Code::invalid_state)
                    .with("state", state)
                    .with("allowed", vec![allowed]));
            }
            let new = AwardHold {
                award_id: award.id,
                is_held,
                reason: reason.map(String::from).unwrap_or_default(),
                created_by: by.user_id(),
                created_at: by.now,
            };
            rows::insert_hold(tx, &new)?;
            let after = json!({ "subsidy_run_id": run.id, "is_held": is_held });
            let event = told(by, action, &award, after)?;
            let event = event.personal(personal(json!({ "reason": new.reason }))?);
            event::append(tx, &event)?;
            let standing = Standing {
                is_held,
                ..standing
            };
            Ok(Held { award, standing })
        },
    )
    .await
}

/// What became of one award.
#[derive(Debug, Clone)]
pub struct History {
    pub payments: Vec<AwardPayment>,
    pub adjustments: Vec<AwardAdjustment>,
    pub holds: Vec<AwardHold>,
}

/// What became of an award, for the province, the auditors and the unit, which sees what was decided; none for others who read it.
pub async fn history(
    app: &App,
    actor: &Actor,
    (id, award): Place,
) -> Result<Option<History>, AppError> {
    let by = actor.clone();
    let read = move |conn: &mut Conn| {
        let run: SubsidyRun = subject::load(conn, &by, Action::AwardGet, id)?;
        let award = subsidy::get_award(conn, run.id, award)?;
        let sees_all = by.sees_drafts();
        if !sees_all && !speaks_for(&by, &award) {
            return Ok(None);
        }
        let mut adjustments = rows::list_adjustments(conn, award.id)?;
        adjustments.retain(|one| sees_all || one.state == AdjustmentState::Approved);
        Ok::<_, AppError>(Some(History {
            payments: rows::list_payments(conn, award.id)?,
            adjustments,
            holds: rows::list_holds(conn, award.id)?,
        }))
    };
    app.store.read_snapshot(read).await
}

fn speaks_for(by: &Actor, award: &Award) -> bool {
    match &by.who {
        Who::Person(caller) => {
            let roles = [Role::HostAdmin, Role::HostFinance, Role::UnitAdmin];
            caller.organization_id == award.organization_id
                && roles.into_iter().any(|role| caller.has(role))
        }
        _ => false,
    }
}
