//! Creating an entry and changing what it says.

use super::check::{Rules, exemption_of};
use super::write::{self, Next};
use super::{Entry, admit_change, entry};
use crate::app::App;
use crate::domain::InstrumentId;
use crate::domain::access::{self, Action};
use crate::domain::fault::FieldFault;
use crate::domain::instrument::{InstrumentDeed, InstrumentFacts, InstrumentState};
use crate::error::{AppError, Fault};
use crate::operations::actor::Actor;
use crate::operations::run::{perform, same_version};
use crate::store::Lock;
use crate::store::instrument::Standing;

/// What a host says of an entry, with the faults of what could not be read: they are told together with those of the rules.
#[derive(Debug, Clone)]
pub struct Declared {
    pub facts: InstrumentFacts,
    pub faults: Vec<FieldFault>,
}

impl Declared {
    /// Refuses what is wrong, if anything is; what could not be read is not missing besides.
    fn judge(&self, mut broken: Vec<Fault>) -> Result<(), AppError> {
        let unread: Vec<Fault> = self.faults.iter().cloned().map(Fault::from).collect();
        broken.retain(|fault| unread.iter().all(|other| other.place != fault.place));
        broken.extend(unread);
        AppError::refuse_all(broken)
    }
}

/// Creates a draft of the caller's organization. 409 `asset_no_used` with `existing_id`.
pub async fn create(app: &App, actor: &Actor, declared: Declared) -> Result<Entry, AppError> {
    let (host, asset_no) = (
        actor.caller()?.organization_id,
        declared.facts.asset_no.clone(),
    );
    let (app_of_action, act_of_action) = (app.clone(), actor.clone());
    let outcome = perform(app, actor, move |tx| {
        access::may(act_of_action.caller()?, Action::InstrumentCreate)?;
        let today = act_of_action.now.local_date();
        let rules = Rules::read(tx, &app_of_action.config, today)?;
        declared.judge(rules.check_new(&declared.facts))?;
        let actor = act_of_action.clone();
        let created = write::insert(tx, &actor, host, &[&declared.facts])?.pop();
        entry(
            tx,
            created.ok_or_else(|| AppError::internal("no entry was written"))?,
        )
    })
    .await;
    write::naming_the_other(app, host, &asset_no, outcome).await
}

/// Makes the entry say what is declared, as the caller read it at `version`. A manager changes its texts only.
pub async fn change(
    app: &App,
    actor: &Actor,
    id: InstrumentId,
    version: Option<i64>,
    declared: Declared,
) -> Result<Entry, AppError> {
    let asset_no = declared.facts.asset_no.clone();
    let host = actor.caller()?.organization_id;
    let (app_of_action, act_of_action) = (app.clone(), actor.clone());
    let outcome = perform(app, actor, move |tx| {
        Lock::Instrument(id).take(tx)?;
        let (found, right) = admit_change(tx, act_of_action.caller()?, id)?;
        let present = found.instrument;
        same_version(version, present.version)?;
        let facts = match right {
            Action::InstrumentUpdate => declared.facts.clone(),
            _ => with_texts(present.facts(), &declared.facts),
        };
        let rules = Rules::read(tx, &app_of_action.config, act_of_action.now.local_date())?;
        let exemption = exemption_of(tx, &present)?;
        declared.judge(rules.check_change(&present, &facts, exemption))?;
        if present.state == InstrumentState::Retired {
            // Nothing leads out of it: the refusal names the state and that nothing is allowed.
            present.state.after(InstrumentDeed::Submit)?;
        }
        let next = Next {
            action: Action::InstrumentChange,
            facts: &facts,
            standing: &Standing::of(&present),
            reason: None,
            managers: None,
        };
        let actor = act_of_action.clone();
        let changed = write::update(tx, &actor, &present, &next)?;
        entry(tx, changed)
    })
    .await;
    write::naming_the_other(app, host, &asset_no, outcome).await
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
