//! Who hears of an event, by the audience in its action's row: active people, with the roles they have when it is told.
//! Whoever did it has the answer in hand and hears nothing.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::access::{Audience, Role};
use crate::domain::{BookingId, InstrumentId, OrganizationId, RegionCode, UsageRecordId, UserId};
use crate::error::AppError;
use crate::store::booking::Booking;
use crate::store::event::Event;
use crate::store::user::{Member, Supervisor};
use crate::store::{self, Conn, StoreError};

type Hearers = BTreeSet<UserId>;

/// The people looked up for a batch of events.
#[derive(Debug, Default)]
pub(super) struct People {
    members: BTreeMap<OrganizationId, Vec<Member>>,
    managers: BTreeMap<InstrumentId, Vec<UserId>>,
    supervisors: Option<Vec<Supervisor>>,
}

impl People {
    pub fn hearing(
        &mut self,
        conn: &mut Conn,
        audience: Audience,
        event: &Event,
    ) -> Result<Hearers, AppError> {
        let mut hearers = match self.meant(conn, audience, event) {
            // Of what is not there any more nobody is told, and the trail goes on.
            Err(AppError::NotFound) => Hearers::new(),
            found => found?,
        };
        if let Some(actor) = event.actor_user_id {
            hearers.remove(&actor);
        }
        Ok(hearers)
    }

    fn meant(
        &mut self,
        conn: &mut Conn,
        audience: Audience,
        event: &Event,
    ) -> Result<Hearers, AppError> {
        match audience {
            Audience::Nobody => Ok(Hearers::new()),
            Audience::UsingUnit => self.using_unit(conn, event),
            Audience::Host => self.host(conn, event),
            Audience::BothSides => Ok(&self.using_unit(conn, event)? | &self.host(conn, event)?),
            Audience::NewManagers => self.new_managers(conn, event),
            Audience::HostAdmins => self.of_event(conn, event, &[Role::HostAdmin]),
            Audience::Heads => self.of_event(conn, event, &[Role::HostAdmin, Role::UnitAdmin]),
            Audience::UnitAdmins => {
                let sides = [event.organization_id, event.counterpart_organization_id];
                let mut hearers = Hearers::new();
                for side in sides.into_iter().flatten() {
                    hearers.extend(self.with_roles(conn, side, &[Role::UnitAdmin])?);
                }
                Ok(hearers)
            }
            Audience::Member => {
                let user = subject(event)?;
                let is_active = store::user::is_active(conn, user)?;
                Ok(is_active.then_some(user).into_iter().collect())
            }
            Audience::Evaluator => evaluator(conn, event),
            Audience::Objector => objector(conn, event),
            Audience::Supervisor => self.supervisor(conn, event),
            Audience::Province => self.supervising(conn, RegionCode::HEBEI),
            Audience::HeadsOrSupervisor => self.heads_or_supervisor(conn, event),
            Audience::HostMoney => self.host_money(conn, event),
            Audience::Money => self.money(conn, event),
        }
    }

    /// Who booked, if still a member, and the using unit's administrators.
    fn using_unit(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let unit = event.counterpart_organization_id.or(event.organization_id);
        let unit = unit.ok_or(AppError::NotFound)?;
        let booker = booked_by(conn, event)?;
        let mut hearers = self.with_roles(conn, unit, &[Role::UnitAdmin])?;
        if let Some(booker) = booker
            && self.is_member(conn, unit, booker)?
        {
            hearers.insert(booker);
        }
        Ok(hearers)
    }

    /// The managers who can act, else the host's administrators; of both instruments where a booking goes from one to another.
    fn host(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let before = event.before.as_deref().and_then(instrument_named);
        let mut instruments: Vec<InstrumentId> = before.into_iter().collect();
        match event.after.as_deref().and_then(instrument_named) {
            Some(after) if Some(after) != before => instruments.push(after),
            _ => {}
        }
        if event.subject_type == "instrument" || instruments.is_empty() {
            instruments = vec![instrument_of(conn, event)?];
        }
        let mut hearers = Hearers::new();
        for instrument in instruments {
            hearers.extend(self.host_of(conn, event, instrument)?);
        }
        Ok(hearers)
    }

    fn host_of(
        &mut self,
        conn: &mut Conn,
        event: &Event,
        instrument: InstrumentId,
    ) -> Result<Hearers, AppError> {
        let managers = match self.managers.entry(instrument) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) => {
                empty.insert(store::instrument::list_acting_managers(conn, instrument)?)
            }
        };
        let managers: Hearers = managers.iter().copied().collect();
        if managers.is_empty() {
            return self.of_event(conn, event, &[Role::HostAdmin]);
        }
        Ok(managers)
    }

    /// The host's finance, else its administrators; and the administrators of whoever pays.
    fn host_money(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let finance = self.of_event(conn, event, &[Role::HostFinance])?;
        match finance.is_empty() {
            true => self.of_event(conn, event, &[Role::HostAdmin]),
            false => Ok(finance),
        }
    }

    fn money(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let mut hearers = self.host_money(conn, event)?;
        let payer = event.counterpart_organization_id.or(event.organization_id);
        if let Some(payer) = payer {
            hearers.extend(self.with_roles(conn, payer, &[Role::UnitAdmin])?);
        }
        Ok(hearers)
    }

    fn new_managers(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let host = event.organization_id.ok_or(AppError::NotFound)?;
        let listed = |facts: Option<&Value>| -> Vec<UserId> {
            let ids = facts.and_then(|facts| facts.get("manager_ids")).cloned();
            ids.and_then(|ids| serde_json::from_value(ids).ok())
                .unwrap_or_default()
        };
        let before = listed(event.before.as_deref());
        let mut hearers = Hearers::new();
        for manager in listed(event.after.as_deref()) {
            if !before.contains(&manager) && self.is_member(conn, host, manager)? {
                hearers.insert(manager);
            }
        }
        Ok(hearers)
    }

    /// Those whom the administration corrected; the administration of those who are to be verified again.
    fn heads_or_supervisor(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        if event.actor_organization_id != event.organization_id {
            return self.of_event(conn, event, &[Role::HostAdmin, Role::UnitAdmin]);
        }
        let state = |facts: Option<&Value>| facts.and_then(|facts| facts.get("state")).cloned();
        if state(event.before.as_deref()) == state(event.after.as_deref()) {
            return Ok(Hearers::new());
        }
        self.supervisor(conn, event)
    }

    /// The administration that supervises the organization of the event.
    fn supervisor(&mut self, conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
        let organization = event.organization_id.ok_or(AppError::NotFound)?;
        let region = store::organization::get(conn, organization)?.supervising_region_code;
        self.supervising(conn, region)
    }

    fn supervising(&mut self, conn: &mut Conn, region: RegionCode) -> Result<Hearers, AppError> {
        if self.supervisors.is_none() {
            self.supervisors = Some(store::user::list_supervisors(conn)?);
        }
        let all = self.supervisors.iter().flatten();
        let covering = all.filter(|office| office.covers(region));
        Ok(covering.map(|office| office.id).collect())
    }

    /// People with these roles in the organization of the event; nobody where it has none.
    fn of_event(
        &mut self,
        conn: &mut Conn,
        event: &Event,
        roles: &[Role],
    ) -> Result<Hearers, AppError> {
        match event.organization_id {
            Some(organization) => self.with_roles(conn, organization, roles),
            None => Ok(Hearers::new()),
        }
    }

    fn with_roles(
        &mut self,
        conn: &mut Conn,
        organization: OrganizationId,
        roles: &[Role],
    ) -> Result<Hearers, AppError> {
        let members = self.members_of(conn, organization)?.iter();
        let holding = members.filter(|member| member.roles.iter().any(|role| roles.contains(role)));
        Ok(holding.map(|member| member.id).collect())
    }

    fn is_member(
        &mut self,
        conn: &mut Conn,
        organization: OrganizationId,
        user: UserId,
    ) -> Result<bool, AppError> {
        let members = self.members_of(conn, organization)?;
        Ok(members.iter().any(|member| member.id == user))
    }

    fn members_of(
        &mut self,
        conn: &mut Conn,
        organization: OrganizationId,
    ) -> Result<&[Member], AppError> {
        Ok(match self.members.entry(organization) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(empty) => empty.insert(store::user::list_active(conn, organization)?),
        })
    }
}

fn subject<T: TryFrom<i64>>(event: &Event) -> Result<T, AppError> {
    T::try_from(event.subject_id).map_err(|_| AppError::NotFound)
}

/// The booking an event is about, or the one its usage record stands on.
fn booking_of(conn: &mut Conn, event: &Event) -> Result<Option<Booking>, AppError> {
    let id: Option<BookingId> = match event.subject_type.as_str() {
        "booking" => Some(subject(event)?),
        "usage_record" => {
            let record: UsageRecordId = subject(event)?;
            store::usage::get(conn, record)?.booking_id
        }
        _ => None,
    };
    Ok(match id {
        Some(id) => Some(store::booking::get(conn, id)?),
        None => None,
    })
}

fn booked_by(conn: &mut Conn, event: &Event) -> Result<Option<UserId>, AppError> {
    Ok(booking_of(conn, event)?.map(|booking| booking.booked_by))
}

/// The evaluator whom the facts of an event name.
fn evaluator(conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
    let named = event
        .after
        .as_deref()
        .and_then(|facts| facts.get("evaluator_user_id")?.as_i64());
    let user = named
        .and_then(|id| UserId::try_from(id).ok())
        .ok_or(AppError::NotFound)?;
    let is_active = store::user::is_active(conn, user)?;
    Ok(is_active.then_some(user).into_iter().collect())
}

fn objector(conn: &mut Conn, event: &Event) -> Result<Hearers, AppError> {
    let user = store::objection::get(conn, subject(event)?)?.created_by;
    let is_active = store::user::is_active(conn, user)?;
    Ok(is_active.then_some(user).into_iter().collect())
}

/// The instrument of an event: its subject, named in its facts, or the record's.
fn instrument_of(conn: &mut Conn, event: &Event) -> Result<InstrumentId, AppError> {
    if event.subject_type == "instrument" {
        return subject(event);
    }
    let facts = [&event.before, &event.after].into_iter().flatten();
    if let Some(id) = facts.filter_map(|facts| instrument_named(facts)).next() {
        return Ok(id);
    }
    match event.subject_type.as_str() {
        "usage_record" => Ok(store::usage::get(conn, subject(event)?)?.instrument_id),
        _ => Err(StoreError::NotFound.into()),
    }
}

/// The instrument that facts of an event name.
fn instrument_named(facts: &Value) -> Option<InstrumentId> {
    facts.get("instrument_id")?.as_i64()?.try_into().ok()
}
