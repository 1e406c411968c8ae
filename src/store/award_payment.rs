//! What became of awards after their run was final, as rows: payments, adjustments, holds and releases.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::schema::{award, award_adjustment, award_hold, award_payment, finding};
use super::{Conn, Result};
use crate::domain::award::{AdjustmentReason, AdjustmentState};
use crate::domain::finding::{FindingEffect, FindingState};
use crate::domain::{
    AwardAdjustmentId, AwardId, AwardPaymentId, Fen, Instant, OrganizationId, SubsidyRunId, UserId,
};

/// A payment, or below 0 what came back.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = award_payment)]
pub struct AwardPayment {
    pub id: AwardPaymentId,
    pub award_id: AwardId,
    pub amount_fen: Fen,
    pub paid_on: NaiveDate,
    pub document_no: String,
    pub created_by: Option<UserId>,
    pub created_at: Instant,
}

/// A payment to enter.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = award_payment, treat_none_as_default_value = false)]
pub struct NewPayment {
    pub award_id: AwardId,
    pub amount_fen: Fen,
    pub paid_on: NaiveDate,
    pub document_no: String,
    pub created_by: Option<UserId>,
    pub created_at: Instant,
}

/// An adjustment; it counts once it is approved.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = award_adjustment)]
pub struct AwardAdjustment {
    pub id: AwardAdjustmentId,
    pub award_id: AwardId,
    pub amount_fen: Fen,
    pub reason_code: AdjustmentReason,
    pub reason: String,
    pub decision_no: Option<String>,
    pub state: AdjustmentState,
    pub proposed_by: Option<UserId>,
    pub decided_by: Option<UserId>,
    pub decided_at: Option<Instant>,
    pub created_at: Instant,
}

/// An adjustment to propose.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = award_adjustment, treat_none_as_default_value = false)]
pub struct NewAdjustment {
    pub award_id: AwardId,
    pub amount_fen: Fen,
    pub reason_code: AdjustmentReason,
    pub reason: String,
    pub decision_no: Option<String>,
    pub state: AdjustmentState,
    pub proposed_by: Option<UserId>,
    pub created_at: Instant,
}

/// A hold or a release, with its reason.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = award_hold, treat_none_as_default_value = false)]
pub struct AwardHold {
    pub award_id: AwardId,
    pub is_held: bool,
    pub reason: String,
    pub created_by: Option<UserId>,
    pub created_at: Instant,
}

/// Nobody else pays, adjusts or holds the award until the transaction ends.
pub fn lock(conn: &mut Conn, id: AwardId) -> Result<()> {
    if let Conn::Postgres(postgres) = conn {
        award::table
            .find(id)
            .select(award::id)
            .for_update()
            .first::<AwardId>(postgres)?;
    }
    Ok(())
}

pub fn insert_payment(conn: &mut Conn, new: &NewPayment) -> Result<AwardPayment> {
    let id: AwardPaymentId = diesel::insert_into(award_payment::table)
        .values(new)
        .returning(award_payment::id)
        .get_result(conn)?;
    Ok(award_payment::table
        .find(id)
        .select(AwardPayment::as_select())
        .get_result(conn)?)
}

pub fn insert_adjustment(conn: &mut Conn, new: &NewAdjustment) -> Result<AwardAdjustment> {
    let id: AwardAdjustmentId = diesel::insert_into(award_adjustment::table)
        .values(new)
        .returning(award_adjustment::id)
        .get_result(conn)?;
    get_adjustment(conn, new.award_id, id)
}

/// One adjustment of an award.
pub fn get_adjustment(
    conn: &mut Conn,
    award: AwardId,
    id: AwardAdjustmentId,
) -> Result<AwardAdjustment> {
    Ok(award_adjustment::table
        .find(id)
        .filter(award_adjustment::award_id.eq(award))
        .select(AwardAdjustment::as_select())
        .get_result(conn)?)
}

/// It was approved or refused.
pub fn update_decided(
    conn: &mut Conn,
    present: &AwardAdjustment,
    (state, by, now): (AdjustmentState, Option<UserId>, Instant),
) -> Result<AwardAdjustment> {
    diesel::update(award_adjustment::table.find(present.id))
        .set((
            award_adjustment::state.eq(state),
            award_adjustment::decided_by.eq(by),
            award_adjustment::decided_at.eq(now),
        ))
        .execute(conn)?;
    get_adjustment(conn, present.award_id, present.id)
}

pub fn insert_hold(conn: &mut Conn, new: &AwardHold) -> Result<()> {
    diesel::insert_into(award_hold::table)
        .values(new)
        .execute(conn)?;
    Ok(())
}

/// The payments of an award, in their order.
pub fn list_payments(conn: &mut Conn, award: AwardId) -> Result<Vec<AwardPayment>> {
    Ok(award_payment::table
        .filter(award_payment::award_id.eq(award))
        .select(AwardPayment::as_select())
        .order(award_payment::id)
        .load(conn)?)
}

/// The adjustments of an award, in their order.
pub fn list_adjustments(conn: &mut Conn, award: AwardId) -> Result<Vec<AwardAdjustment>> {
    Ok(award_adjustment::table
        .filter(award_adjustment::award_id.eq(award))
        .select(AwardAdjustment::as_select())
        .order(award_adjustment::id)
        .load(conn)?)
}

/// The holds and releases of an award, in their order.
pub fn list_holds(conn: &mut Conn, award: AwardId) -> Result<Vec<AwardHold>> {
    Ok(award_hold::table
        .filter(award_hold::award_id.eq(award))
        .select(AwardHold::as_select())
        .order(award_hold::id)
        .load(conn)?)
}

/// What became of the awards of a run.
#[derive(Debug, Clone, Default)]
pub struct OfRun {
    pub payments: BTreeMap<AwardId, Vec<Fen>>,
    /// Approved ones.
    pub adjustments: BTreeMap<AwardId, Vec<Fen>>,
    /// The last hold or release of each, and when.
    pub holds: BTreeMap<AwardId, (bool, Instant)>,
    /// When a finding that holds the award was decided last, by unit.
    pub findings: BTreeMap<OrganizationId, Instant>,
}

/// Everything that became of the awards of a run of a year; of one award alone where it is named.
pub fn of_run(
    conn: &mut Conn,
    (run, year): (SubsidyRunId, i64),
    only: Option<AwardId>,
) -> Result<OfRun> {
    let mut of_run = OfRun::default();
    let mut payments = award_payment::table
        .inner_join(award::table.on(award::id.eq(award_payment::award_id)))
        .filter(award::subsidy_run_id.eq(run))
        .select((award_payment::award_id, award_payment::amount_fen))
        .into_boxed();
    let mut adjustments = award_adjustment::table
        .inner_join(award::table.on(award::id.eq(award_adjustment::award_id)))
        .filter(award::subsidy_run_id.eq(run))
        .filter(award_adjustment::state.eq(AdjustmentState::Approved))
        .select((award_adjustment::award_id, award_adjustment::amount_fen))
        .into_boxed();
    let mut holds = award_hold::table
        .inner_join(award::table.on(award::id.eq(award_hold::award_id)))
        .filter(award::subsidy_run_id.eq(run))
        .select((
            award_hold::award_id,
            award_hold::is_held,
            award_hold::created_at,
        ))
        .order(award_hold::id)
        .into_boxed();
    if let Some(only) = only {
        payments = payments.filter(award_payment::award_id.eq(only));
        adjustments = adjustments.filter(award_adjustment::award_id.eq(only));
        holds = holds.filter(award_hold::award_id.eq(only));
    }
    for (id, amount) in payments.load::<(AwardId, Fen)>(conn)? {
        of_run.payments.entry(id).or_default().push(amount);
    }
    for (id, amount) in adjustments.load::<(AwardId, Fen)>(conn)? {
        of_run.adjustments.entry(id).or_default().push(amount);
    }
    for (id, is_held, at) in holds.load::<(AwardId, bool, Instant)>(conn)? {
        of_run.holds.insert(id, (is_held, at));
    }
    let findings: Vec<(OrganizationId, Instant)> = finding::table
        .filter(finding::year.eq(year))
        .filter(finding::state.eq(FindingState::Upheld))
        .filter(finding::effect.eq(FindingEffect::HoldAward))
        .select((finding::organization_id, finding::updated_at))
        .order(finding::updated_at)
        .load(conn)?;
    of_run.findings.extend(findings);
    Ok(of_run)
}
