//! Requesting a booking: confirmed at once, or waiting for the host, as the rules say. One transaction of few statements; the
//! insert is the judge. A check asks the same without any effect.

use std::sync::Arc;

use rand::RngExt;

use super::context::{BookingContext, BookingView, as_seen, manages};
use super::counts::{self, Asker};
use super::draft::Draft;
use super::slot::{self, Attempt, WantedSlot};
use super::submit;
use super::trail;
use crate::app::App;
use crate::domain::access::{self, Action, Caller, InstrumentTies};
use crate::domain::booking::{Person, Stage, late_from};
use crate::domain::tariff::Quote;
use crate::domain::{Instant, InstrumentId, Slot};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::holiday;
use crate::operations::run::{Outcome, Run, may};
use crate::store::booking::{Details, NewBooking};
use crate::store::terms::Basis;
use crate::store::{self, Conn, StoreError};

/// Books a slot. 422 with everything that is wrong, 409 `slot_taken` or `client_reference_used`.
pub async fn request(
    run: &Run<BookingView>,
    draft: Result<Draft, AppError>,
) -> Outcome<BookingView> {
    may(&run.actor, run.action)?;
    let draft = draft?;
    let attempt = Attempt {
        instrument_id: draft.instrument_id,
        wanted: wanted_slot(&draft, run.actor.caller()?, run.actor.now),
        client_reference: draft.client_reference.clone(),
    };
    let attempt = move |_: &mut Conn| Ok(attempt.clone());
    slot::book_or_explain(&run.app, attempt, || {
        let draft = draft.clone();
        run.with_records_of(draft.instrument_id, Ok(draft), place)
    })
    .await
}

pub(super) fn wanted_slot(draft: &Draft, caller: &Caller, now: Instant) -> WantedSlot {
    WantedSlot {
        slot: draft.slot,
        mode: draft.mode,
        asker: Asker {
            person: Person::of(
                draft.operator.as_ref(),
                caller.user_id,
                caller.organization_id,
            ),
            unit: caller.organization_id,
        },
        stage: Stage::Request,
        without: None,
        now,
    }
}

/// The terms of an instrument named in a body: what the caller may not see does not exist (422 `unknown_reference`). One that
/// was public once and no longer is does exist; that it cannot be booked is said by its rules.
pub(super) fn basis_for(
    conn: &mut Conn,
    caller: &Caller,
    (id, action): (InstrumentId, Action),
    found: store::Result<Basis>,
) -> Result<Basis, AppError> {
    let unknown = || {
        let fault = Fault::field("instrument_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(i64::from(id))])
    };
    let basis = match found {
        Err(StoreError::NotFound) => return Err(unknown()),
        found => found?,
    };
    let terms = &basis.terms;
    let was_public = terms.state.is_locked();
    // Whoever moves a booking for the host needs the instrument's own desk; who books needs it to see what is not public.
    let asks = !was_public || action == Action::BookingReschedule;
    let managed = asks && manages(conn, caller, id)?;
    let ties = InstrumentTies {
        is_public: was_public,
        ..terms.ties(managed)
    };
    let ties = as_seen(conn, Some(caller), id, ties)?;
    match access::may_on_instrument(caller, action, &ties) {
        Err(access::Denied::Hidden) => Err(unknown()),
        Err(denied) => Err(denied.into()),
        Ok(()) => Ok(basis),
    }
}

/// Under the locks of the instrument and its records.
fn place(tx: &mut Conn, actor: &Actor, draft: &Draft) -> Result<BookingView, AppError> {
    let caller = actor.caller()?;
    let key = (draft.instrument_id, caller.organization_id);
    let found = store::terms::find_or_insert(tx, key, actor.now);
    let named = (draft.instrument_id, Action::BookingRequest);
    let basis = basis_for(tx, caller, named, found)?;
    let basis = counts::basis_for(basis, caller.organization_id, actor.now);
    let terms = Arc::clone(&basis.terms);
    let wanted = wanted_slot(draft, caller, actor.now);
    let mut faults = draft.faults(tx, caller, &terms)?;
    faults.extend(submit::hold_faults(tx, draft, &terms, &wanted)?);
    counts::lock(tx, &terms, &wanted)?;
    faults.extend(slot::broken_rules(tx, &terms, &basis.calendar, &wanted)?);
    let assignment = slot::seek(tx, &terms, &wanted)?;
    if let (Err(full), false) = (&assignment, faults.is_empty()) {
        faults.push(slot::taken(full));
    }
    AppError::refuse_all(faults)?;
    if let Some(reference) = &draft.client_reference
        && store::booking::find_by_reference(tx, caller.organization_id, reference)?.is_some()
    {
        return Err(AppError::conflict(Code::client_reference_used));
    }
    let assignment = assignment.map_err(|_| AppError::conflict(Code::slot_taken))?;
    slot::make_room(tx, None, &assignment.moves, actor.now)?;
    let new = new_booking(actor, draft, (&basis, &wanted), assignment.channel)?;
    let booking = store::booking::insert(tx, new).map_err(slot::lost)?;
    let event = match draft.is_hold {
        true => Action::BookingHold,
        false => Action::BookingRequest,
    };
    trail::record(tx, actor, event, None, &booking)?;
    let managed_by_caller = manages(tx, caller, terms.instrument_id)?;
    let context = BookingContext {
        booking,
        usage_record_ids: Vec::new(),
        terms,
        calendar: basis.calendar,
        managed_by_caller,
        waits_for_channel: false,
    };
    context.view(caller, actor.now)
}

fn new_booking(
    actor: &Actor,
    draft: &Draft,
    (basis, wanted): (&Basis, &WantedSlot),
    channel: i64,
) -> Result<NewBooking, AppError> {
    let terms = &basis.terms;
    let standing = match draft.is_hold {
        true => submit::Standing::held(&terms.rules, &draft.slot, actor.now),
        false => submit::Standing::asked(&terms.rules, &basis.calendar, actor.now),
    };
    let details = Details {
        description: draft.description.clone(),
        operator: draft.operator.clone(),
        samples: draft.samples,
        service_items: draft.service_items.clone(),
        quote: slot::price(basis, wanted, &draft.service_items)?,
        reason: None,
        late_from: None,
        started_by: None,
        finished_by: None,
    };
    Ok(NewBooking {
        booking_no: booking_no(actor.now),
        instrument_id: terms.instrument_id,
        organization_id: actor.caller()?.organization_id,
        host_organization_id: terms.host_organization_id,
        booked_by: actor.caller()?.user_id,
        channel,
        state: standing.state,
        slot: draft.slot,
        blocked: terms.rules.blocked(&draft.slot),
        mode: draft.mode,
        purpose: draft.purpose,
        details,
        client_reference: draft.client_reference.clone(),
        approval_due_at: standing.due_at,
        held_until: standing.held_until,
        answered_at: standing.answered_at,
        stamp: basis.after_freezes(actor.now),
    })
}

/// What a request would meet now.
#[derive(Debug, Clone)]
pub struct Checked {
    /// None: it would be booked.
    pub faults: Vec<Fault>,
    pub quote: Option<Quote>,
    /// Empty when the slot itself can be had, and when no other could.
    pub next_free: Vec<Slot>,
    /// After this a cancellation would be late.
    pub late_from: Option<Instant>,
    /// What stands in the way of nothing, and may later.
    pub warnings: Vec<Fault>,
}

impl Checked {
    /// What no slot could mend, so none is looked for.
    pub fn refused(faults: Vec<Fault>) -> Self {
        Self {
            faults,
            quote: None,
            next_free: Vec::new(),
            late_from: None,
            warnings: Vec::new(),
        }
    }
}

/// Everything in the way of a request, the price, and what is free next, without any effect.
pub async fn check(
    app: &App,
    actor: &Actor,
    draft: Result<Draft, AppError>,
) -> Result<Checked, AppError> {
    may(actor, Action::BookingCheck)?;
    let draft = match draft {
        Err(AppError::Refused(faults)) => return Ok(Checked::refused(faults)),
        draft => draft?,
    };
    let denied = match may(actor, Action::BookingRequest) {
        Ok(()) => None,
        Err(AppError::Denied(code)) => Some(code),
        Err(other) => return Err(other),
    };
    let (caller, now) = (actor.caller()?.clone(), actor.now);
    app.store
        .read(move |conn| {
            let named = (draft.instrument_id, Action::BookingCheck);
            let found = store::terms::find(conn, (draft.instrument_id, caller.organization_id));
            let basis = match basis_for(conn, &caller, named, found) {
                // An instrument that is not there is one of the things in the way.
                Err(AppError::Refused(faults)) => return Ok(Checked::refused(faults)),
                found => found?,
            };
            let basis = counts::basis_for(basis, caller.organization_id, now);
            let terms = &basis.terms;
            let wanted = wanted_slot(&draft, &caller, now);
            // What forbids the request to whoever asks is no slot's fault, but stands in its way all the same.
            let mut faults: Vec<Fault> = denied.map(Fault::request).into_iter().collect();
            faults.extend(draft.faults(conn, &caller, terms)?);
            faults.extend(submit::hold_faults(conn, &draft, terms, &wanted)?);
            faults.extend(slot::broken_rules(conn, terms, &basis.calendar, &wanted)?);
            let near = slot::in_the_way(conn, terms, &wanted, &terms.rules.blocked(&wanted.slot))?;
            if let Err(full) = slot::find_channel(conn, terms, &wanted, &near)? {
                faults.push(slot::taken(&full));
            }
            if let Some(reference) = &draft.client_reference
                && store::booking::find_by_reference(conn, caller.organization_id, reference)?
                    .is_some()
            {
                faults.push(Fault::field(
                    "client_reference",
                    Code::client_reference_used,
                ));
            }
            let mends = denied.is_none() && slot::is_offered(terms, &wanted);
            let next_free = if faults.is_empty() || !mends {
                Vec::new()
            } else {
                slot::next_free(conn, terms, &basis.calendar, &wanted)?
            };
            Ok::<_, AppError>(Checked {
                quote: slot::price(&basis, &wanted, &draft.service_items)?,
                faults,
                next_free,
                warnings: holiday::warnings_of(&basis.calendar, &wanted.slot),
                late_from: Some(late_from(
                    wanted.slot.starts_at(),
                    terms.rules.cancel_before_minutes,
                )),
            })
        })
        .await
}

/// The letters of booking numbers: none that is read for another.
const LETTERS: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// The day and ten random letters: unique without asking the database.
fn booking_no(now: Instant) -> String {
    let mut rng = rand::rng();
    let letters = (0..10).filter_map(|_| LETTERS.get(rng.random_range(0..LETTERS.len())));
    let day = now.local_date().format("%Y%m%d");
    format!("B{day}-{}", letters.collect::<String>())
}
