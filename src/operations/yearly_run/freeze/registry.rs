//! Stocks at the end of the last day from the versions of instruments, and when each was accepted and submitted. An instrument
//! that was returned for correction stands as it stood before; one entered later as its first version, with the exemption and the
//! price that came with it.

use std::collections::BTreeMap;

use super::Freeze;
use crate::domain::evaluation::{self, InstrumentFacts, InstrumentFlags, days_in_service};
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

    /// Whether a version takes back, for correction, what was listed before it.
    fn only_returns(&self, whole: &Instrument) -> bool {
        let was_listed = self.in_force.as_ref().is_some_and(|stood| {
            matches!(
                stood.standing.state,
                InstrumentState::Listed | InstrumentState::Suspended
            )
        });
        let is_away = matches!(
            whole.standing.state,
            InstrumentState::Draft | InstrumentState::Submitted | InstrumentState::Returned
        );
        was_listed && is_away
    }

    fn add(&mut self, version: InstrumentVersion, year_ends_at: Instant) {
        let InstrumentVersion { valid_from, whole } = version;
        self.first_submitted_at = self.first_submitted_at.or(whole.standing.submitted_at);
        if valid_from < year_ends_at && !self.only_returns(&whole) {
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
            listed: self.is_listed(stock),
            externally_shared: stock.facts.share_mode == Some(ShareMode::External),
            exempted: stood(&since.exempted),
            complete: stock.facts.is_complete(stood(&since.priced)),
        };
        let span = self.scope.span();
        let days = stock
            .facts
            .enabled_on
            .map(|enabled_on| days_in_service(&span, enabled_on, stock.standing.retired_on));
        let newest = &history.newest;
        let submitted_at = history.first_submitted_at;
        let facts = InstrumentFacts {
            category_code: stock.facts.category_code.to_string(),
            funding: stock.facts.description.funding,
            is_set: self.asks_sets.then_some(stock.facts.description.is_set),
            share_mode: stock.facts.share_mode,
            accepted_on: newest.facts.accepted_on,
            submitted_on: submitted_at.map(Instant::local_date),
            reported: BTreeMap::new(),
        };
        registry.hosts.insert(stock.id, stock.organization_id);
        let instrument = evaluation::Instrument {
            id: stock.id,
            asset_no: stock.facts.asset_no.to_string(),
            purpose_type: stock.facts.purpose_type,
            original_value_fen: stock.facts.original_value_fen,
            days_in_service: days.unwrap_or(0),
            flags,
            facts,
            cells: Vec::new(),
        };
        registry
            .instruments
            .push((stock.organization_id, instrument));
        Ok(())
    }

    /// In service by the end of the year, and listed, or suspended or retired within the year.
    fn is_listed(&self, stock: &Instrument) -> bool {
        let period = &self.scope.period;
        let in_period = |at: Instant| period.starts_at() <= at && at < period.ends_at();
        let stands = match stock.standing.state {
            InstrumentState::Listed => true,
            InstrumentState::Suspended => stock.standing.suspended_at.is_some_and(in_period),
            InstrumentState::Retired => stock
                .standing
                .retired_on
                .is_some_and(|on| self.scope.span().contains(on)),
            InstrumentState::Draft | InstrumentState::Submitted | InstrumentState::Returned => {
                false
            }
        };
        let in_service = stock
            .facts
            .enabled_on
            .is_some_and(|on| on <= self.scope.last_on);
        stands && in_service
    }
}
