//! Which duties an asset brings, and how each stands on a day.

use chrono::NaiveDate;
use std::collections::BTreeMap;

use super::{DutyDetail, DutyKind, DutyState};
use crate::domain::calendar::Calendar;
use crate::domain::instrument::PurposeType;
use crate::domain::policy::{RatedHours, Registration};
use crate::domain::{Fen, InstrumentId, Minutes, TypedKey};

/// Something a unit owns, by its ledger and the registry. Where both say something, the ledger's word stands here.
#[derive(Debug, Clone)]
pub struct Asset {
    pub asset_no: TypedKey,
    pub name: String,
    pub original_value_fen: Fen,
    /// Nothing is due before it is accepted.
    pub accepted_on: Option<NaiveDate>,
    /// Disposed of, or retired; from then on nothing new is due.
    pub ended_on: Option<NaiveDate>,
    /// Its entry in the registry.
    pub entry: Option<Entry>,
}

/// An asset's entry in the registry.
#[derive(Debug, Clone)]
pub struct Entry {
    pub instrument_id: InstrumentId,
    /// When it was first submitted.
    pub submitted_on: Option<NaiveDate>,
    /// It was listed once.
    pub is_listed: bool,
    /// Since when it is open to others; none: it is not.
    pub shared_since: Option<NaiveDate>,
    /// The province approved that it is not shared.
    pub is_exempt: bool,
    pub purpose_type: PurposeType,
    pub enabled_on: Option<NaiveDate>,
    /// What it was used for, by the year of the period.
    pub uses: BTreeMap<i32, Use>,
}

/// The confirmed use of an instrument.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// Effective minutes of the twelve months that the period looks back on.
    pub minutes: Minutes,
    /// The day of the first effective minute of the year itself.
    pub first_on: Option<NaiveDate>,
}

/// A year in which instruments are to be used, and the twelve months that tell how far they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub year: i32,
    /// Of the year.
    pub first_on: NaiveDate,
    pub last_on: NaiveDate,
    /// Of the twelve months, both included.
    pub from_on: NaiveDate,
    pub until_on: NaiveDate,
}

impl Period {
    fn days(&self) -> i64 {
        (self.until_on - self.from_on).num_days() + 1
    }
}

/// By what duties are judged.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub registration: Registration,
    /// The yearly quota; none: nothing is called underused.
    pub rated: Option<RatedHours>,
    pub calendar: &'a Calendar,
    pub periods: &'a [Period],
    pub today: NaiveDate,
}

/// One duty of an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub kind: DutyKind,
    /// In which it is to be used; 0 for what is due once.
    pub year: i32,
    pub due_on: NaiveDate,
    pub met_on: Option<NaiveDate>,
    pub state: DutyState,
    pub detail: Option<DutyDetail>,
}

impl Asset {
    /// What is due for it: nothing below the threshold or before its acceptance. To register and to share it is due with the
    /// deadline of the registration, to use it with the end of each year in which it was in service.
    pub fn duties(&self, rules: &Rules<'_>) -> Vec<Due> {
        let Some(accepted_on) = self.accepted_on else {
            return Vec::new();
        };
        if self.original_value_fen < rules.registration.threshold_fen || accepted_on > rules.today {
            return Vec::new();
        }
        let deadline = rules.registration.report_within;
        let due_on = deadline.last_day(accepted_on, rules.calendar);
        let entry = self.entry.as_ref();
        let ended = self.ended_on.is_some_and(|on| on <= due_on);
        let once = |kind, met_on, is_exempt| Due {
            kind,
            year: 0,
            due_on,
            met_on,
            state: stand(due_on, met_on, is_exempt, rules.today),
            detail: None,
        };
        let submitted_on = entry.and_then(|entry| entry.submitted_on);
        let shared_since = entry.and_then(|entry| entry.shared_since);
        let unshared = entry.is_some_and(|entry| entry.is_exempt);
        let mut duties = vec![
            once(DutyKind::Register, submitted_on, ended),
            once(DutyKind::Share, shared_since, ended || unshared),
        ];
        if let Some(entry) = entry.filter(|entry| entry.is_listed) {
            let in_service = entry.enabled_on.unwrap_or(accepted_on);
            let uses = rules.periods.iter();
            duties.extend(uses.filter_map(|period| self.using(rules, (entry, in_service), period)));
        }
        duties
    }

    fn using(
        &self,
        rules: &Rules<'_>,
        (entry, in_service): (&Entry, NaiveDate),
        period: &Period,
    ) -> Option<Due> {
        let is_gone = self.ended_on.is_some_and(|on| on < period.first_on);
        if in_service > period.last_on || is_gone {
            return None;
        }
        let known = entry.uses.get(&period.year).copied().unwrap_or_default();
        let ended = self.ended_on.is_some_and(|on| on <= period.last_on);
        let detail = match ended || in_service > period.until_on {
            true => None,
            false => seen(rules.rated, entry.purpose_type, in_service, (period, known)),
        };
        Some(Due {
            kind: DutyKind::Use,
            year: period.year,
            due_on: period.last_on,
            met_on: known.first_on,
            state: stand(period.last_on, known.first_on, ended, rules.today),
            detail,
        })
    }
}

/// Idle is only what was in service for the whole of the twelve months; the rated minutes go by the days in service.
fn seen(
    rated: Option<RatedHours>,
    purpose: PurposeType,
    in_service: NaiveDate,
    (period, known): (&Period, Use),
) -> Option<DutyDetail> {
    let minutes = known.minutes.number();
    if minutes == 0 && in_service <= period.from_on {
        return Some(DutyDetail::Idle);
    }
    let days = (period.until_on - in_service.max(period.from_on)).num_days() + 1;
    let rated = i128::from(rated?.of(purpose)) * 60 * i128::from(days);
    let is_below = i128::from(minutes) * 2 * i128::from(period.days()) < rated;
    is_below.then_some(DutyDetail::Underused)
}

fn stand(
    due_on: NaiveDate,
    met_on: Option<NaiveDate>,
    is_exempt: bool,
    today: NaiveDate,
) -> DutyState {
    match met_on {
        _ if is_exempt && met_on.is_none_or(|on| on > due_on) => DutyState::Exempt,
        Some(on) if on <= due_on => DutyState::Met,
        Some(_) => DutyState::Late,
        None if today <= due_on => DutyState::Open,
        None => DutyState::Missed,
    }
}
