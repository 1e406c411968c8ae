//! Public notices as rows: one for each publication of a run, with what was printed as a document. Each run has one notice
//! (`PublicNoticeSubject`), and each number stands for one (`PublicNoticeNo`).

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::schema::public_notice;
use super::yearly_run::subsidy::Pool;
use super::{Conn, Json, Result};
use crate::domain::policy::Grade;
use crate::domain::public_notice::NoticeState;
use crate::domain::run::{RunId, RunKind};
use crate::domain::{Fen, Instant, OrganizationId, PublicNoticeId};

/// What a notice prints; `format` counts the shapes of this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    pub format: i64,
    pub units: Vec<Unit>,
    pub pools: Vec<Pool>,
}

/// A unit as it was called and what it came to. `total` has 2 decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub organization_id: OrganizationId,
    pub name: String,
    pub grade: Option<Grade>,
    pub total: Option<String>,
    pub place: Option<i64>,
    pub award_fen: Option<Fen>,
}

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = public_notice)]
pub struct PublicNotice {
    pub id: PublicNoticeId,
    pub kind: RunKind,
    pub subject_id: i64,
    pub year: i64,
    pub title: String,
    pub document_no: String,
    pub notice_from_on: NaiveDate,
    pub notice_until_on: NaiveDate,
    pub remark: Option<String>,
    pub content: Json<Content>,
    /// Never `ended`, which is a matter of time.
    pub state: NoticeState,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// A notice to open.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = public_notice, treat_none_as_default_value = false)]
pub struct NewNotice {
    pub kind: RunKind,
    pub subject_id: i64,
    pub year: i64,
    pub title: String,
    pub document_no: String,
    pub notice_from_on: NaiveDate,
    pub notice_until_on: NaiveDate,
    pub remark: Option<String>,
    pub content: Json<Content>,
    pub state: NoticeState,
    pub created_at: Instant,
    pub updated_at: Instant,
}

pub fn insert(conn: &mut Conn, new: &NewNotice) -> Result<PublicNoticeId> {
    Ok(diesel::insert_into(public_notice::table)
        .values(new)
        .returning(public_notice::id)
        .get_result(conn)?)
}

/// How many notices of a year and kind there are.
pub fn count(conn: &mut Conn, kind: RunKind, year: i64) -> Result<i64> {
    Ok(public_notice::table
        .filter(public_notice::year.eq(year))
        .filter(public_notice::kind.eq(kind))
        .count()
        .get_result(conn)?)
}

pub fn get(conn: &mut Conn, id: PublicNoticeId) -> Result<PublicNotice> {
    Ok(public_notice::table
        .find(id)
        .select(PublicNotice::as_select())
        .get_result(conn)?)
}

/// The notice as nobody objects to it or ends it until the transaction ends.
pub fn get_locked(conn: &mut Conn, id: PublicNoticeId) -> Result<PublicNotice> {
    if let Conn::Postgres(postgres) = conn {
        public_notice::table
            .find(id)
            .select(public_notice::id)
            .for_update()
            .first::<PublicNoticeId>(postgres)?;
    }
    get(conn, id)
}

/// The run became final or was thrown away; its notice stays and says so.
pub fn update_state(conn: &mut Conn, run: RunId, state: NoticeState, now: Instant) -> Result<()> {
    let of_run = public_notice::table
        .filter(public_notice::kind.eq(run.kind()))
        .filter(public_notice::subject_id.eq(run.number()));
    diesel::update(of_run)
        .set((
            public_notice::state.eq(state),
            public_notice::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// A decision on one of its objections stands in it.
pub fn update_changed(conn: &mut Conn, id: PublicNoticeId, now: Instant) -> Result<()> {
    diesel::update(public_notice::table.find(id))
        .set(public_notice::updated_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Which notices to list. Absent means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub years: Vec<i64>,
    pub kinds: Vec<RunKind>,
    pub states: Vec<NoticeState>,
    pub changed_after: Option<(Instant, i64)>,
    pub below: Option<i64>,
    pub limit: i64,
}

/// Newest first, or in the order of change.
pub fn list(conn: &mut Conn, filter: &Filter, today: NaiveDate) -> Result<Vec<PublicNotice>> {
    let mut query = public_notice::table
        .select(PublicNotice::as_select())
        .limit(filter.limit)
        .into_boxed();
    if !filter.years.is_empty() {
        query = query.filter(public_notice::year.eq_any(filter.years.clone()));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(public_notice::kind.eq_any(filter.kinds.clone()));
    }
    if !filter.states.is_empty() {
        let stored = |state: &NoticeState| match state {
            NoticeState::Ended => NoticeState::Open,
            other => *other,
        };
        let states: Vec<NoticeState> = filter.states.iter().map(stored).collect();
        query = query.filter(public_notice::state.eq_any(states));
        let (open, ended) = (NoticeState::Open, NoticeState::Ended);
        let is_asked = |state| filter.states.contains(&state);
        let (until, lasts) = (
            public_notice::notice_until_on,
            public_notice::state.ne(open),
        );
        query = match (is_asked(open), is_asked(ended)) {
            (true, false) => query.filter(lasts.or(until.ge(today))),
            (false, true) => query.filter(lasts.or(until.lt(today))),
            _ => query,
        };
    }
    if let Some((moment, id)) = filter.changed_after {
        let same = public_notice::updated_at
            .eq(moment)
            .and(public_notice::id.gt(id));
        query = query
            .filter(public_notice::updated_at.gt(moment).or(same))
            .order((public_notice::updated_at, public_notice::id));
    } else {
        query = query.order(public_notice::id.desc());
        if let Some(below) = filter.below {
            query = query.filter(public_notice::id.lt(below));
        }
    }
    Ok(query.load(conn)?)
}
