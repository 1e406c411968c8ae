//! What becomes of the bookings that a change of their instrument hits: they stand with a problem, or those not begun are
//! cancelled, and each is told to its unit. What a change no longer hits loses its problem. Which rules a booking breaks is the
//! domain's matter; the actions that change something ask here before and after.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::counts::{self, Asker, Except};
use super::slot::is_shared_with;
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{
    Affected, BookingAction, BookingState, Grounds, InstrumentFacts, Standing, expires_at,
};
use crate::domain::booking_rules::Tally;
use crate::domain::calendar::Calendar;
use crate::domain::exemption::ShareMode;
use crate::domain::{BookingId, Code, Instant, InstrumentId, OrganizationId, Slot};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::store::booking::Booking;
use crate::store::terms::Terms;
use crate::store::{self, Conn, Lock};

/// How many of the hit bookings an answer names.
const NAMED_MAX: usize = 200;

/// What a booking is marked with that its host gave up because of a change.
const CANCELLED: &str = "affected";

/// How somebody asks for a change that may hit bookings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Treatment {
    /// None: nothing is said; they are kept, where it must not be said.
    pub affected: Option<Affected>,
    /// Only tell what would happen.
    pub is_dry: bool,
}

/// A booking that a change hits, as it is after it, and the rules it breaks by it.
#[derive(Debug, Clone, Serialize)]
pub struct Hit {
    pub id: BookingId,
    pub booking_no: String,
    pub instrument_id: InstrumentId,
    pub organization_id: OrganizationId,
    pub state: BookingState,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub codes: Vec<&'static str>,
}

/// The bookings that a change hits.
#[derive(Debug, Clone, Default)]
pub struct Impact {
    /// The first of them, by their start.
    pub bookings: Vec<Hit>,
    pub count: usize,
}

impl Impact {
    /// The hit bookings of several changes.
    pub fn and(mut self, other: Impact) -> Impact {
        let left = NAMED_MAX.saturating_sub(self.bookings.len());
        self.bookings.extend(other.bookings.into_iter().take(left));
        self.count += other.count;
        self
    }

    fn add(&mut self, booking: &Booking, codes: &[Code]) {
        self.count += 1;
        if self.bookings.len() < NAMED_MAX {
            self.bookings.push(Hit {
                id: booking.id,
                booking_no: booking.booking_no.clone(),
                instrument_id: booking.instrument_id,
                organization_id: booking.organization_id,
                state: booking.state,
                starts_at: booking.starts_at,
                ends_at: booking.ends_at,
                codes: codes.iter().map(|code| code.as_str()).collect(),
            });
        }
    }

    /// 409 `bookings_affected`, which names them.
    fn refusal(&self) -> AppError {
        AppError::conflict(Code::bookings_affected)
            .with("bookings", json!(self.bookings))
            .with("bookings_count", self.count)
    }
}

/// What a change means besides the rules that it changes.
pub struct Change<'a> {
    /// What it says to a slot, whatever was said before.
    pub says: &'a dyn Fn(&Slot) -> Option<Code>,
    /// Whether what becomes of a booking hit so must be said.
    pub must_be_said: fn(&[Code]) -> bool,
    /// Told to those whose bookings are cancelled.
    pub reason: Option<&'a str>,
}

impl Default for Change<'_> {
    fn default() -> Self {
        Self {
            says: &|_| None,
            must_be_said: |_| false,
            reason: None,
        }
    }
}

impl std::fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Change")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// What an instrument says about its bookings at one moment of a transaction.
#[derive(Debug, Clone)]
pub struct Before {
    terms: Arc<Terms>,
    calendar: Arc<Calendar>,
}

/// A booking that a change concerns: what it breaks by it, and what it breaks at all.
struct Case {
    booking: Booking,
    codes: Vec<Code>,
    broken: Vec<Code>,
}

impl Before {
    /// As it is now: asked before something is changed, under the lock of the instrument or alone with all records.
    pub fn of(conn: &mut Conn, instrument: InstrumentId) -> Result<Self, AppError> {
        Ok(Self {
            terms: store::terms::get(conn, instrument)?,
            calendar: store::calendar::get(conn)?,
        })
    }

    /// What the change that was made since then means for the bookings that stand. 409 `bookings_affected` where it must be said
    /// and is not.
    pub fn settle(
        self,
        tx: &mut Conn,
        actor: &Actor,
        treatment: Treatment,
        change: &Change<'_>,
    ) -> Result<Impact, AppError> {
        Lock::RecordsShared.take(tx)?;
        let after = Self::of(tx, self.terms.instrument_id)?;
        let cases = self.cases(tx, &after, change, actor.now)?;
        let must_be_said =
            |case: &Case| !case.codes.is_empty() && (change.must_be_said)(&case.codes);
        if treatment.affected.is_none() && !treatment.is_dry && cases.iter().any(must_be_said) {
            let mut hit = Impact::default();
            for case in cases.iter().filter(|case| !case.codes.is_empty()) {
                hit.add(&case.booking, &case.codes);
            }
            return Err(hit.refusal());
        }
        let affected = treatment.affected.unwrap_or(Affected::Keep);
        let mut impact = Impact::default();
        for case in cases {
            let after = case.settle(tx, actor, affected, change.reason)?;
            if !case.codes.is_empty() {
                impact.add(&after, &case.codes);
            }
        }
        Ok(impact)
    }

    /// The bookings that a change from here to `after` concerns.
    fn cases(
        &self,
        conn: &mut Conn,
        after: &Before,
        change: &Change<'_>,
        now: Instant,
    ) -> Result<Vec<Case>, AppError> {
        let mut cases = Vec::new();
        let counts = self.counts_otherwise(after);
        for booking in store::booking::list_standing(conn, self.terms.instrument_id, now)? {
            if is_overdue(&booking, now)? {
                continue;
            }
            let counts = counts || is_of_counts(booking.problem.as_deref());
            let was = self.broken_by(conn, &booking, (counts, now))?;
            let broken = after.broken_by(conn, &booking, (counts, now))?;
            cases.extend(case(booking, (was, broken), change)?);
        }
        Ok(cases)
    }

    /// The same, but that its entry said these channels and this sharing.
    fn with_facts(&self, (channels, share_mode): (i64, Option<ShareMode>)) -> Self {
        let terms = Terms {
            channels,
            share_mode,
            ..Terms::clone(&self.terms)
        };
        Self {
            terms: Arc::new(terms),
            calendar: Arc::clone(&self.calendar),
        }
    }

    /// Whether quotas and gaps are others there. Where they are not, no booking breaks more or less of them by the change.
    fn counts_otherwise(&self, after: &Before) -> bool {
        let (was, is) = (&self.terms.rules, &after.terms.rules);
        (was.gap_minutes, &was.quotas, &was.class_rules)
            != (is.gap_minutes, &is.quotas, &is.class_rules)
    }

    /// What a booking breaks; of quotas and gaps, beside those made before it, only where it is asked.
    fn broken_by(
        &self,
        conn: &mut Conn,
        booking: &Booking,
        (counts, now): (bool, Instant),
    ) -> Result<Vec<Code>, AppError> {
        let unit = Some(booking.organization_id);
        let terms = counts::terms_for(conn, &self.terms, unit, now)?;
        let (slot, mode) = (booking.slot()?, Some(booking.mode));
        let asker = Asker {
            person: booking.person(),
            unit: booking.organization_id,
        };
        let except = Except {
            id: Some(booking.id),
            is_only_earlier: true,
        };
        let made = match counts {
            true => counts::made(conn, &terms, (mode, &asker, except), &slot, now)?,
            false => Vec::new(),
        };
        let tally = match counts {
            true => terms.rules.tally(mode, &made, now),
            false => Tally::default(),
        };
        let grounds = Grounds {
            rules: &terms.rules,
            calendar: &self.calendar,
            closures: &terms.closures,
            channels: terms.channels,
            tally: &tally,
        };
        let standing = Standing {
            slot,
            mode: booking.mode,
            channel: booking.channel,
        };
        let instrument = InstrumentFacts {
            is_bookable: terms.is_bookable(),
            is_shared_with_caller: is_shared_with(&terms, unit),
        };
        Ok(grounds.broken_by(&standing, instrument))
    }
}

/// What a change means for a booking that broke one thing before it and another after it; none when it does not concern it.
fn case(
    booking: Booking,
    (was, broken): (Vec<Code>, Vec<Code>),
    change: &Change<'_>,
) -> Result<Option<Case>, AppError> {
    let mut codes: Vec<Code> = (change.says)(&booking.slot()?).into_iter().collect();
    for code in &broken {
        if !was.contains(code) && !codes.contains(code) {
            codes.push(*code);
        }
    }
    let still = |problem: &String| broken.iter().any(|code| code.as_str() == problem);
    let is_relieved = booking
        .problem
        .as_ref()
        .is_some_and(|problem| !still(problem));
    let is_concerned = !codes.is_empty() || is_relieved;
    Ok(is_concerned.then_some(Case {
        booking,
        codes,
        broken,
    }))
}

/// Whether a problem is one that only the other bookings of the person and the unit tell.
fn is_of_counts(problem: Option<&str>) -> bool {
    let of_counts = [Code::quota_exceeded, Code::gap_too_short];
    of_counts.iter().any(|code| problem == Some(code.as_str()))
}

impl Case {
    /// Writes and tells what becomes of the booking.
    fn settle(
        &self,
        tx: &mut Conn,
        actor: &Actor,
        affected: Affected,
        reason: Option<&str>,
    ) -> Result<Booking, AppError> {
        let present = &self.booking;
        let mut next = present.changes();
        let given_up = match affected {
            Affected::Cancel if !self.codes.is_empty() => {
                present.state.after(BookingAction::Cancel).ok()
            }
            _ => None,
        };
        let event = match given_up {
            Some(state) => {
                next.state = state;
                next.problem = None;
                next.cancelled_by = Some("host".to_owned());
                next.reason_code = Some(CANCELLED.to_owned());
                next.details.reason = reason.map(str::to_owned);
                Action::BookingCancel
            }
            None => {
                let mut problems = self.codes.iter().chain(&self.broken);
                next.problem = problems.next().map(|code| code.as_str().to_owned());
                Action::BookingAffect
            }
        };
        let after = store::booking::update(tx, present, next, actor.now)?;
        trail::record(tx, actor, event, Some(present), &after)?;
        Ok(after)
    }
}

/// How many bookings stand on channels that an entry would no longer offer.
pub(in crate::operations) fn count_withdrawn(
    conn: &mut Conn,
    instrument: InstrumentId,
    facts: (i64, Option<ShareMode>),
    now: Instant,
) -> Result<usize, AppError> {
    let before = Before::of(conn, instrument)?;
    let cases = before.cases(conn, &before.with_facts(facts), &Change::default(), now)?;
    let is_withdrawn = |case: &&Case| case.codes.contains(&Code::channel_withdrawn);
    Ok(cases.iter().filter(is_withdrawn).count())
}

/// What it means for the bookings that stand that an entry said these channels and this sharing before; they are kept.
pub(in crate::operations) fn settle_facts(
    tx: &mut Conn,
    actor: &Actor,
    instrument: InstrumentId,
    before: (i64, Option<ShareMode>),
) -> Result<Impact, AppError> {
    let before = Before::of(tx, instrument)?.with_facts(before);
    before.settle(tx, actor, Treatment::default(), &Change::default())
}

/// What the instruments of a host say about the bookings that stand there.
pub(in crate::operations) fn before_of_host(
    conn: &mut Conn,
    host: OrganizationId,
    now: Instant,
) -> Result<Vec<Before>, AppError> {
    let standing = store::booking::list_standing_of_host(conn, host, now)?;
    let before = standing.into_iter().map(|id| Before::of(conn, id));
    before.collect()
}

/// A request that nobody decided in time is as good as expired.
fn is_overdue(booking: &Booking, now: Instant) -> Result<bool, AppError> {
    let waits = booking.state.after(BookingAction::Expire).is_ok();
    Ok(waits && expires_at(&booking.slot()?, booking.approval_due_at) <= now)
}
