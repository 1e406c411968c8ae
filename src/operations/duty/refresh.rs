//! Makes the duties of a unit anew from its ledger and its entries in the registry, writes what differs, and reminds the unit of
//! what comes due. A unit is looked at when its registry, the rules, the holidays or the day changed; its ledger's import does it
//! at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, Months, NaiveDate};
use serde_json::json;

use super::{KINDS, is_owed};
use crate::app::App;
use crate::domain::access::{Action, Reach};
use crate::domain::calendar::Calendar;
use crate::domain::duty::{Asset, Due, DutyKind, Entry, Period, Reminder, Rules, Use};
use crate::domain::exemption::ShareMode;
use crate::domain::instrument::InstrumentState;
use crate::domain::policy::{Measure, Policy, RatedHours, Registration};
use crate::domain::{Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::operations::actor::Actor;
use crate::operations::policy as packs;
use crate::operations::run::{lock_number, work};
use crate::store::duty::{Duty, EntryRow, Facts, Key, Standing};
use crate::store::event::{self, Subject};
use crate::store::{self, Conn, Lock};

/// Units made anew in one step of the job.
const STEP: usize = 100;

/// What is missed longer than so many days is not told of any more when it is first seen.
const TOLD_DAYS: i64 = 7;

/// Lets duties follow time and what changed; answers how many units were looked at.
pub async fn follow(app: &App, now: Instant) -> Result<usize, AppError> {
    let everything = Reach {
        everything: true,
        ..Reach::default()
    };
    stale(app, now, (everything, Vec::new()), STEP).await
}

/// Makes anew what is no longer as its sources are, of these units or of all that are reached; at most so many.
pub(super) async fn stale(
    app: &App,
    now: Instant,
    (reach, asked): (Reach, Vec<OrganizationId>),
    most: usize,
) -> Result<usize, AppError> {
    let find = move |conn: &mut Conn| {
        let Some(basis) = Basis::of(conn, now.local_date())? else {
            return Ok(Vec::new());
        };
        let known = store::duty::list_bases(conn)?;
        let known: BTreeMap<OrganizationId, String> = known.into_iter().collect();
        let standing = store::duty::list_standing(conn, &reach, &asked)?.into_iter();
        let differs = |one: &Standing| known.get(&one.organization_id) != Some(&basis.with(one));
        let ids = standing.filter(differs).map(|one| one.organization_id);
        Ok::<_, AppError>(ids.take(most).collect::<Vec<_>>())
    };
    let found = app.store.read(find).await?;
    let count = found.len();
    for id in found {
        work(app, move |tx| of_organization(tx, id, now)).await?;
    }
    Ok(count)
}

/// What all units have in common.
struct Basis {
    policy: Policy,
    text: String,
}

impl Basis {
    /// `None` where no pack says what is to be registered: then nothing is due.
    fn of(conn: &mut Conn, today: NaiveDate) -> Result<Option<Self>, AppError> {
        let Some((digest, policy)) = packs::find_active(conn, today)? else {
            return Ok(None);
        };
        let calendar = store::calendar::version(conn)?;
        let text = format!("{today} {digest} {calendar}");
        Ok(Some(Self { policy, text }))
    }

    fn with(&self, one: &Standing) -> String {
        let (newest, entries, exempt) = (one.newest, one.entries, one.exempt);
        format!("{} {newest} {entries} {exempt}", self.text)
    }
}

/// Makes the duties of one unit anew.
pub(in crate::operations) fn of_organization(
    tx: &mut Conn,
    id: OrganizationId,
    now: Instant,
) -> Result<(), AppError> {
    Lock::Job(lock_number("duty", &id.to_string())).take(tx)?;
    let today = now.local_date();
    let Some(basis) = Basis::of(tx, today)? else {
        return Ok(());
    };
    let Some(registration) = basis.policy.registration else {
        return Ok(());
    };
    let everything = Reach {
        everything: true,
        ..Reach::default()
    };
    let standing = store::duty::list_standing(tx, &everything, &[id])?;
    let periods = periods(&basis.policy, today);
    let years: Vec<i64> = periods.iter().map(|period| period.year.into()).collect();
    let known = store::duty::list_of(tx, id, &years)?;
    let calendar = store::calendar::get(tx)?;
    let made = make(
        tx,
        id,
        &known,
        (registration, &basis.policy, &calendar, &periods, today),
    )?;
    let told = write(tx, (id, known), made, (&calendar, now))?;
    tell(tx, id, told, now)?;
    if let Some(one) = standing.first() {
        store::duty::replace_basis(tx, id, &basis.with(one))?;
    }
    Ok(())
}

/// The year of today and the one before it, each with the twelve months up to its end or to today.
fn periods(policy: &Policy, today: NaiveDate) -> Vec<Period> {
    let years = (today.year() - 2..=today.year()).filter_map(|year| {
        let span = policy.year.span(year)?;
        let until_on = span.last_on.min(today);
        let from_on = until_on
            .checked_sub_months(Months::new(12))?
            .checked_add_days(Days::new(1))?;
        let is_near =
            span.first_on <= today && span.last_on.checked_add_months(Months::new(12))? >= today;
        is_near.then_some(Period {
            year,
            first_on: span.first_on,
            last_on: span.last_on,
            from_on,
            until_on,
        })
    });
    years.collect()
}

/// What the pack that registrations follow on a day rates a whole year at.
pub(in crate::operations) fn rated_on(
    conn: &mut Conn,
    on: NaiveDate,
) -> Result<Option<RatedHours>, AppError> {
    let found = packs::find_active(conn, on)?;
    Ok(found.and_then(|(_, policy)| rated(&policy)))
}

fn rated(policy: &Policy) -> Option<RatedHours> {
    let mut measures = policy.metrics.values().map(|metric| &metric.measure);
    measures.find_map(|measure| match measure {
        Measure::RatedMinutes(hours) => Some(*hours),
        _ => None,
    })
}

type Judging<'a> = (
    Registration,
    &'a Policy,
    &'a Calendar,
    &'a [Period],
    NaiveDate,
);

/// The duties of the unit as its sources stand.
fn make(
    tx: &mut Conn,
    id: OrganizationId,
    known: &[Duty],
    (registration, policy, calendar, periods, today): Judging<'_>,
) -> Result<BTreeMap<Key, Facts>, AppError> {
    let rules = Rules {
        registration,
        rated: rated(policy),
        calendar,
        periods,
        today,
    };
    let mut made = BTreeMap::new();
    for asset in assets(tx, id, known, periods)? {
        for due in asset.duties(&rules) {
            let facts = facts(&asset, due);
            made.insert(facts.key(), facts);
        }
    }
    Ok(made)
}

fn facts(asset: &Asset, due: Due) -> Facts {
    Facts {
        kind: due.kind,
        year: due.year.into(),
        asset_no: asset.asset_no.clone(),
        name: asset.name.clone(),
        instrument_id: asset.entry.as_ref().map(|entry| entry.instrument_id),
        due_on: due.due_on,
        met_on: due.met_on,
        ended_on: asset.ended_on,
        state: due.state,
        detail: due.detail,
    }
}

/// Everything the unit owns, by its ledger and its entries; of both, the ledger stands first.
fn assets(
    tx: &mut Conn,
    id: OrganizationId,
    known: &[Duty],
    periods: &[Period],
) -> Result<Vec<Asset>, AppError> {
    let exempt = store::duty::list_exempt(tx, id)?;
    let mut uses = uses(tx, id, periods)?;
    let shared: BTreeMap<String, &Duty> = known
        .iter()
        .filter(|duty| duty.facts.kind == DutyKind::Share)
        .map(|duty| (duty.facts.asset_no.folded(), duty))
        .collect();
    let mut all = BTreeMap::new();
    for row in store::duty::list_entries(tx, id)? {
        let key = row.asset_no.folded();
        let uses = uses.remove(&row.id).unwrap_or_default();
        let entry = entry(&row, shared.get(&key).copied(), (&exempt, uses));
        let asset = Asset {
            asset_no: row.asset_no,
            name: row.name,
            original_value_fen: row.original_value_fen,
            accepted_on: row.accepted_on,
            ended_on: row.retired_on,
            entry: Some(entry),
        };
        all.insert(key, asset);
    }
    for row in store::asset_ledger::list_all(tx, id)? {
        let key = row.asset_no.folded();
        let entered: Option<Asset> = all.remove(&key);
        let retired_on = entered.as_ref().and_then(|asset| asset.ended_on);
        let ends = [row.disposed_on, retired_on].into_iter().flatten();
        let asset = Asset {
            asset_no: row.asset_no,
            name: row.name,
            original_value_fen: row.original_value_fen,
            accepted_on: Some(row.accepted_on),
            ended_on: ends.min(),
            entry: entered.and_then(|asset| asset.entry),
        };
        all.insert(key, asset);
    }
    Ok(all.into_values().collect())
}

/// An instrument is open once its host has submitted it so; opened later, since the change that did it.
fn entry(
    row: &EntryRow,
    known: Option<&Duty>,
    (exempt, uses): (&BTreeSet<InstrumentId>, BTreeMap<i32, Use>),
) -> Entry {
    let submitted_on = row.submitted_at.map(Instant::local_date);
    let is_open = row.share_mode == Some(ShareMode::External)
        && row.state != InstrumentState::Draft
        && (row.state != InstrumentState::Returned || row.listed_at.is_some());
    let shared_since = match known {
        Some(duty) if duty.facts.met_on.is_some() => duty.facts.met_on,
        Some(_) => Some(row.updated_at.local_date()),
        None => submitted_on,
    };
    Entry {
        instrument_id: row.id,
        submitted_on,
        is_listed: row.listed_at.is_some(),
        shared_since: shared_since.filter(|_| is_open),
        is_exempt: exempt.contains(&row.id),
        purpose_type: row.purpose_type,
        enabled_on: row.enabled_on,
        uses,
    }
}

/// What each instrument was used for, by the year of the period. What ends with a day's last moment ended on that day.
fn uses(
    tx: &mut Conn,
    id: OrganizationId,
    periods: &[Period],
) -> Result<BTreeMap<InstrumentId, BTreeMap<i32, Use>>, AppError> {
    let within = |first: NaiveDate, last: NaiveDate| {
        let next = last.succ_opt().unwrap_or(last);
        (Instant::at_midnight(first), Instant::at_midnight(next))
    };
    let mut all: BTreeMap<InstrumentId, BTreeMap<i32, Use>> = BTreeMap::new();
    for period in periods {
        let looked_at = within(period.from_on, period.until_on);
        for (instrument, minutes, _) in store::duty::list_uses(tx, id, looked_at)? {
            let known = all.entry(instrument).or_default();
            known.entry(period.year).or_default().minutes = minutes;
        }
        let year = within(period.first_on, period.last_on);
        for (instrument, _, first_at) in store::duty::list_uses(tx, id, year)? {
            let known = all.entry(instrument).or_default();
            let first_on = first_at.plus_seconds(-1).local_date();
            known.entry(period.year).or_default().first_on = Some(first_on);
        }
    }
    Ok(all)
}

/// What came due: how many of a kind, by its last day.
type Told = BTreeMap<(Reminder, DutyKind, NaiveDate), usize>;

/// Writes what differs, and answers what is to be told. What is due no longer is exempt.
fn write(
    tx: &mut Conn,
    (id, known): (OrganizationId, Vec<Duty>),
    mut made: BTreeMap<Key, Facts>,
    (calendar, now): (&Calendar, Instant),
) -> Result<Told, AppError> {
    let mut told = Told::new();
    let today = now.local_date();
    for duty in known {
        let next = made.remove(&duty.facts.key());
        let next = next.unwrap_or_else(|| Facts {
            state: crate::domain::duty::DutyState::Exempt,
            detail: None,
            ..duty.facts.clone()
        });
        // Another last day has reminders of its own.
        let before = match next.due_on == duty.facts.due_on {
            true => duty.told,
            false => 0,
        };
        let reached = remind(&mut told, &next, before, (calendar, today));
        if next != duty.facts {
            store::duty::update(tx, duty.id, &next, reached, now)?;
        } else if reached != duty.told {
            store::duty::update_told(tx, duty.id, reached)?;
        }
    }
    let new = made.into_values().map(|facts| {
        let reached = remind(&mut told, &facts, 0, (calendar, today));
        (facts, reached)
    });
    store::duty::insert(tx, id, new.collect(), now)?;
    Ok(told)
}

/// How far the reminders of a duty are on this day; one that has just come is told.
fn remind(
    told: &mut Told,
    facts: &Facts,
    before: i64,
    (calendar, today): (&Calendar, NaiveDate),
) -> i64 {
    if !is_owed(facts.state) {
        return before;
    }
    let reminder = Reminder::due(facts.due_on, calendar, today);
    let is_old = (today - facts.due_on).num_days() > TOLD_DAYS;
    if reminder.number() > before && !is_old {
        let key = (reminder, facts.kind, facts.due_on);
        *told.entry(key).or_default() += 1;
    }
    before.max(reminder.number())
}

/// One event for what is due of a kind on a day, however many assets it is; one notice of it for each person.
fn tell(tx: &mut Conn, id: OrganizationId, told: Told, now: Instant) -> Result<(), AppError> {
    let by = Actor::system(now);
    for kind in KINDS {
        for ((reminder, _, due_on), duties) in told.iter().filter(|((_, one, _), _)| one == kind) {
            let action = match reminder {
                Reminder::Past => Action::DutyLapse,
                _ => Action::DutyRemind,
            };
            let event = by
                .event(action, Subject::new("organization", id))
                .of(id, None)
                .after(json!({ "kind": kind, "due_on": due_on, "duties": duties }))?;
            event::append(tx, &event)?;
        }
    }
    Ok(())
}
