//! Holds: a slot is kept for a while before it is asked for, and submitting makes it a request, or confirmed at once. The slot is
//! won already; of the rules only the lead time is not asked again.

use super::context::{BookingContext, BookingView};
use super::counts::{self, Asker};
use super::draft::Draft;
use super::slot::{self, WantedSlot};
use super::trail;
use crate::domain::access::Action;
use crate::domain::booking::{BookingAction, BookingState, Person, Stage};
use crate::domain::booking_rules::{Approval, BookingRules};
use crate::domain::calendar::Calendar;
use crate::domain::service::ServiceItem;
use crate::domain::{BookingId, Instant, Minutes, Operator, Slot, TypedKey};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::store::booking::Booking;
use crate::store::terms::Terms;
use crate::store::{self, Conn};

/// So many slots a unit may hold on an instrument at once.
const HOLDS_MAX: i64 = 3;

/// How a booking begins, or goes on after its hold.
pub(super) struct Standing {
    pub state: BookingState,
    /// When it expires if nobody decides.
    pub due_at: Option<Instant>,
    pub held_until: Option<Instant>,
    pub answered_at: Option<Instant>,
}

impl Standing {
    /// Of what is asked for now: confirmed at once, or waiting for the host.
    pub fn asked(rules: &BookingRules, calendar: &Calendar, now: Instant) -> Self {
        let is_confirmed = rules.approval == Approval::Automatic;
        Self {
            state: match is_confirmed {
                true => BookingState::Confirmed,
                false => BookingState::Requested,
            },
            due_at: (!is_confirmed).then(|| rules.approval_due_at(calendar, now)),
            held_until: None,
            answered_at: is_confirmed.then_some(now),
        }
    }

    pub fn held(rules: &BookingRules, slot: &Slot, now: Instant) -> Self {
        let until = Some(rules.held_until(slot, now));
        Self {
            state: BookingState::Held,
            due_at: until,
            held_until: until,
            answered_at: None,
        }
    }
}

/// What stands in the way of a hold besides the rules of its slot.
pub(super) fn hold_faults(
    conn: &mut Conn,
    draft: &Draft,
    terms: &Terms,
    wanted: &WantedSlot,
) -> Result<Option<Fault>, AppError> {
    if !draft.is_hold {
        return Ok(None);
    }
    if terms.rules.hold_minutes == Minutes::ZERO {
        return Ok(Some(Fault::rule(Code::no_holds)));
    }
    let whose = (terms.instrument_id, wanted.asker.unit);
    let held = store::booking::count_holds(conn, whose, wanted.now)?;
    let fault = Fault::rule(Code::too_many_holds)
        .limit(HOLDS_MAX)
        .actual(held);
    Ok((held >= HOLDS_MAX).then_some(fault))
}

/// What a hold is completed with; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct Submission {
    pub operator: Option<Operator>,
    pub description: Option<String>,
    pub samples: Option<i64>,
    pub service_items: Option<Vec<ServiceItem>>,
    pub client_reference: Option<TypedKey>,
}

impl Submission {
    /// The booking that is asked for.
    fn of(&self, held: &Booking) -> Result<Draft, AppError> {
        let details = &held.details;
        Ok(Draft {
            instrument_id: held.instrument_id,
            slot: held.slot()?,
            mode: held.mode,
            purpose: held.purpose,
            description: self.description.clone().or(details.description.clone()),
            operator: self.operator.clone().or(details.operator.clone()),
            samples: self.samples.or(details.samples),
            service_items: match &self.service_items {
                Some(items) => items.clone(),
                None => details.service_items.clone(),
            },
            client_reference: self
                .client_reference
                .clone()
                .or(held.client_reference.clone()),
            is_hold: false,
        })
    }
}

/// Asks for what is held. 422 when a rule is broken meanwhile, 409 `invalid_state` when the hold is over.
pub async fn submit(
    run: &Run<BookingView>,
    id: BookingId,
    body: Result<Submission, AppError>,
) -> Outcome<BookingView> {
    run.on(id, body, ask).await
}

fn ask(
    tx: &mut Conn,
    actor: &Actor,
    mut context: BookingContext,
    body: &Submission,
) -> Result<BookingView, AppError> {
    let (caller, now) = (actor.caller()?, actor.now);
    let held = &context.booking;
    let unit = held.organization_id;
    let permitted = context.permit(caller, BookingAction::Submit, now);
    let terms = counts::terms_for(tx, &context.terms, Some(unit), now)?;
    let draft = body.of(held)?;
    let person = Person::of(draft.operator.as_ref(), held.booked_by, unit);
    let is_same = person == held.person();
    let wanted = WantedSlot {
        slot: draft.slot,
        mode: draft.mode,
        asker: Asker { person, unit },
        // Another person's bookings were not counted yet.
        stage: match is_same {
            true => Stage::Approval,
            false => Stage::SameStart,
        },
        without: Some(held.id),
        now,
    };
    let mut faults = draft.faults(tx, caller, &terms)?;
    if !is_same {
        counts::lock(tx, &terms, &wanted)?;
    }
    faults.extend(slot::broken_rules(tx, &terms, &context.calendar, &wanted)?);
    AppError::refuse_all(faults)?;
    permitted?;
    refuse_used(tx, held, &draft)?;
    let standing = Standing::asked(&terms.rules, &context.calendar, now);
    let mut next = held.changes();
    if body.service_items.is_some() {
        let basis = store::terms::find(tx, (held.instrument_id, unit))?;
        next.details.quote = slot::price(&basis, &wanted, &draft.service_items)?;
    }
    next.state = standing.state;
    next.approval_due_at = standing.due_at;
    next.held_until = standing.held_until;
    next.answered_at = standing.answered_at;
    next.client_reference = draft.client_reference;
    next.details.description = draft.description;
    next.details.operator = draft.operator;
    next.details.samples = draft.samples;
    next.details.service_items = draft.service_items;
    let after = store::booking::update(tx, held, next, now).map_err(slot::lost)?;
    trail::record(tx, actor, Action::BookingSubmit, Some(held), &after)?;
    context.booking = after;
    context.view(caller, now)
}

/// 409 `client_reference_used` when another booking of the unit has it.
fn refuse_used(tx: &mut Conn, held: &Booking, draft: &Draft) -> Result<(), AppError> {
    let Some(reference) = &draft.client_reference else {
        return Ok(());
    };
    let unit = held.organization_id;
    match store::booking::find_by_reference(tx, unit, reference)? {
        Some(other) if other != held.id => {
            let refusal = AppError::conflict(Code::client_reference_used);
            Err(refusal.with("existing_id", i64::from(other)))
        }
        _ => Ok(()),
    }
}
