//! Closures of instruments. One that is taken back stays as withdrawn: it closes nothing, and lists of changes tell of it.

use diesel::prelude::*;

use super::schema::closure;
use super::{Conn, Result, StoreError, terms};
use crate::domain::closure::{self as rule, ClosedTime, ClosureKind};
use crate::domain::{ClosureId, Instant, InstrumentId, Slot};

/// One row, whole.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = closure)]
pub struct Closure {
    pub id: ClosureId,
    pub instrument_id: InstrumentId,
    pub starts_at: Instant,
    pub ends_at: Option<Instant>,
    pub kind: ClosureKind,
    pub public_reason: Option<String>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub withdrawn_at: Option<Instant>,
}

impl Closure {
    /// The closure as the rules of booking see it. The database keeps its time from being empty.
    pub fn rule(&self) -> Option<rule::Closure> {
        Some(rule::Closure {
            time: ClosedTime::new(self.starts_at, self.ends_at).ok()?,
            kind: self.kind,
            public_reason: self.public_reason.clone(),
        })
    }
}

pub fn insert(
    conn: &mut Conn,
    instrument: InstrumentId,
    new: &rule::Closure,
    now: Instant,
) -> Result<Closure> {
    let inserted = diesel::insert_into(closure::table)
        .values((
            closure::instrument_id.eq(instrument),
            closure::starts_at.eq(new.time.starts_at()),
            closure::ends_at.eq(new.time.ends_at()),
            closure::kind.eq(new.kind),
            closure::public_reason.eq(&new.public_reason),
            closure::version.eq(1_i64),
            closure::created_at.eq(now),
            closure::updated_at.eq(now),
        ))
        .get_result(conn)?;
    terms::refresh(conn, instrument, now)?;
    Ok(inserted)
}

/// Writes the version after `present`; `Contended` when that is no longer what stands there.
pub fn update(
    conn: &mut Conn,
    present: &Closure,
    next: &rule::Closure,
    now: Instant,
) -> Result<Closure> {
    let unchanged = closure::table.filter(
        closure::id
            .eq(present.id)
            .and(closure::version.eq(present.version)),
    );
    let updated = diesel::update(unchanged)
        .set((
            closure::starts_at.eq(next.time.starts_at()),
            closure::ends_at.eq(next.time.ends_at()),
            closure::kind.eq(next.kind),
            closure::public_reason.eq(&next.public_reason),
            closure::version.eq(present.version + 1),
            closure::updated_at.eq(now),
        ))
        .get_result(conn)
        .optional()?;
    terms::refresh(conn, present.instrument_id, now)?;
    updated.ok_or(StoreError::Contended)
}

/// Takes a closure back.
pub fn withdraw(conn: &mut Conn, id: ClosureId, now: Instant) -> Result<()> {
    let instrument = diesel::update(closure::table.find(id))
        .set((
            closure::withdrawn_at.eq(now),
            closure::version.eq(closure::version + 1),
            closure::updated_at.eq(now),
        ))
        .returning(closure::instrument_id)
        .get_result(conn)?;
    terms::refresh(conn, instrument, now)
}

/// A closure that was not taken back.
pub fn get(conn: &mut Conn, id: ClosureId) -> Result<Closure> {
    Ok(closure::table
        .find(id)
        .filter(closure::withdrawn_at.is_null())
        .select(Closure::as_select())
        .get_result(conn)?)
}

/// A page of an instrument's closures, the latest start first, after the row `after`.
pub fn list(
    conn: &mut Conn,
    instrument: InstrumentId,
    after: Option<(Instant, ClosureId)>,
    limit: i64,
) -> Result<Vec<Closure>> {
    let mut query = closure::table
        .filter(closure::instrument_id.eq(instrument))
        .filter(closure::withdrawn_at.is_null())
        .select(Closure::as_select())
        .order((closure::starts_at.desc(), closure::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some((starts_at, id)) = after {
        let same = closure::starts_at.eq(starts_at).and(closure::id.lt(id));
        query = query.filter(closure::starts_at.lt(starts_at).or(same));
    }
    Ok(query.load(conn)?)
}

/// An instrument's closures that end after `since` or have no end, those taken back too.
pub fn list_since(
    conn: &mut Conn,
    instrument: InstrumentId,
    since: Instant,
) -> Result<Vec<Closure>> {
    Ok(closure::table
        .filter(closure::instrument_id.eq(instrument))
        .filter(closure::ends_at.is_null().or(closure::ends_at.gt(since)))
        .select(Closure::as_select())
        .order((closure::starts_at, closure::id))
        .load(conn)?)
}

/// An instrument's closures changed after a place, withdrawn ones too, in the order of (`updated_at`, `id`).
pub fn list_changed(
    conn: &mut Conn,
    instrument: InstrumentId,
    (moment, id): (Instant, i64),
    limit: i64,
) -> Result<Vec<Closure>> {
    let same = closure::updated_at.eq(moment).and(closure::id.gt(id));
    Ok(closure::table
        .filter(closure::instrument_id.eq(instrument))
        .filter(closure::updated_at.gt(moment).or(same))
        .select(Closure::as_select())
        .order((closure::updated_at, closure::id))
        .limit(limit)
        .load(conn)?)
}

/// The closures that touch `window`, by their start, as the rules of booking see them.
pub fn list_rules(
    conn: &mut Conn,
    instrument: InstrumentId,
    window: &Slot,
) -> Result<Vec<rule::Closure>> {
    let ends_later = closure::ends_at
        .is_null()
        .or(closure::ends_at.gt(window.starts_at()).assume_not_null());
    let rows: Vec<Closure> = closure::table
        .filter(
            closure::instrument_id
                .eq(instrument)
                .and(closure::starts_at.lt(window.ends_at()))
                .and(closure::withdrawn_at.is_null()),
        )
        .filter(ends_later)
        .select(Closure::as_select())
        .order((closure::starts_at, closure::id))
        .load(conn)?;
    Ok(rows.iter().filter_map(Closure::rule).collect())
}
