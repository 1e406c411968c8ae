//! Creating an entry and changing what it says.

use super::check::{Rules, exemption_of};
use super::write::{self, Next};
use super::{Changed, Entry, InstrumentContext, entry};
use crate::domain::InstrumentId;
use crate::domain::access::Action;
use crate::domain::instrument::{InstrumentAction, InstrumentFacts, InstrumentState};
use crate::error::{AppError, Code, Fault};
use crate::operations::actor::Actor;
use crate::operations::booking::{Before, Change, Impact, Treatment};
use crate::operations::run::{Outcome, Run, may};
use crate::operations::subject::{Subject, authorize};
use crate::store::{self, Conn};

/// What a host says of an entry, with the faults of what could not be read: they are told together with those of the rules.
#[derive(Debug, Clone)]
pub struct Declared {
    pub facts: InstrumentFacts,
    pub faults: Vec<Fault>,
}

impl Declared {
    /// Refuses what is wrong, if anything is; what could not be read is not missing besides.
    fn judge(&self, mut broken: Vec<Fault>) -> Result<(), AppError> {
        let unread = self.faults.clone();
        broken.retain(|fault| unread.iter().all(|other| other.place != fault.place));
        broken.extend(unread);
        AppError::refuse_all(broken)
    }
}

/// How much of an entry somebody may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Whole,
    /// Functions, service content, notices and contact: what its managers change.
    Texts,
}

impl Scope {
    fn of(actor: &Actor, context: &InstrumentContext) -> Self {
        match authorize(actor, Action::InstrumentUpdate, &context.ties()) {
            Ok(()) => Scope::Whole,
            Err(_) => Scope::Texts,
        }
    }
}

/// What a change makes an entry say, with the faults of its read-only fields.
pub type ReadChange<B> = fn(&Entry, Scope, &B) -> Result<(Declared, Vec<Fault>), AppError>;

/// Creates a draft of the caller's organization. 409 `asset_no_used` with `existing_id`.
pub async fn create(run: &Run<Entry>, declared: Result<Declared, AppError>) -> Outcome<Entry> {
    may(&run.actor, run.action)?;
    let declared = declared?;
    write::again_when_outrun(|| {
        run.with(
            Ok(declared.clone()),
            move |tx, actor, declared: &Declared| {
                let rules = Rules::read(tx, actor.now.local_date())?;
                declared.judge(rules.check_new(&declared.facts))?;
                let host = actor.caller()?.organization_id;
                let created = write::insert(tx, actor, host, &declared.facts)?;
                entry(tx, created)
            },
        )
    })
    .await
}

/// Deletes a draft with all that belongs to it; its number is free again. 409 `invalid_state` once it was submitted or used.
pub async fn delete(run: &Run<()>, id: InstrumentId, body: Result<(), AppError>) -> Outcome<()> {
    run.on(id, body, |tx, actor, context: InstrumentContext, ()| {
        let present = &context.instrument;
        let is_draft = present.standing.state == InstrumentState::Draft;
        if !is_draft || store::instrument::is_used(tx, present.id)? {
            return Err(AppError::conflict(Code::invalid_state)
                .with("state", present.standing.state.as_str())
                .with("allowed", Vec::<&str>::new()));
        }
        write::delete(tx, actor, present)
    })
    .await
}

/// Makes the entry say what `read` makes of what was sent. A manager changes its texts only. Fewer channels than bookings have
/// need a word about these: 409 `bookings_affected`.
pub async fn change<B: Clone + Send + 'static>(
    run: &Run<Changed>,
    id: InstrumentId,
    sent: Result<B, AppError>,
    read: ReadChange<B>,
    treatment: Treatment,
) -> Outcome<Changed> {
    let sent = match sent {
        Ok(sent) => sent,
        Err(fault) => return run.refuse::<InstrumentContext>(id, fault).await,
    };
    write::again_when_outrun(|| {
        run.change(
            id,
            Ok(sent.clone()),
            move |tx, actor, context: &InstrumentContext, sent| {
                let entry = entry(tx, context.instrument.clone())?;
                read(&entry, Scope::of(actor, context), sent)
            },
            move |tx, actor, context, declared| put(tx, actor, (&context, declared), treatment),
        )
    })
    .await
}

fn put(
    tx: &mut Conn,
    actor: &Actor,
    (context, declared): (&InstrumentContext, &Declared),
    treatment: Treatment,
) -> Result<Changed, AppError> {
    let present = &context.instrument;
    let facts = match Scope::of(actor, context) {
        Scope::Whole => declared.facts.clone(),
        Scope::Texts => with_texts(present.facts.clone(), &declared.facts),
    };
    let is_retired = present.standing.state == InstrumentState::Retired;
    if facts == present.facts && declared.faults.is_empty() && !is_retired {
        // Nothing is changed, so nothing is judged.
        return Ok(Changed {
            entry: entry(tx, present.clone())?,
            impact: Impact::default(),
        });
    }
    let rules = Rules::read(tx, actor.now.local_date())?;
    let exemption = exemption_of(tx, present)?;
    declared.judge(rules.check_change(present, &facts, exemption))?;
    if is_retired {
        // Nothing leads out of it: the refusal names the state and that nothing is allowed.
        present.standing.state.after(InstrumentAction::Submit)?;
    }
    let next = Next {
        action: Action::InstrumentChange,
        facts: &facts,
        standing: &present.standing,
        reason: None,
        managers: None,
    };
    let before = match concerns_bookings(&present.facts, &facts) {
        true => Some(Before::of(tx, present.id)?),
        false => None,
    };
    let changed = write::update(tx, actor, present, &next)?;
    let change = Change {
        must_be_said: |codes| codes.contains(&Code::channel_withdrawn),
        ..Change::default()
    };
    let impact = match before {
        Some(before) => before.settle(tx, actor, treatment, &change)?,
        None => Impact::default(),
    };
    Ok(Changed {
        entry: entry(tx, changed)?,
        impact,
    })
}

/// Whether bookings that stand are judged by what differs.
pub(super) fn concerns_bookings(before: &InstrumentFacts, after: &InstrumentFacts) -> bool {
    (before.channels, before.share_mode) != (after.channels, after.share_mode)
}

/// What a manager may say otherwise: functions, service content, notices and contact.
fn with_texts(present: InstrumentFacts, said: &InstrumentFacts) -> InstrumentFacts {
    let mut facts = present;
    let (texts, new) = (&mut facts.description, &said.description);
    texts.technical.clone_from(&new.technical);
    texts.functions.clone_from(&new.functions);
    texts.service_content.clone_from(&new.service_content);
    texts.user_notice.clone_from(&new.user_notice);
    facts.public_contact.clone_from(&said.public_contact);
    facts
}
