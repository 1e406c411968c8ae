//! The host corrects a record: a new version, to be confirmed again; the one before is kept whole. An open charge follows
//! the price; what is invoiced or paid stands.

use super::clash::{self, Claim};
use super::context::{UsageContext, UsageView};
use super::record::{find_unit, operator_column, unknown, unknown_operator};
use super::{day_of, is_own_use, minutes_of, news, slot_of};
use crate::domain::access::{Action, BookingTies};
use crate::domain::usage::{
    Correction, GivenMinutes, UsageAction, UsageFacts, UsageMinutes, UsageState,
};
use crate::domain::{EventId, Operator, OrganizationId, Reason, UsageRecordId};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run};
use crate::operations::{charge, yearly_run};
use crate::store::event::Subject;
use crate::store::usage::{Columns, Target, UsageRecord};
use crate::store::{self, Conn};

/// Corrects a record. 422 for what is wrong with the new version, 409 as for a new record, and `already_invoiced` when the
/// price would change after the invoice.
pub async fn correct(
    run: &Run<UsageView>,
    id: UsageRecordId,
    correction: Result<Correction, AppError>,
) -> Outcome<UsageView> {
    let correction = match correction {
        Ok(correction) => correction,
        Err(fault) => return run.refuse::<UsageContext>(id, fault).await,
    };
    let intended = correction.clone();
    let claimed = move |conn: &mut Conn| claim(&store::usage::get(conn, id)?, &intended);
    clash::settle(&run.app, &run.actor, claimed, || {
        run.on(id, Ok(correction.clone()), rewrite)
    })
    .await
}

/// The place and the reference that the next version asks for.
fn claim(present: &UsageRecord, correction: &Correction) -> Result<Claim, AppError> {
    let next = corrected(present, correction)?;
    let unit = correction.organization_id;
    Ok(Claim {
        target: Target {
            instrument_id: present.instrument_id,
            channel: next.channel,
            slot: next.slot,
            except: Some(present.id),
        },
        unit: unit.unwrap_or(present.organization_id),
        client_reference: next.client_reference,
    })
}

/// The next version, checked.
struct Next {
    facts: UsageFacts,
    minutes: UsageMinutes,
    unit: OrganizationId,
}

fn rewrite(
    tx: &mut Conn,
    actor: &Actor,
    context: UsageContext,
    correction: &Correction,
) -> Result<UsageView, AppError> {
    let (record, ties_before) = (&context.record, context.ties);
    let next = check(tx, actor, record, correction)?;
    if next.is_said_by(record)? && !is_answer(record, correction) {
        return Ok(context.view(record.clone()));
    }
    let ties = BookingTies {
        organization_id: next.unit,
        ..ties_before
    };
    let state = record
        .state
        .after(UsageAction::Correct, is_own_use(&ties))?;
    let days = [day_of(record.ended_at), day_of(next.facts.slot.ends_at())];
    yearly_run::refuse_locked(tx, &days)?;
    let whose = |unit| (record.instrument_id, unit);
    let before = news::told(
        record.version,
        record.state,
        whose(record.organization_id),
        &facts_of(record)?,
        minutes_of(record),
    );
    let after = news::told(
        record.version + 1,
        state,
        whose(next.unit),
        &next.facts,
        next.minutes,
    );
    let texts = news::Texts::of(&next.facts, correction.reason.as_deref());
    let event =
        news::event(actor, Action::UsageRecordCorrect, record.id, &ties, texts)?.after(after)?;
    let event = if next.unit == record.organization_id {
        event.before(before)?
    } else {
        // What the record said of another unit is no news for this one; that one hears of it below.
        let left = news::event(
            actor,
            Action::UsageRecordCorrect,
            record.id,
            &ties_before,
            news::Texts::default(),
        )?
        .before(before)?;
        store::event::append(tx, &left)?;
        event
    };
    let event = store::event::append(tx, &event)?;
    let columns = Columns {
        state,
        reason: correction.reason.clone(),
        entered_at: Some(actor.now),
        entered_by: Some(actor.caller()?.user_id),
        event_id: event,
        updated_at: actor.now,
        ..next.columns(record)?
    };
    let written = store::usage::update(tx, record, columns).map_err(clash::conflict)?;
    charge::follow(tx, actor, &written, event)?;
    Ok(context.view(written))
}

/// Writes the next version of a record as an import tells it, whole, with the event of a correction. What it says was judged
/// before. Answers the event.
pub fn correct_as_told(
    tx: &mut Conn,
    actor: &Actor,
    (record, host): (&UsageRecord, OrganizationId),
    next: Columns,
) -> Result<EventId, AppError> {
    let subject = Subject::new("usage_record", record.id);
    let event = || actor.event(Action::UsageRecordCorrect, subject);
    let before = news::told_columns(record.version, &record.columns());
    let corrected = event()
        .of(host, Some(next.organization_id))
        .after(news::told_columns(record.version + 1, &next))?;
    let corrected = if next.organization_id == record.organization_id {
        corrected.before(before)?
    } else {
        // What the record said of another unit is no news for this one.
        let left = event()
            .of(host, Some(record.organization_id))
            .before(before)?;
        store::event::append(tx, &left)?;
        corrected
    };
    let event_id = store::event::append(tx, &corrected)?;
    let next = Columns { event_id, ..next };
    store::usage::update(tx, record, next).map_err(clash::conflict)?;
    Ok(event_id)
}

/// Everything that is wrong with the next version, at once.
fn check(
    tx: &mut Conn,
    actor: &Actor,
    record: &UsageRecord,
    correction: &Correction,
) -> Result<Next, AppError> {
    let facts = corrected(record, correction)?;
    let on = store::instrument::get(tx, record.instrument_id)?.capacity();
    let mut faults: Vec<Fault> = check_unit(tx, record, correction.organization_id)?;
    faults.extend(Reason::read(correction.reason.as_deref(), false).err());
    faults.extend(unknown_operator(tx, correction.operator.as_ref())?);
    let before = (&facts_of(record)?, minutes_of(record));
    match facts.check_corrected(on, actor.now, before) {
        Ok(minutes) if faults.is_empty() => Ok(Next {
            facts,
            minutes,
            unit: correction.organization_id.unwrap_or(record.organization_id),
        }),
        checked => {
            faults.extend(checked.err().unwrap_or_default());
            Err(faults.into())
        }
    }
}

/// A record that stands on a booking belongs to the unit that booked.
fn check_unit(
    tx: &mut Conn,
    record: &UsageRecord,
    unit: Option<OrganizationId>,
) -> Result<Vec<Fault>, AppError> {
    let Some(unit) = unit.filter(|unit| *unit != record.organization_id) else {
        return Ok(Vec::new());
    };
    if record.booking_id.is_some() {
        return Ok(vec![Fault::field("organization_id", Code::read_only)]);
    }
    let found = find_unit(tx, unit)?;
    Ok(found
        .is_none()
        .then(|| unknown("organization_id", unit.number()))
        .into_iter()
        .collect())
}

/// The host says with a reason that a disputed record stands: a version, though it says the same.
fn is_answer(record: &UsageRecord, correction: &Correction) -> bool {
    record.state == UsageState::Disputed && correction.reason.is_some()
}

impl Next {
    /// Whether the record says all this already.
    fn is_said_by(&self, record: &UsageRecord) -> Result<bool, AppError> {
        let facts = UsageFacts {
            minutes: GivenMinutes::default(),
            ..self.facts.clone()
        };
        Ok(self.unit == record.organization_id
            && self.minutes == minutes_of(record)
            && facts == facts_of(record)?)
    }

    fn columns(&self, present: &UsageRecord) -> Result<Columns, AppError> {
        let facts = &self.facts;
        let is_retimed = facts.slot != slot_of(present)? || self.minutes != minutes_of(present);
        Ok(Columns {
            organization_id: self.unit,
            channel: facts.channel,
            started_at: facts.slot.starts_at(),
            ended_at: facts.slot.ends_at(),
            prepare_minutes: self.minutes.prepare(),
            run_minutes: self.minutes.run(),
            post_minutes: self.minutes.post(),
            samples: facts.samples,
            mode: facts.mode,
            purpose: facts.purpose,
            statutory: facts.statutory,
            service_class: facts.context.service_class,
            project: facts.context.project.clone(),
            project_level: facts.context.project_level,
            operator: operator_column(facts.operator.as_ref())?,
            reference: facts.client_reference.clone().into(),
            evidence: present.evidence.corrected(is_retimed),
            ..present.columns()
        })
    }
}

/// What a record says after a correction. Operator, reference and project are the using unit's own: they do not go along to
/// another.
fn corrected(record: &UsageRecord, correction: &Correction) -> Result<UsageFacts, AppError> {
    let mut present = facts_of(record)?;
    let unit = correction.organization_id;
    if unit.is_some_and(|unit| unit != record.organization_id) {
        present.operator = None;
        present.client_reference = None;
        present.context.project = None;
        present.context.project_level = None;
    }
    let next = correction.onto(present);
    next.map_err(|fault| AppError::from(vec![fault]))
}

/// What a record says now.
fn facts_of(record: &UsageRecord) -> Result<UsageFacts, AppError> {
    let operator = record.operator.clone().map(|value| value.into_inner());
    let operator: Option<Operator> = operator.map(serde_json::from_value).transpose()?;
    Ok(UsageFacts {
        channel: record.channel,
        slot: slot_of(record)?,
        minutes: GivenMinutes::default(),
        samples: record.samples,
        mode: record.mode,
        purpose: record.purpose,
        statutory: record.statutory,
        operator,
        client_reference: record.client_reference.clone(),
        context: record.context(),
    })
}
