//! How a version of an entry is written: with the event that makes it. Who may write it and whether it is right was decided
//! before.

use serde_json::{Map, Value, json};

use crate::domain::access::Action;
use crate::domain::booking_rules::RulesInForce;
use crate::domain::instrument::InstrumentFacts;
use crate::domain::{InstrumentId, OrganizationId, TypedKey, UserId};
use crate::error::{AppError, Code};
use crate::operations::actor::Actor;
use crate::operations::run::{Outcome, personal};
use crate::store::event::{NewEvent, Subject};
use crate::store::instrument::{Instrument, Standing, Version};
use crate::store::{self, Conn, Constraint, Lock, StoreError};

/// Writes a new entry, a draft, with the booking rules every instrument begins with. 409 `asset_no_used`.
pub(super) fn insert(
    tx: &mut Conn,
    actor: &Actor,
    host: OrganizationId,
    facts: &InstrumentFacts,
) -> Result<Instrument, AppError> {
    let rules = first_rules(tx, host)?;
    Lock::RecordsShared.take(tx)?;
    refuse_used(tx, host, &facts.asset_no)?;
    let region = store::organization::get(tx, host)?.region_code;
    let id = store::instrument::reserve_id(tx)?;
    let event = store::event::append(tx, &creation(actor, host, id, facts)?)?;
    let first = Version {
        facts,
        region: Some(region),
        standing: &Standing::draft(),
        now: actor.now,
    };
    let first = first.first(id, host, event);
    store::instrument::insert(tx, &first).map_err(refusal)?;
    store::booking_rules::insert(tx, &[id], &rules, actor.now)?;
    Ok(first)
}

/// The booking rules an instrument begins with: those of its unit, which do not change meanwhile.
fn first_rules(tx: &mut Conn, host: OrganizationId) -> Result<RulesInForce, AppError> {
    Lock::Organization(host).take(tx)?;
    let (of_unit, _) = store::booking_rules::get_of_unit(tx, host)?;
    Ok(RulesInForce::inheriting(&of_unit.rules))
}

/// The event of a new entry, a draft.
pub(super) fn creation(
    actor: &Actor,
    host: OrganizationId,
    id: InstrumentId,
    facts: &InstrumentFacts,
) -> Result<NewEvent, AppError> {
    let told = content(facts, &Standing::draft())?;
    let event = actor
        .event(Action::InstrumentCreate, Subject::new("instrument", id))
        .of(host, None)
        .after(&told.public)?;
    Ok(event.personal(personal(&told.personal)?))
}

/// What the next version of an entry says, which action makes it and why.
#[derive(Debug)]
pub(super) struct Next<'a> {
    pub action: Action,
    pub facts: &'a InstrumentFacts,
    pub standing: &'a Standing,
    pub reason: Option<&'a str>,
    /// The managers before and after, where the action is about them.
    pub managers: Option<(&'a [UserId], &'a [UserId])>,
}

/// Writes the next version of an entry; the event tells what differs. 409 `asset_no_used`.
pub(super) fn update(
    tx: &mut Conn,
    actor: &Actor,
    present: &Instrument,
    next: &Next<'_>,
) -> Result<Instrument, AppError> {
    Lock::RecordsShared.take(tx)?;
    if !next.facts.asset_no.means(&present.facts.asset_no) {
        refuse_used(tx, present.organization_id, &next.facts.asset_no)?;
    }
    let event = differing(actor, present, next)?;
    let event = store::event::append(tx, &event)?;
    let version = Version {
        facts: next.facts,
        region: present.facts.region_code,
        standing: next.standing,
        now: actor.now,
    };
    store::instrument::update(tx, present, &version, event).map_err(refusal)
}

/// Makes an entry say what an import tells of it, in a version of its own. What it says was judged before.
pub fn correct_as_told(
    tx: &mut Conn,
    actor: &Actor,
    present: &Instrument,
    (facts, standing): (&InstrumentFacts, &Standing),
) -> Result<(), AppError> {
    let next = Next {
        action: Action::InstrumentChange,
        facts,
        standing,
        reason: None,
        managers: None,
    };
    update(tx, actor, present, &next)?;
    Ok(())
}

/// Takes an entry away with all that belongs to it; the event tells what it said.
pub(super) fn delete(tx: &mut Conn, actor: &Actor, present: &Instrument) -> Result<(), AppError> {
    let said = content(&present.facts, &present.standing)?;
    let event = actor
        .event(
            Action::InstrumentDelete,
            Subject::new("instrument", present.id),
        )
        .of(present.organization_id, None)
        .before(said.public)?
        .personal(personal(json!({"before": said.personal}))?);
    store::event::append(tx, &event)?;
    Ok(store::instrument::delete(tx, present.id)?)
}

/// Refuses a number that another instrument of the host has, and names that one.
fn refuse_used(tx: &mut Conn, host: OrganizationId, asset_no: &TypedKey) -> Result<(), AppError> {
    match store::instrument::find_by_asset_no(tx, host, asset_no)? {
        Some(other) => {
            let used = AppError::conflict(Code::asset_no_used);
            Err(used.with(EXISTING, other.id.number()))
        }
        None => Ok(()),
    }
}

/// The member of a conflict that names the instrument with the number.
const EXISTING: &str = "existing_id";

/// The constraint is the judge: another action took the number meanwhile.
fn refusal(error: StoreError) -> AppError {
    match error {
        StoreError::Violated(Constraint::InstrumentAssetNo) => {
            AppError::conflict(Code::asset_no_used)
        }
        other => other.into(),
    }
}

/// Runs an action once more when another one took the number while it ran: now its instrument can be named.
pub(super) async fn again_when_outrun<T, F>(run: impl Fn() -> F) -> Outcome<T>
where
    F: Future<Output = Outcome<T>>,
{
    match run().await {
        Err(AppError::Conflict(conflict))
            if conflict.code == Code::asset_no_used && !conflict.members.contains_key(EXISTING) =>
        {
            run().await
        }
        outcome => outcome,
    }
}

/// The event of a next version: what differs.
pub(super) fn differing(
    actor: &Actor,
    present: &Instrument,
    next: &Next<'_>,
) -> Result<NewEvent, AppError> {
    let before = content(&present.facts, &present.standing)?;
    let after = content(next.facts, next.standing)?;
    let mut texts = json!({"before": before.personal, "after": after.personal});
    if before.personal == after.personal {
        texts = json!({});
    }
    if let (Some(reason), Some(texts)) = (next.reason, texts.as_object_mut()) {
        texts.insert("reason".to_owned(), reason.into());
    }
    let (mut before, mut after) = only_differences(before.public, after.public);
    if let Some((old, new)) = next.managers {
        before.insert("manager_ids".to_owned(), json!(old));
        after.insert("manager_ids".to_owned(), json!(new));
    }
    let event = actor
        .event(next.action, Subject::new("instrument", present.id))
        .of(present.organization_id, None)
        .before(before)?
        .after(after)?;
    Ok(match texts.as_object() {
        Some(texts) if !texts.is_empty() => event.personal(personal(texts)?),
        _ => event,
    })
}

/// What an event says of an entry: the contact is a person's, and the free texts may name somebody, so they stand apart and
/// can be erased.
struct Content {
    public: Map<String, Value>,
    personal: Value,
}

/// The members of an entry that people fill with words of their own.
const APART: [&str; 2] = ["public_contact", "location"];
/// The same within its description.
const APART_IN_DESCRIPTION: [&str; 4] =
    ["technical", "functions", "service_content", "user_notice"];

fn content(facts: &InstrumentFacts, standing: &Standing) -> Result<Content, AppError> {
    let mut public = match serde_json::to_value(facts)? {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut personal = taken_out(&mut public, &APART);
    if let Some(Value::Object(description)) = public.get_mut("description") {
        personal.extend(taken_out(description, &APART_IN_DESCRIPTION));
    }
    public.insert("state".to_owned(), standing.state.as_str().into());
    Ok(Content {
        public,
        personal: Value::Object(personal),
    })
}

fn taken_out(members: &mut Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let taken = |name: &&str| Some(((*name).to_owned(), members.remove(*name)?));
    names.iter().filter_map(taken).collect()
}

fn only_differences(
    mut before: Map<String, Value>,
    mut after: Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    before.retain(|name, value| {
        let is_same = after.get(name) == Some(value);
        if is_same {
            after.remove(name);
        }
        !is_same
    });
    (before, after)
}
