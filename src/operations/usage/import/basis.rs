//! What the rows of a usage import were judged and priced by. The last transaction reads it again, under the locks of the
//! instruments: what differs has the rows judged anew.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::super::day_of;
use super::rows::Checked;
use crate::domain::certification::SmeDays;
use crate::domain::tariff::Tariff;
use crate::domain::{InstrumentId, OrganizationId, TariffId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::yearly_run;
use crate::store::organization::Organization;
use crate::store::{self, Conn};

/// The present versions of all that rows refer to.
#[derive(PartialEq, Eq)]
pub(super) struct Basis {
    instruments: BTreeMap<InstrumentId, i64>,
    organizations: BTreeMap<OrganizationId, i64>,
    sme_days: BTreeMap<OrganizationId, SmeDays>,
    /// What the caller manages, which may be the right to record.
    managed: BTreeSet<InstrumentId>,
    tariffs: BTreeMap<InstrumentId, Vec<(TariffId, Tariff)>>,
    days: BTreeSet<NaiveDate>,
    /// Those of them that final runs counted.
    locked: Vec<NaiveDate>,
}

impl Basis {
    /// Of these rows, with the units that use the instruments.
    pub(super) fn of(
        conn: &mut Conn,
        actor: &Actor,
        rows: &[Checked],
    ) -> Result<(Self, BTreeMap<OrganizationId, Organization>), AppError> {
        let instruments = rows.iter().map(|row| row.instrument).collect();
        let mut organizations: BTreeSet<_> =
            rows.iter().map(|row| row.ties.organization_id).collect();
        organizations.insert(actor.caller()?.organization_id);
        let days = rows.iter().map(|row| day_of(row.facts.slot.ends_at()));
        Self::read(conn, actor, instruments, organizations, days.collect())
    }

    /// The same of now.
    pub(super) fn again(&self, conn: &mut Conn, actor: &Actor) -> Result<Self, AppError> {
        let instruments = self.instruments.keys().copied().collect();
        let organizations = self.organizations.keys().copied().collect();
        let days = self.days.clone();
        Ok(Self::read(conn, actor, instruments, organizations, days)?.0)
    }

    fn read(
        conn: &mut Conn,
        actor: &Actor,
        instruments: BTreeSet<InstrumentId>,
        organizations: BTreeSet<OrganizationId>,
        days: BTreeSet<NaiveDate>,
    ) -> Result<(Self, BTreeMap<OrganizationId, Organization>), AppError> {
        let ids: Vec<InstrumentId> = instruments.into_iter().collect();
        let mut units = BTreeMap::new();
        for id in organizations {
            units.insert(id, store::organization::get(conn, id)?);
        }
        let basis = Self {
            instruments: store::instrument::list_present(conn, &ids)?
                .into_iter()
                .collect(),
            organizations: units.iter().map(|(id, unit)| (*id, unit.version)).collect(),
            sme_days: store::certification::list_sme_days(
                conn,
                &units.keys().copied().collect::<Vec<_>>(),
            )?,
            managed: store::booking_rules::list_managed(conn, actor.caller()?.user_id)?
                .into_iter()
                .collect(),
            tariffs: store::tariff::list_of_all(conn, &ids)?,
            locked: yearly_run::locked_among(conn, &days)?.into_keys().collect(),
            days,
        };
        Ok((basis, units))
    }

    /// In the order of their ids, so that two imports never wait for each other in a circle.
    pub(super) fn instruments(&self) -> impl Iterator<Item = InstrumentId> {
        self.instruments.keys().copied()
    }

    /// When a unit is a small or medium enterprise.
    pub(super) fn sme_days_of(&self, unit: OrganizationId) -> &SmeDays {
        static NEVER: SmeDays = SmeDays(Vec::new());
        self.sme_days.get(&unit).unwrap_or(&NEVER)
    }

    pub(super) fn tariffs_of(&self, instrument: InstrumentId) -> &[(TariffId, Tariff)] {
        self.tariffs.get(&instrument).map_or(&[], Vec::as_slice)
    }
}
