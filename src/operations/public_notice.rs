//! Public notices: opened by a publication, in its transaction, with everything they print; read by everybody. They stay when the
//! run becomes final or is thrown away, and say so.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::app::App;
use crate::domain::access::Action;
use crate::domain::objection::ObjectionState;
use crate::domain::public_notice::NoticeState;
use crate::domain::run::{RunId, RunKind, RunState};
use crate::domain::{Fen, Instant, ObjectionId, OrganizationId, PublicNoticeId, ratio};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::policy::Pack;
use crate::operations::run::may;
use crate::operations::subject::{Subject, Ties};
use crate::operations::yearly_run::grades;
use crate::store::objection::Objection;
pub use crate::store::public_notice::{Content, Unit};
use crate::store::public_notice::{Filter, NewNotice, PublicNotice};
pub use crate::store::yearly_run::subsidy::Pool;
use crate::store::yearly_run::{self as rows, Lifecycle, Run as Row, SubsidyRun, evaluation::Host};
use crate::store::{self, Conn, Json};

/// The shape of the document that a notice keeps.
const FORMAT: i64 = 1;

impl Subject for PublicNotice {
    type Id = PublicNoticeId;

    fn lock_and_load(tx: &mut Conn, _: &Actor, id: PublicNoticeId) -> Result<Self, AppError> {
        Ok(store::public_notice::get_locked(tx, id)?)
    }

    fn load(conn: &mut Conn, _: &Actor, id: PublicNoticeId) -> Result<Self, AppError> {
        Ok(store::public_notice::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        None
    }
}

/// A notice with how far its objections are.
#[derive(Debug, Clone)]
pub struct WholeNotice {
    pub notice: PublicNotice,
    /// On the day it is read.
    pub state: NoticeState,
    pub open: usize,
    pub upheld: usize,
    pub dismissed: usize,
    /// What was decided, for one notice alone.
    pub decided: Vec<Objection>,
}

/// Opens the notice of a run that is published, to its last day.
pub fn open(
    tx: &mut Conn,
    run: &Row,
    (until_on, remark): (NaiveDate, Option<String>),
    now: Instant,
) -> Result<PublicNoticeId, AppError> {
    let (kind, lifecycle) = (run.id().kind(), run.lifecycle());
    let pack = store::policy::get(tx, lifecycle.policy_id)?;
    let number = store::public_notice::count(tx, kind, lifecycle.year)? + 1;
    let content = content(tx, run)?;
    let new = NewNotice {
        kind,
        subject_id: run.id().number(),
        year: lifecycle.year,
        title: title(&pack, kind, lifecycle.year),
        document_no: format!("{}-{kind}-{number}", lifecycle.year),
        notice_from_on: now.local_date(),
        notice_until_on: until_on,
        remark,
        content: Json::of(content)?,
        state: NoticeState::Open,
        created_at: now,
        updated_at: now,
    };
    Ok(store::public_notice::insert(tx, &new)?)
}

fn title(pack: &Pack, kind: RunKind, year: i64) -> String {
    let about = match kind {
        RunKind::Evaluation => "评价结果公示",
        RunKind::SubsidyRun => "补助结果公示",
    };
    format!("{} {year}年度{about}", pack.title)
}

/// The notice of a run that becomes final or is thrown away says so.
pub fn close(tx: &mut Conn, id: RunId, state: RunState, now: Instant) -> Result<(), AppError> {
    let state = match state {
        RunState::Final => NoticeState::Final,
        RunState::Discarded => NoticeState::Discarded,
        _ => return Ok(()),
    };
    Ok(store::public_notice::update_state(tx, id, state, now)?)
}

/// 409 `objections_open` while an objection to one of these runs is not decided; nobody objects any more until the end.
pub fn refuse_open_objections(tx: &mut Conn, runs: &[&Row]) -> Result<(), AppError> {
    let mut notices: Vec<PublicNoticeId> = runs
        .iter()
        .filter_map(|run| run.lifecycle().public_notice_id)
        .collect();
    notices.sort_unstable();
    for notice in &notices {
        store::public_notice::get_locked(tx, *notice)?;
    }
    let open = store::objection::list_open(tx, &notices)?;
    let ids: Vec<i64> = open.into_iter().map(ObjectionId::number).collect();
    match ids.is_empty() {
        true => Ok(()),
        false => Err(AppError::conflict(Code::objections_open).with("ids", ids)),
    }
}

fn content(tx: &mut Conn, run: &Row) -> Result<Content, AppError> {
    let evaluation = match run {
        Row::Evaluation(evaluation) => Some(evaluation.id),
        Row::SubsidyRun(run) => run.evaluation_id,
    };
    let graded = match evaluation {
        Some(id) => rows::evaluation::list_units(tx, id)?,
        None => Vec::new(),
    };
    let (units, pools) = match run {
        Row::Evaluation(_) => (
            graded.iter().map(unit).collect::<Result<_, _>>()?,
            Vec::new(),
        ),
        Row::SubsidyRun(run) => (awarded(tx, run, &graded)?, run.pools()),
    };
    Ok(Content {
        format: FORMAT,
        units,
        pools,
    })
}

/// A graded unit as a notice prints it.
pub(crate) fn unit(host: &Host) -> Result<Unit, AppError> {
    Ok(Unit {
        organization_id: host.organization_id,
        name: host.name.clone(),
        grade: host.grade,
        total: Some(ratio::decimal(&grades::exact(&host.total)?, 2)),
        place: Some(host.place),
        award_fen: None,
    })
}

/// Each unit once, with everything that it gets.
fn awarded(tx: &mut Conn, run: &SubsidyRun, graded: &[Host]) -> Result<Vec<Unit>, AppError> {
    let mut known = BTreeMap::new();
    for host in graded {
        known.insert(host.organization_id, unit(host)?);
    }
    let mut units: BTreeMap<OrganizationId, Unit> = BTreeMap::new();
    for award in rows::subsidy::list_awards(tx, run.id)? {
        let id = award.organization_id;
        let graded = known.get(&id);
        let unit = units.entry(id).or_insert_with(|| Unit {
            organization_id: id,
            name: award.name,
            grade: graded.and_then(|unit| unit.grade),
            total: graded.and_then(|unit| unit.total.clone()),
            place: graded.and_then(|unit| unit.place),
            award_fen: Some(Fen::ZERO),
        });
        let sum = unit.award_fen.unwrap_or(Fen::ZERO);
        let sum = sum.checked_add(award.award_fen);
        unit.award_fen = Some(sum.map_err(AppError::internal)?);
    }
    Ok(units.into_values().collect())
}

/// One notice, with what was decided.
pub async fn get(app: &App, actor: &Actor, id: PublicNoticeId) -> Result<WholeNotice, AppError> {
    may(actor, Action::PublicNoticeGet)?;
    let now = actor.now;
    app.store.read(move |conn| read(conn, id, now)).await
}

fn read(conn: &mut Conn, id: PublicNoticeId, now: Instant) -> Result<WholeNotice, AppError> {
    let notice = store::public_notice::get(conn, id)?;
    let decided = store::objection::list_decided(conn, id)?;
    let whole = counted(conn, vec![notice], now)?.pop();
    Ok(WholeNotice {
        decided,
        ..whole.ok_or(AppError::NotFound)?
    })
}

/// A notice as pages print it, with what it rests on; or what a publication of a run would print.
#[derive(Debug, Clone)]
pub struct PrintedNotice {
    pub title: String,
    /// None: nothing was published.
    pub whole: Option<WholeNotice>,
    pub content: Content,
    pub lifecycle: Lifecycle,
    /// By which the run was made.
    pub pack: Pack,
}

/// The notice of a run, or what it would print.
pub fn printed(conn: &mut Conn, run: &Row, now: Instant) -> Result<PrintedNotice, AppError> {
    let lifecycle = run.lifecycle().clone();
    let pack = store::policy::get(conn, lifecycle.policy_id)?;
    let whole = match lifecycle.public_notice_id {
        Some(id) => Some(read(conn, id, now)?),
        None => None,
    };
    let (title, content) = match &whole {
        Some(whole) => (
            whole.notice.title.clone(),
            whole.notice.content.clone().into_inner(),
        ),
        None => (
            title(&pack, run.id().kind(), lifecycle.year),
            content(conn, run)?,
        ),
    };
    Ok(PrintedNotice {
        title,
        whole,
        content,
        lifecycle,
        pack,
    })
}

/// One notice as pages print it.
pub async fn print(
    app: &App,
    actor: &Actor,
    id: PublicNoticeId,
) -> Result<PrintedNotice, AppError> {
    may(actor, Action::PublicNoticeGet)?;
    let now = actor.now;
    let read = move |conn: &mut Conn| {
        let notice = store::public_notice::get(conn, id)?;
        let run = notice.kind.id(notice.subject_id);
        let run = rows::get(conn, run.map_err(AppError::internal)?)?;
        printed(conn, &run, now)
    };
    app.store.read(read).await
}

/// The notices that the filter asks for.
pub async fn list(
    app: &App,
    actor: &Actor,
    filter: Result<Filter, AppError>,
) -> Result<Vec<WholeNotice>, AppError> {
    may(actor, Action::PublicNoticeList)?;
    let (filter, now) = (filter?, actor.now);
    let read = move |conn: &mut Conn| {
        let notices = store::public_notice::list(conn, &filter, now.local_date())?;
        counted(conn, notices, now)
    };
    app.store.read(read).await
}

fn counted(
    conn: &mut Conn,
    notices: Vec<PublicNotice>,
    now: Instant,
) -> Result<Vec<WholeNotice>, AppError> {
    let ids: Vec<PublicNoticeId> = notices.iter().map(|notice| notice.id).collect();
    let states = store::objection::list_states(conn, &ids)?;
    let whole = notices.into_iter().map(|notice| {
        let count = |state| {
            let is_counted = |entry: &&(_, _)| **entry == (notice.id, state);
            states.iter().filter(is_counted).count()
        };
        WholeNotice {
            open: count(ObjectionState::Open),
            upheld: count(ObjectionState::Upheld),
            dismissed: count(ObjectionState::Dismissed),
            state: notice.state.on(now.local_date(), notice.notice_until_on),
            decided: Vec::new(),
            notice,
        }
    });
    Ok(whole.collect())
}
