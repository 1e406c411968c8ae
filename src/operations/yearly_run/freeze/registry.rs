//! Stocks at the end of 31 December from the versions of instruments, and registrations due and on time. An instrument
//! entered later stands as its first version, with the exemption and the price that came with it.

use std::collections::BTreeMap;

use chrono::Datelike;

use super::Freeze;
use crate::domain::evaluation::{self, HostCounts, InstrumentFlags, days_in_service};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::{Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::instrument::Instrument;
use crate::store::yearly_input::{self, InstrumentVersion};

/// What the registry gives to a year.
#[derive(Default)]
pub(super) struct Registry {
    /// Whose each instrument is.
    pub hosts: BTreeMap<InstrumentId, OrganizationId>,
    pub instruments: Vec<(OrganizationId, evaluation::Instrument)>,
    pub counts: BTreeMap<OrganizationId, HostCounts>,
}

/// Since when the instruments that have one have an exemption, and a price for others.
struct Since {
    exempted: BTreeMap<InstrumentId, Instant>,
    priced: BTreeMap<InstrumentId, Instant>,
}

fn first_of_each(rows: Vec<(InstrumentId, Instant)>) -> BTreeMap<InstrumentId, Instant> {
    let mut first = BTreeMap::new();
    for (id, at) in rows {
        let known = first.entry(id).or_insert(at);
        *known = at.min(*known);
    }
    first
}

/// The versions of one instrument that matter.
struct History {
    first: Instrument,
    entered_at: Instant,
    /// In force at the end of the year; `None`: entered later.
    in_force: Option<Instrument>,
    newest: Instrument,
    first_submitted_at: Option<Instant>,
}

impl History {
    fn of(version: InstrumentVersion, year_ends_at: Instant) -> Self {
        let InstrumentVersion { valid_from, whole } = version;
        Self {
            in_force: (valid_from < year_ends_at).then(|| whole.clone()),
            first_submitted_at: whole.standing.submitted_at,
            first: whole.clone(),
            entered_at: valid_from,
            newest: whole,
        }
    }

    /// Whether it had what came at a moment: by the end of the year, or together with an entry made later.
    fn had(&self, at: Instant, year_ends_at: Instant) -> bool {
        at < year_ends_at || (self.in_force.is_none() && at <= self.entered_at)
    }

    fn add(&mut self, version: InstrumentVersion, year_ends_at: Instant) {
        let InstrumentVersion { valid_from, whole } = version;
        self.first_submitted_at = self.first_submitted_at.or(whole.standing.submitted_at);
        if valid_from < year_ends_at {
            self.in_force = Some(whole.clone());
        }
        self.newest = whole;
    }
}

impl Freeze<'_> {
    pub(super) fn registry(&self, conn: &mut Conn) -> Result<Registry, AppError> {
        let since = Since {
            exempted: first_of_each(yearly_input::list_exemptions(conn, self.scope)?),
            priced: first_of_each(yearly_input::list_priced(conn, self.scope)?),
        };
        let year_ends_at = self.scope.period.ends_at();
        let mut registry = Registry::default();
        let mut refused = None;
        let mut present: Option<History> = None;
        let mut finish = |history: History| {
            let added = self.add(&mut registry, &history, &since);
            if let Err(error) = added {
                refused = Some(error);
            }
        };
        yearly_input::each_version(conn, self.scope, |version| match &mut present {
            Some(history) if history.first.id == version.whole.id => {
                history.add(version, year_ends_at);
            }
            _ => {
                let begun = History::of(version, year_ends_at);
                if let Some(history) = present.replace(begun) {
                    finish(history);
                }
            }
        })?;
        if let Some(history) = present.take() {
            finish(history);
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(registry),
        }
    }

    fn add(
        &self,
        registry: &mut Registry,
        history: &History,
        since: &Since,
    ) -> Result<(), AppError> {
        let stock = history.in_force.as_ref().unwrap_or(&history.first);
        let stood = |at: &BTreeMap<InstrumentId, Instant>| {
            at.get(&stock.id)
                .is_some_and(|at| history.had(*at, self.scope.period.ends_at()))
        };
        let flags = InstrumentFlags {
            counted: self.is_counted(stock),
            externally_shared: stock.facts.share_mode == Some(ShareMode::External),
            exempted: stood(&since.exempted),
            complete: stock.facts.is_complete(stood(&since.priced)),
        };
        let days = stock.facts.enabled_on.map(|enabled_on| {
            days_in_service(self.scope.year, enabled_on, stock.standing.retired_on)
        });
        let days = days.transpose().map_err(AppError::internal)?;
        registry.hosts.insert(stock.id, stock.organization_id);
        let instrument = evaluation::Instrument {
            id: stock.id,
            asset_no: stock.facts.asset_no.to_string(),
            purpose_type: stock.facts.purpose_type,
            original_value_fen: stock.facts.original_value_fen,
            days_in_service: days.unwrap_or(0),
            flags,
            cells: Vec::new(),
        };
        registry
            .instruments
            .push((stock.organization_id, instrument));
        self.count_registration(registry, history);
        Ok(())
    }

    /// Worth the threshold, in service by the end of the year, and listed, or suspended or retired within the year.
    fn is_counted(&self, stock: &Instrument) -> bool {
        let period = &self.scope.period;
        let in_period = |at: Instant| period.starts_at() <= at && at < period.ends_at();
        let stands = match stock.standing.state {
            InstrumentState::Listed => true,
            InstrumentState::Suspended => stock.standing.suspended_at.is_some_and(in_period),
            InstrumentState::Retired => stock
                .standing
                .retired_on
                .is_some_and(|on| on.year() == self.scope.year),
            InstrumentState::Draft | InstrumentState::Submitted | InstrumentState::Returned => {
                false
            }
        };
        let in_service = stock
            .facts
            .enabled_on
            .is_some_and(|on| on <= self.scope.last_on);
        let threshold = self.policy.registration.threshold_fen;
        stands && in_service && stock.facts.original_value_fen >= threshold
    }

    /// Due: accepted in the year, submitted or not, with a deadline not after the freeze.
    fn count_registration(&self, registry: &mut Registry, history: &History) {
        let accepted_on = history.newest.facts.accepted_on;
        let Some(accepted_on) = accepted_on.filter(|on| on.year() == self.scope.year) else {
            return;
        };
        let days = self.policy.registration.report_within_working_days;
        let deadline = self.deadline(Instant::at_midnight(accepted_on), days);
        if deadline > self.scope.frozen_at {
            return;
        }
        let host = history.newest.organization_id;
        let counts = registry.counts.entry(host).or_default();
        counts.registrations_due += 1;
        if history.first_submitted_at.is_some_and(|at| at < deadline) {
            counts.registrations_on_time += 1;
        }
    }

    /// The midnight that ends the last of so many working days after a moment.
    pub(super) fn deadline(&self, from: Instant, working_days: i64) -> Instant {
        let days = u32::try_from(working_days).unwrap_or(u32::MAX);
        self.calendar.end_of_working_day(from, days)
    }
}
