//! What becomes of a stored pack: a draft is replaced or removed until a run uses it, put in force from a day by another person
//! than its uploader, and withdrawn for good.

use chrono::{Days, NaiveDate};

use super::{New, Sent, insert_fault, list_active, new_pack};
use crate::domain::access::Action;
use crate::domain::policy::{PolicyDecision, PolicyState};
use crate::domain::{PolicyId, Reason};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, Run, may};
use crate::operations::subject::{Subject as Noun, Ties};
use crate::store::event::{self, Subject};
use crate::store::policy::Pack;
use crate::store::{self, Conn, Lock};

/// How far ahead a pack may be put in force.
const AHEAD_DAYS_MAX: u64 = 3_660;

impl Noun for Pack {
    type Id = PolicyId;

    /// No run begins by it meanwhile.
    fn lock_and_load(tx: &mut Conn, _: &Actor, id: PolicyId) -> Result<Self, AppError> {
        Ok(store::policy::get_locked(tx, id)?)
    }

    fn load(conn: &mut Conn, _: &Actor, id: PolicyId) -> Result<Self, AppError> {
        Ok(store::policy::get(conn, id)?)
    }

    fn ties(&self) -> Ties {
        Ties::Nobody
    }

    fn version(&self) -> Option<i64> {
        Some(self.row_version)
    }
}

/// 409 `relation_in_use` unless it is a draft that no run used.
fn refuse_used(tx: &mut Conn, pack: &Pack) -> Result<(), AppError> {
    match pack.state == PolicyState::Draft && !store::policy::is_used(tx, pack.id)? {
        true => Ok(()),
        false => Err(AppError::conflict(Code::relation_in_use).with("state", pack.state.as_str())),
    }
}

/// Replaces the text of a draft that no run used; code and version stay.
pub async fn update(run: &Run<Pack>, id: PolicyId, sent: Result<Sent, AppError>) -> Outcome<Pack> {
    // A pack is not read for who may not store one.
    may(&run.actor, run.action)?;
    let new = sent.and_then(|sent| new_pack(sent, &run.actor));
    run.on(id, new, |tx, by, present: Pack, new| {
        let named = |field: &str| Fault::field(field, Code::read_only);
        let pack = &new.pack;
        let mut faults = Vec::new();
        if pack.code != present.code {
            faults.push(
                named("code")
                    .limit(present.code.as_str())
                    .actual(pack.code.as_str()),
            );
        }
        if pack.version != present.version {
            faults.push(named("version").limit(present.version).actual(pack.version));
        }
        AppError::refuse_all(faults)?;
        if pack.digest == present.digest {
            return Ok(present);
        }
        refuse_used(tx, &present)?;
        replace(tx, by, &present, new)
    })
    .await
}

fn replace(tx: &mut Conn, by: &Actor, present: &Pack, new: &New) -> Result<Pack, AppError> {
    store::policy::update_content(tx, present, &new.pack).map_err(insert_fault)?;
    let event = by
        .event(Action::PolicyUpdate, Subject::new("policy", present.id))
        .before(serde_json::json!({ "digest": present.digest }))?
        .after(serde_json::json!({
            "digest": new.pack.digest,
            "accepted_warnings": new.accepted,
        }))?;
    event::append(tx, &event)?;
    Ok(store::policy::get(tx, present.id)?)
}

/// Removes a draft that no run used.
pub async fn delete(run: &Run<()>, id: PolicyId, body: Result<(), AppError>) -> Outcome<()> {
    run.on(id, body, |tx, by, present: Pack, ()| {
        refuse_used(tx, &present)?;
        store::policy::delete(tx, &present)?;
        let before = serde_json::json!({
            "code": present.code, "version": present.version, "digest": present.digest,
        });
        let event = by.event(Action::PolicyDelete, Subject::new("policy", present.id));
        event::append(tx, &event.before(before)?)?;
        Ok(())
    })
    .await
}

/// Puts a draft in force, from today or a later day. 403 `second_person_required` for its uploader.
pub async fn put_in_force(
    run: &Run<Pack>,
    id: PolicyId,
    from_on: Result<Option<NaiveDate>, AppError>,
) -> Outcome<Pack> {
    run.on(id, from_on, |tx, by, present: Pack, from_on| {
        if present.created_by.is_some() && present.created_by == by.user_id() {
            return Err(AppError::Denied(Code::second_person_required));
        }
        let today = by.now.local_date();
        let latest = today.checked_add_days(Days::new(AHEAD_DAYS_MAX));
        let latest = latest.unwrap_or(today);
        let from_on = from_on.unwrap_or(today);
        if !(today..=latest).contains(&from_on) {
            let fault = Fault::field("from_on", Code::out_of_range);
            let limit = format!("{today}–{latest}");
            return Err(fault.limit(limit).actual(from_on.to_string()).into());
        }
        present.state.after(PolicyDecision::PutInForce)?;
        enforce(tx, by, &present, from_on)
    })
    .await
}

/// The pack rules from that day on.
pub(super) fn enforce(
    tx: &mut Conn,
    by: &Actor,
    present: &Pack,
    from_on: NaiveDate,
) -> Result<Pack, AppError> {
    store::policy::update_to_in_force(tx, present, from_on, by.user_id())?;
    let after = serde_json::json!({ "state": PolicyState::InForce, "from_on": from_on });
    moved(tx, by, (present, Action::PolicyPutInForce), after)
}

/// 409 `last_policy` of the only pack that says what is to be registered: without one nothing can be registered or counted.
fn refuse_last(tx: &mut Conn, pack: &Pack, today: NaiveDate) -> Result<(), AppError> {
    Lock::PoliciesInForce.take(tx)?;
    match list_active(tx, today)?.as_slice() {
        [only] if only.id == pack.id => {
            Err(AppError::conflict(Code::last_policy).with("state", pack.state.as_str()))
        }
        _ => Ok(()),
    }
}

/// Withdraws a pack in force: nothing new follows it, and it never comes back. 409 `last_policy` of the only one that
/// registrations can follow.
pub async fn withdraw(
    run: &Run<Pack>,
    id: PolicyId,
    reason: Result<Option<String>, AppError>,
) -> Outcome<Pack> {
    run.on(id, reason, |tx, by, present: Pack, reason| {
        let reason = Reason::read(reason.as_deref(), true)?;
        let reason = reason.map(String::from).unwrap_or_default();
        present.state.after(PolicyDecision::Withdraw)?;
        refuse_last(tx, &present, by.now.local_date())?;
        store::policy::update_to_withdrawn(tx, &present, &reason)?;
        let after = serde_json::json!({ "state": PolicyState::Withdrawn, "reason": reason });
        moved(tx, by, (&present, Action::PolicyWithdraw), after)
    })
    .await
}

fn moved(
    tx: &mut Conn,
    by: &Actor,
    (present, action): (&Pack, Action),
    after: serde_json::Value,
) -> Result<Pack, AppError> {
    let event = by
        .event(action, Subject::new("policy", present.id))
        .before(serde_json::json!({ "state": present.state }))?
        .after(after)?;
    event::append(tx, &event)?;
    Ok(store::policy::get(tx, present.id)?)
}
