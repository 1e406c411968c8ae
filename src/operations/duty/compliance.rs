//! Compliance of a year: for each host what was due, done, late and missing, and whether it complies by `[duty]` of the pack.
//! Everybody sees it once the year's evaluation is published; before that who supervises the host, and the host its own row.

use std::collections::{BTreeMap, BTreeSet};

use super::{READ_MAX, refresh};
use crate::app::App;
use crate::domain::access::{Action, Reach};
use crate::domain::duty::{Compliance, DutyYear};
use crate::domain::policy::Policy;
use crate::domain::{Instant, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::run::may;
use crate::operations::yearly_run::{check_year, grades};
use crate::store::{self, Conn};

/// The table of a year, as far as the caller sees it.
#[derive(Debug, Clone)]
pub struct ComplianceTable {
    pub year: i32,
    /// Everybody sees all of it.
    pub is_public: bool,
    /// The pack that judges, as `code@version`; none is in force.
    pub policy: Option<String>,
    pub rows: Vec<ComplianceRow>,
}

/// One host.
#[derive(Debug, Clone)]
pub struct ComplianceRow {
    pub organization_id: OrganizationId,
    pub name: String,
    pub counts: Compliance,
    pub open_rectifications: i64,
    /// None: the pack does not say what complying is.
    pub complies: Option<bool>,
}

/// The table of a year that has begun.
pub async fn of_year(app: &App, actor: &Actor, year: i32) -> Result<ComplianceTable, AppError> {
    may(actor, Action::ComplianceGet)?;
    let now = actor.now;
    check_year(year, now)?;
    let reach = match actor.caller() {
        Ok(caller) => Reach::of(caller, Action::DutyList),
        Err(_) => Reach::default(),
    };
    if !reach.is_empty() {
        refresh::stale(app, now, (reach, Vec::new()), READ_MAX).await?;
    }
    app.store
        .read_snapshot(move |conn| table(conn, year, (&reach, now)))
        .await
}

fn table(
    conn: &mut Conn,
    year: i32,
    (reach, now): (&Reach, Instant),
) -> Result<ComplianceTable, AppError> {
    let published = store::duty::find_published(conn, year.into())?;
    let policy = match published {
        Some((_, policy)) => Some(packs::open(&store::policy::get(conn, policy)?)?),
        None => packs::find_active(conn, now.local_date())?.map(|(_, policy)| policy),
    };
    let is_public = published.is_some();
    let rows = match &policy {
        Some(policy) => rows(conn, (year, policy), now)?,
        None => Vec::new(),
    };
    let seen = seen(conn, reach, is_public)?;
    let rows = rows.into_iter();
    Ok(ComplianceTable {
        year,
        is_public,
        policy: policy.map(|policy| format!("{}@{}", policy.code, policy.version)),
        rows: rows.filter(|row| seen.has(row.organization_id)).collect(),
    })
}

/// Whose rows somebody sees.
enum Seen {
    Everybody,
    These(BTreeSet<OrganizationId>),
}

impl Seen {
    fn has(&self, unit: OrganizationId) -> bool {
        match self {
            Self::Everybody => true,
            Self::These(units) => units.contains(&unit),
        }
    }
}

fn seen(conn: &mut Conn, reach: &Reach, is_public: bool) -> Result<Seen, AppError> {
    if is_public || reach.everything {
        return Ok(Seen::Everybody);
    }
    let mut units: BTreeSet<OrganizationId> = reach.host.into_iter().collect();
    if let Some(region) = reach.region {
        units.extend(store::duty::list_supervised(conn, region)?);
    }
    Ok(Seen::These(units))
}

fn rows(
    conn: &mut Conn,
    (year, policy): (i32, &Policy),
    now: Instant,
) -> Result<Vec<ComplianceRow>, AppError> {
    let span = policy.year.span(year);
    let span = span.ok_or_else(|| AppError::internal(format!("no year {year}")))?;
    let duty_year = DutyYear::new(year, span, now.local_date());
    let mut all: BTreeMap<OrganizationId, (Compliance, i64)> = BTreeMap::new();
    for (unit, duty) in store::duty::list_counted(conn, year.into())? {
        all.entry(unit).or_default().0.add(&duty, &duty_year);
    }
    let last = span.last_on.min(now.local_date());
    for unit in store::rectification::list_open_by(conn, last)? {
        all.entry(unit).or_default().1 += 1;
    }
    let names = grades::names(conn)?;
    let rows = all.into_iter().map(|(unit, (counts, open))| ComplianceRow {
        organization_id: unit,
        name: names.get(&unit).cloned().unwrap_or_default(),
        complies: policy.duty.as_ref().map(|duty| counts.complies(duty)),
        counts,
        open_rectifications: open,
    });
    Ok(rows.collect())
}
