//! Requesting a booking: confirmed at once, or waiting for the host, as the rules say. One transaction of few statements; the
//! insert is the judge.

use rand::RngExt;

use super::case::{BookingView, Case, manages};
use super::contest::{Contest, contest};
use super::draft::Draft;
use super::slot;
use super::trail::{self, Told};
use super::weigh::{self, Wish};
use crate::app::App;
use crate::domain::access::{self, Action, Caller, InstrumentTies};
use crate::domain::booking::{BookingState, Stage};
use crate::domain::booking_rules::Approval;
use crate::domain::calendar::Calendar;
use crate::domain::{Instant, InstrumentId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::store::booking::NewBooking;
use crate::store::booking_rules::Terms;
use crate::store::{self, Conn, Lock, StoreError};

/// Books a slot. 422 with everything that is wrong, 409 `slot_taken` or `client_reference_used`.
pub async fn request(app: &App, actor: &Actor, draft: Draft) -> Result<BookingView, AppError> {
    let fought_for = Contest {
        instrument_id: draft.instrument_id,
        wish: wish(&draft, actor.caller()?, actor.now),
        client_reference: draft.client_reference.clone(),
    };
    let (calendar, performer) = (app.calendar(), actor.clone());
    contest(app, actor, fought_for, move |tx| {
        place(tx, &calendar, &performer, &draft)
    })
    .await
}

pub(super) fn wish(draft: &Draft, caller: &Caller, now: Instant) -> Wish {
    Wish {
        slot: draft.slot,
        mode: draft.mode,
        organization_id: caller.organization_id,
        stage: Stage::Request,
        without: None,
        now,
    }
}

/// The terms of an instrument named in a body: what the caller may not see does not exist (422 `unknown_reference`). One that
/// was public once and no longer is does exist; that it cannot be booked is said by its rules.
pub(super) fn terms_for(
    conn: &mut Conn,
    caller: &Caller,
    id: InstrumentId,
    action: Action,
) -> Result<Terms, AppError> {
    let unknown = || {
        let fault = Fault::field("instrument_id", Code::unknown_reference);
        AppError::Refused(vec![fault.actual(i64::from(id))])
    };
    let terms = match store::booking_rules::get_terms(conn, id) {
        Err(StoreError::NotFound) => return Err(unknown()),
        found => found?,
    };
    let was_public = terms.state.is_locked();
    let managed = !was_public && manages(conn, caller, id)?;
    let ties = InstrumentTies {
        is_public: was_public,
        ..terms.ties(managed)
    };
    match access::may_on_instrument(caller, action, &ties) {
        Err(access::Denied::Hidden) => Err(unknown()),
        Err(denied) => Err(denied.into()),
        Ok(()) => Ok(terms),
    }
}

fn place(
    tx: &mut Conn,
    calendar: &Calendar,
    actor: &Actor,
    draft: &Draft,
) -> Result<BookingView, AppError> {
    Lock::take_records_of(draft.instrument_id, tx)?;
    let caller = actor.caller()?;
    let terms = terms_for(tx, caller, draft.instrument_id, Action::BookingRequest)?;
    let wish = wish(draft, caller, actor.now);
    let mut faults: Vec<Fault> = draft
        .faults(tx, caller)?
        .into_iter()
        .map(Into::into)
        .collect();
    faults.extend(weigh::broken_rules(tx, calendar, &terms, &wish)?);
    let seat = slot::seek(tx, &terms, &wish)?;
    if let (Err(full), false) = (&seat, faults.is_empty()) {
        faults.push(weigh::taken(full)?);
    }
    AppError::refuse_all(faults)?;
    if let Some(reference) = &draft.client_reference
        && store::booking::find_by_reference(tx, caller.organization_id, reference)?.is_some()
    {
        return Err(AppError::conflict(Code::client_reference_used));
    }
    let seat = seat.map_err(|_| AppError::conflict(Code::slot_taken))?;
    slot::make_room(tx, None, &seat.moves, actor.now)?;
    let new = new_booking(tx, calendar, actor, draft, (&terms, &wish), seat.channel)?;
    let booking = store::booking::insert(tx, new).map_err(slot::lost)?;
    trail::record(
        tx,
        actor,
        Action::BookingRequest,
        None,
        &booking,
        Told::Desk,
    )?;
    let managed_by_caller = manages(tx, caller, terms.instrument_id)?;
    let case = Case {
        booking,
        usage_record_ids: Vec::new(),
        terms,
        managed_by_caller,
    };
    case.seen(caller, calendar, actor.now)
}

fn new_booking(
    tx: &mut Conn,
    calendar: &Calendar,
    actor: &Actor,
    draft: &Draft,
    (terms, wish): (&Terms, &Wish),
    channel: i64,
) -> Result<NewBooking, AppError> {
    let quote = weigh::price(tx, terms, wish, &draft.service_items)?;
    let is_confirmed = terms.rules.approval == Approval::Automatic;
    let items = (!draft.service_items.is_empty()).then_some(&draft.service_items);
    Ok(NewBooking {
        booking_no: booking_no(actor.now),
        instrument_id: terms.instrument_id,
        organization_id: actor.caller()?.organization_id,
        host_organization_id: terms.host_organization_id,
        booked_by: actor.caller()?.user_id,
        channel,
        state: if is_confirmed {
            BookingState::Confirmed
        } else {
            BookingState::Requested
        },
        slot: draft.slot,
        blocked: terms.rules.blocked(&draft.slot),
        mode: draft.mode,
        purpose: draft.purpose,
        description: draft.description.clone(),
        operator: draft
            .operator
            .as_ref()
            .map(serde_json::to_value)
            .transpose()?,
        samples: draft.samples,
        service_items: items.map(serde_json::to_value).transpose()?,
        quote,
        client_reference: draft.client_reference.clone(),
        approval_due_at: (!is_confirmed).then(|| terms.rules.approval_due_at(calendar, actor.now)),
        answered_at: is_confirmed.then_some(actor.now),
        now: actor.now,
    })
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
