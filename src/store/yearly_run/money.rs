//! All money of a year as it stood at the freeze, kept with a run that is shown: by award, and by graded unit.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::domain::subsidy::{LeftOutMoney, LeftOutReason, YearMoney};
use crate::domain::{AwardId, EvaluationId, Fen, OrganizationId, SubsidyRunId};
use crate::store::bulk::insert_all;
use crate::store::schema::{award, award_money, evaluation_money};
use crate::store::{Conn, Result, StoreError};

/// Every charge, and what of it is in the base.
const CHARGES: &str = "charges";
const BASE: &str = "base";

/// A part as it is stored: name, records, minutes, fen.
type Part = (String, i64, i64, Fen);

fn parts(money: &YearMoney) -> Vec<Part> {
    let sums = [(CHARGES, money.charges), (BASE, money.base)];
    let sums = sums.map(|(name, fen)| (name.to_owned(), 0, 0, fen));
    let left_out = money.left_out.iter().map(|(reason, sum)| {
        let name = reason.as_str().to_owned();
        (name, sum.records, sum.minutes, sum.amount)
    });
    sums.into_iter().chain(left_out).collect()
}

fn unknown(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Database(diesel::result::Error::DeserializationError(Box::new(error)))
}

/// `None` of no parts.
fn whole(parts: Vec<Part>) -> Result<Option<YearMoney>> {
    if parts.is_empty() {
        return Ok(None);
    }
    let mut money = YearMoney::default();
    for (name, records, minutes, amount) in parts {
        match name.as_str() {
            CHARGES => money.charges = amount,
            BASE => money.base = amount,
            reason => {
                let reason: LeftOutReason = reason.parse().map_err(unknown)?;
                let sum = LeftOutMoney {
                    records,
                    minutes,
                    amount,
                };
                money.left_out.insert(reason, sum);
            }
        }
    }
    Ok(Some(money))
}

#[derive(Debug, Insertable)]
#[diesel(table_name = award_money, treat_none_as_default_value = false)]
struct AwardPart {
    award_id: AwardId,
    part: String,
    records: i64,
    minutes: i64,
    amount_fen: Fen,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = evaluation_money, treat_none_as_default_value = false)]
struct UnitPart {
    evaluation_id: EvaluationId,
    organization_id: OrganizationId,
    part: String,
    records: i64,
    minutes: i64,
    amount_fen: Fen,
}

/// Keeps the money of the awards of a run.
pub fn insert_of_awards(conn: &mut Conn, all: &[(AwardId, YearMoney)]) -> Result<()> {
    let rows = all.iter().flat_map(|(award_id, money)| {
        let parts = parts(money).into_iter();
        parts.map(|(part, records, minutes, amount_fen)| AwardPart {
            award_id: *award_id,
            part,
            records,
            minutes,
            amount_fen,
        })
    });
    let rows: Vec<AwardPart> = rows.collect();
    insert_all!(conn, award_money::table, &rows);
    Ok(())
}

/// Keeps the money of the units of an evaluation.
pub fn insert_of_units(
    conn: &mut Conn,
    evaluation_id: EvaluationId,
    all: &[(OrganizationId, YearMoney)],
) -> Result<()> {
    let rows = all.iter().flat_map(|(organization_id, money)| {
        let parts = parts(money).into_iter();
        parts.map(|(part, records, minutes, amount_fen)| UnitPart {
            evaluation_id,
            organization_id: *organization_id,
            part,
            records,
            minutes,
            amount_fen,
        })
    });
    let rows: Vec<UnitPart> = rows.collect();
    insert_all!(conn, evaluation_money::table, &rows);
    Ok(())
}

/// What was kept of an award; none of a run that was never shown, or before such money was kept.
pub fn find_of_award(conn: &mut Conn, id: AwardId) -> Result<Option<YearMoney>> {
    let parts = award_money::table
        .filter(award_money::award_id.eq(id))
        .select((
            award_money::part,
            award_money::records,
            award_money::minutes,
            award_money::amount_fen,
        ))
        .load(conn)?;
    whole(parts)
}

/// The same of a graded unit.
pub fn find_of_unit(
    conn: &mut Conn,
    id: EvaluationId,
    unit: OrganizationId,
) -> Result<Option<YearMoney>> {
    let parts = evaluation_money::table
        .filter(evaluation_money::evaluation_id.eq(id))
        .filter(evaluation_money::organization_id.eq(unit))
        .select((
            evaluation_money::part,
            evaluation_money::records,
            evaluation_money::minutes,
            evaluation_money::amount_fen,
        ))
        .load(conn)?;
    whole(parts)
}

/// What was kept of all awards of a run, in the order of ids.
pub fn list_of_awards(conn: &mut Conn, run: SubsidyRunId) -> Result<Vec<(AwardId, YearMoney)>> {
    type Row = (AwardId, String, i64, i64, Fen);
    let rows: Vec<Row> = award_money::table
        .inner_join(award::table.on(award::id.eq(award_money::award_id)))
        .filter(award::subsidy_run_id.eq(run))
        .select((
            award_money::award_id,
            award_money::part,
            award_money::records,
            award_money::minutes,
            award_money::amount_fen,
        ))
        .load(conn)?;
    by_key(rows)
}

/// What was kept of all units of an evaluation, in the order of ids.
pub fn list_of_units(
    conn: &mut Conn,
    id: EvaluationId,
) -> Result<Vec<(OrganizationId, YearMoney)>> {
    type Row = (OrganizationId, String, i64, i64, Fen);
    let rows: Vec<Row> = evaluation_money::table
        .filter(evaluation_money::evaluation_id.eq(id))
        .select((
            evaluation_money::organization_id,
            evaluation_money::part,
            evaluation_money::records,
            evaluation_money::minutes,
            evaluation_money::amount_fen,
        ))
        .load(conn)?;
    by_key(rows)
}

fn by_key<K: Ord>(rows: Vec<(K, String, i64, i64, Fen)>) -> Result<Vec<(K, YearMoney)>> {
    let mut parts: BTreeMap<K, Vec<Part>> = BTreeMap::new();
    for (key, name, records, minutes, amount) in rows {
        let own = parts.entry(key).or_default();
        own.push((name, records, minutes, amount));
    }
    let mut all = Vec::new();
    for (key, parts) in parts {
        all.extend(whole(parts)?.map(|money| (key, money)));
    }
    Ok(all)
}
