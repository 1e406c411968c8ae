//! The judged rows of an instrument import: what they were judged by, their versions and events in finished form, and how
//! these come in.

use std::collections::HashMap;

use super::super::change::concerns_bookings;
use super::super::write::{self, Next};
use super::{Imported, Step};
use crate::domain::access::Action;
use crate::domain::exemption::ExemptionState;
use crate::domain::{InstrumentId, OrganizationId, RegionCode};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::booking::settle_facts;
use crate::operations::table_import::{Plan, ROWS_A_COMMIT};
use crate::store::event::NewEvent;
use crate::store::instrument::{Instrument, Standing, Version};
use crate::store::staged::{self, Batch, EventIds, StagedImportId, StagedInstrument};
use crate::store::{self, Conn, Lock, StoreError};

/// What rows are judged by besides the entries they name; the entries have versions of their own.
#[derive(PartialEq, Eq)]
pub(super) struct Basis {
    host: OrganizationId,
    /// Where an entry stands that names no place.
    region: RegionCode,
    /// The newest request for an exemption, of each entry that has one.
    exemptions: HashMap<InstrumentId, ExemptionState>,
}

impl Basis {
    pub(super) fn read(conn: &mut Conn, host: OrganizationId) -> Result<Self, AppError> {
        Ok(Self {
            host,
            region: store::organization::get(conn, host)?.region_code,
            exemptions: store::exemption::list_newest(conn, host)?,
        })
    }

    pub(super) fn exemption_of(&self, entry: InstrumentId) -> Option<ExemptionState> {
        self.exemptions.get(&entry).copied()
    }
}

pub(super) struct ImportPlan {
    actor: Actor,
    basis: Basis,
    steps: Vec<Step>,
}

impl ImportPlan {
    pub(super) fn new(actor: &Actor, basis: Basis, steps: Vec<Step>) -> Self {
        Self {
            actor: actor.clone(),
            basis,
            steps,
        }
    }

    /// The entries that get another version.
    fn changed(&self) -> impl Iterator<Item = InstrumentId> {
        self.steps.iter().filter_map(|step| match step {
            Step::Update(present, _) => Some(present.id),
            Step::Create(_) | Step::Leave(_) => None,
        })
    }

    /// The version a row comes to, with the event that makes it; it names no event yet.
    fn version_of<'a>(
        &self,
        step: &Step,
        new_ids: &mut impl Iterator<Item = &'a InstrumentId>,
    ) -> Result<(NewEvent, Instrument), AppError> {
        let to_come = StagedInstrument::event_to_come()?;
        let version = |facts, region, standing| Version {
            facts,
            region,
            standing,
            now: self.actor.now,
        };
        match step {
            Step::Create(facts) => {
                let id = new_ids.next().copied().ok_or(StoreError::NotFound)?;
                let (host, standing) = (self.basis.host, &Standing::draft());
                let event = write::creation(&self.actor, host, id, facts)?;
                let whole =
                    version(facts, Some(self.basis.region), standing).first(id, host, to_come);
                Ok((event, whole))
            }
            Step::Update(present, facts) => {
                let standing = &present.standing;
                let next = Next {
                    action: Action::InstrumentChange,
                    facts,
                    standing,
                    reason: None,
                    managers: None,
                };
                let event = write::differing(&self.actor, present, &next)?;
                let region = present.facts.region_code;
                let whole = version(facts, region, standing).after(present, to_come);
                Ok((event, whole))
            }
            Step::Leave(_) => Err(StoreError::NotFound.into()),
        }
    }

    pub(super) fn counted(&self) -> Imported {
        let mut imported = Imported::default();
        for step in &self.steps {
            match step {
                Step::Create(_) => imported.created += 1,
                Step::Update(..) => imported.updated += 1,
                Step::Leave(_) => imported.unchanged += 1,
            }
        }
        imported
    }
}

impl Plan for ImportPlan {
    type Answer = Imported;
    /// Of the new entries, in the order of the rows.
    type Ids = Vec<InstrumentId>;

    fn reserve(&self, tx: &mut Conn) -> Result<Vec<InstrumentId>, AppError> {
        let created = self.counted().created;
        Ok(store::bulk::reserve_for_good(tx, "instrument", created)?)
    }

    fn finish(
        &self,
        import: StagedImportId,
        ids: &Vec<InstrumentId>,
    ) -> Result<(Vec<Batch>, usize), AppError> {
        let (mut ids, mut position) = (ids.iter(), 0);
        let mut batches = Vec::new();
        let written = self.steps.iter().filter(|step| step.is_written());
        let written: Vec<&Step> = written.collect();
        for steps in written.chunks(ROWS_A_COMMIT) {
            let mut batch = Batch::default();
            for step in steps {
                position += 1;
                let (event, whole) = self.version_of(step, &mut ids)?;
                batch.events.push((position, event));
                let staged = StagedInstrument::of(import, position, &whole)?;
                batch.instruments.push(staged);
            }
            batches.push(batch);
        }
        Ok((batches, written.len()))
    }

    fn stands(&self, tx: &mut Conn) -> Result<bool, AppError> {
        Lock::Organization(self.basis.host).take(tx)?;
        Lock::RecordsShared.take(tx)?;
        if Basis::read(tx, self.basis.host)? != self.basis {
            return Ok(false);
        }
        // Those that are changed are judged by the change itself.
        let left = self.steps.iter().filter_map(|step| match step {
            Step::Leave(present) => Some((present.id, present.version)),
            Step::Create(_) | Step::Update(..) => None,
        });
        let left: HashMap<InstrumentId, i64> = left.collect();
        let ids: Vec<InstrumentId> = left.keys().copied().collect();
        let present = store::instrument::list_present(tx, &ids)?;
        Ok(left == present.into_iter().collect())
    }

    fn move_in(
        &self,
        tx: &mut Conn,
        import: StagedImportId,
        created: &Vec<InstrumentId>,
        events: &EventIds,
    ) -> Result<(), StoreError> {
        if !created.is_empty() {
            let (of_unit, _) = store::booking_rules::get_of_unit(tx, self.basis.host)?;
            staged::insert_instruments(tx, import, events, &of_unit.rules)?;
        }
        staged::update_instruments(tx, import, events, self.changed().count())
    }

    fn follow(&self, tx: &mut Conn) -> Result<(), AppError> {
        for step in &self.steps {
            let Step::Update(present, facts) = step else {
                continue;
            };
            if concerns_bookings(&present.facts, facts) {
                let before = (present.facts.channels, present.facts.share_mode);
                settle_facts(tx, &self.actor, present.id, before)?;
            }
        }
        Ok(())
    }

    fn answer(&self) -> Imported {
        self.counted()
    }
}
