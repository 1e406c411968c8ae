//! Judging frozen facts by a policy: which instruments count, for what a condition holds, what is left out, and how many
//! registrations and requests were in time.

use super::effects::Effects;
use super::inputs::{
    AwardedTo, Host, Inputs, Instrument, InstrumentFacts, Relation, ServiceDetail, UsageGroup,
    UsingUnit,
};
use super::lines::Format;
use crate::domain::calendar::Calendar;
use crate::domain::policy::{
    Condition, Customers, Deadline, Exclusion, Grade, HostCount, Policy, RecordFilter, Test,
    WeakEvidence, YesNo,
};
use crate::domain::{Fen, Minutes};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Frozen facts with the policy that judges them.
#[derive(Debug)]
pub struct Judge<'a> {
    pub inputs: &'a Inputs,
    pub policy: &'a Policy,
    calendar: Calendar,
}

/// What a condition is asked of: as much as is at hand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    pub host: Option<&'a Host>,
    pub instrument: Option<&'a Instrument>,
    pub user: Option<&'a UsingUnit>,
    pub cell: Option<&'a UsageGroup>,
    pub grade: Option<Grade>,
    /// Code of the award at hand.
    pub award: Option<&'a str>,
}

impl<'a> Judge<'a> {
    pub fn new(inputs: &'a Inputs, policy: &'a Policy) -> Self {
        Self {
            inputs,
            policy,
            calendar: Calendar::of_days(inputs.days()),
        }
    }

    /// Whether an instrument has a part in anything: listed, and worth the threshold where the pack has one.
    pub fn counts(&self, instrument: &Instrument) -> bool {
        let registration = self.policy.registration;
        instrument.flags.listed
            && registration.is_none_or(|rule| instrument.original_value_fen >= rule.threshold_fen)
    }

    /// A unit's counted instruments, in the order of `asset_no`.
    pub fn counted(&self, host: &'a Host) -> impl Iterator<Item = &'a Instrument> {
        let instruments = host.instruments.iter();
        instruments.filter(|instrument| self.counts(instrument))
    }

    /// The units with at least one counted instrument, in the order of ids.
    pub fn hosts(&self) -> impl Iterator<Item = &'a Host> {
        let units = self.inputs.units();
        units.filter(|host| self.counted(host).next().is_some())
    }

    /// Those of them that the pack does not exempt.
    pub fn evaluated(&self) -> impl Iterator<Item = &'a Host> {
        self.hosts().filter(|host| self.is_evaluated(host))
    }

    fn is_evaluated(&self, host: &'a Host) -> bool {
        let subject = Subject {
            host: Some(host),
            ..Subject::default()
        };
        let only = self.policy.evaluation.only.as_ref();
        only.is_none_or(|only| self.holds(only, &subject))
    }

    /// A service of an instrument as a subject.
    pub fn service(
        &self,
        host: &'a Host,
        instrument: &'a Instrument,
        cell: &'a UsageGroup,
    ) -> Subject<'a> {
        Subject {
            host: Some(host),
            instrument: Some(instrument),
            cell: Some(cell),
            ..Subject::default()
        }
    }

    /// The using unit at hand: itself, or that of the service.
    pub fn user<'s>(&'s self, subject: &Subject<'s>) -> Option<&'s UsingUnit> {
        let of_cell = || self.inputs.using_unit(subject.cell?.key.using_unit_id);
        subject.user.or_else(of_cell)
    }

    pub fn holds(&self, condition: &Condition, subject: &Subject) -> bool {
        let mut alternatives = condition.0.iter();
        alternatives.any(|tests| tests.iter().all(|test| self.passes(test, subject)))
    }

    /// A missing fact matches no word.
    fn passes(&self, test: &Test, subject: &Subject) -> bool {
        match test {
            Test::ValueFen(_)
            | Test::Category(_)
            | Test::PurposeType(_)
            | Test::Funding(_)
            | Test::ShareMode(_)
            | Test::IsSet(_)
            | Test::AwardedBefore(_) => subject
                .instrument
                .is_some_and(|instrument| self.of_instrument(test, instrument, subject.award)),
            Test::HostKind(_) | Test::HostRegion(_) | Test::HostIs(_) | Test::Instruments(_) => {
                subject.host.is_some_and(|host| self.of_host(test, host))
            }
            Test::UserKind(kinds) => {
                let kind = self.user(subject).and_then(|user| user.kind);
                is_among(kind, kinds)
            }
            Test::UserRegion(regions) => self
                .user(subject)
                .is_some_and(|user| begins_with(&user.region_code, regions)),
            Test::UserIs(words) => {
                // As it was at the service, where that is known.
                let then = subject.cell.and_then(|cell| cell.key.detail.as_deref());
                let held = match then {
                    Some(detail) => Some(&detail.certifications),
                    None => self.user(subject).map(|user| &user.certifications),
                };
                held.is_some_and(|held| words.iter().any(|word| held.contains(word)))
            }
            Test::Grade(grades) => is_among(subject.grade, grades),
            _ => subject.cell.is_some_and(|cell| of_service(test, cell)),
        }
    }

    fn of_instrument(&self, test: &Test, instrument: &Instrument, award: Option<&str>) -> bool {
        let facts = &instrument.facts;
        match test {
            Test::ValueFen(range) => range.contains(instrument.original_value_fen.number()),
            Test::Category(codes) => begins_with(&facts.category_code, codes),
            Test::PurposeType(types) => types.contains(&instrument.purpose_type),
            Test::Funding(words) => is_among(facts.funding, words),
            Test::ShareMode(words) => is_among(facts.share_mode, words),
            Test::IsSet(words) => is_among(facts.is_set.map(yes_no), words),
            Test::AwardedBefore(words) => {
                let to = AwardedTo::Instrument(instrument.id);
                let before = award.is_some_and(|code| self.inputs.was_awarded(code, to));
                words.contains(&yes_no(before))
            }
            _ => false,
        }
    }

    fn of_host(&self, test: &Test, host: &Host) -> bool {
        match test {
            Test::HostKind(kinds) => kinds.contains(&host.kind),
            Test::HostRegion(regions) => begins_with(&host.region_code, regions),
            Test::HostIs(words) => words.iter().any(|word| host.certifications.contains(word)),
            Test::Instruments(range) => {
                let counted = host.instruments.iter().filter(|one| self.counts(one));
                range.contains(i64::try_from(counted.count()).unwrap_or(i64::MAX))
            }
            _ => false,
        }
    }

    /// Whether a service counts for a metric.
    pub fn takes(&self, filter: &RecordFilter, subject: &Subject) -> bool {
        let (Some(cell), Some(instrument)) = (subject.cell, subject.instrument) else {
            return false;
        };
        let weak = filter.drop_weak_evidence.as_ref();
        is_of(filter.customers, cell.key.relation)
            && !weak.is_some_and(|weak| is_weak(weak, instrument, cell))
            && !filter
                .exclude
                .iter()
                .any(|exclusion| self.excludes(exclusion, weak, subject))
            && filter
                .only
                .as_ref()
                .is_none_or(|only| self.holds(only, subject))
    }

    /// Whether an exclusion holds for a service.
    pub fn excludes(
        &self,
        exclusion: &Exclusion,
        weak: Option<&WeakEvidence>,
        subject: &Subject,
    ) -> bool {
        let (Some(cell), Some(instrument)) = (subject.cell, subject.instrument) else {
            return false;
        };
        match exclusion {
            Exclusion::Statutory => cell.key.statutory,
            Exclusion::WeakEvidence => weak.is_some_and(|weak| is_weak(weak, instrument, cell)),
            Exclusion::RelatedParty => cell.key.relation == Relation::Related,
            Exclusion::Class(class) => {
                let detail = cell.key.detail.as_deref();
                detail.is_some_and(|detail| detail.service_class == Some(*class))
            }
            Exclusion::Condition(condition) => self.holds(condition, subject),
        }
    }

    /// What was counted already, and what the dates say.
    pub fn count(&self, host: &Host, count: HostCount) -> i64 {
        let counted = &host.counts;
        let registrations = || {
            let rule = self.policy.registration;
            self.registrations(host, rule.map_or(Fen::ZERO, |rule| rule.threshold_fen))
        };
        let requests = || self.requests(host, true);
        let (told, judged) = match count {
            HostCount::RegistrationsDue => (counted.registrations_due, registrations().0),
            HostCount::RegistrationsOnTime => (counted.registrations_on_time, registrations().1),
            HostCount::RequestsReceived => (counted.requests_received, requests().0),
            HostCount::RequestsAnswered => (counted.requests_answered_in_time, requests().1),
        };
        told.saturating_add(judged)
    }

    /// Due and on time. Due: worth so much, accepted within the year, submitted or not, with a deadline before the freeze.
    fn registrations(&self, host: &Host, worth: Fen) -> (i64, i64) {
        let Some(rule) = self.policy.registration else {
            return (0, 0);
        };
        let (mut due, mut on_time) = (0, 0);
        for instrument in &host.instruments {
            let Some(accepted_on) = instrument.facts.accepted_on else {
                continue;
            };
            let deadline = self.deadline(accepted_on, rule.report_within);
            let is_due = self.inputs.span().contains(accepted_on)
                && instrument.original_value_fen >= worth
                && self.is_over(deadline);
            if is_due {
                due += 1;
                let submitted_on = instrument.facts.submitted_on;
                on_time += i64::from(submitted_on.is_some_and(|on| on <= deadline));
            }
        }
        (due, on_time)
    }

    /// Received and answered in time. Not counted: withdrawn by the deadline, or (`over_only`) with one that is not over.
    fn requests(&self, host: &Host, over_only: bool) -> (i64, i64) {
        let Some(rule) = self.policy.requests else {
            return (0, 0);
        };
        let within = Deadline::WorkingDays(rule.answer_within_working_days);
        let (mut received, mut answered) = (0_i64, 0_i64);
        for group in &host.requests {
            let deadline = self.deadline(group.received_on, within);
            let in_time = |on: Option<NaiveDate>| on.is_some_and(|on| on <= deadline);
            if (over_only && !self.is_over(deadline)) || in_time(group.withdrawn_on) {
                continue;
            }
            received = received.saturating_add(group.requests);
            if in_time(group.answered_on) {
                answered = answered.saturating_add(group.requests);
            }
        }
        (received, answered)
    }

    /// The last day on which something is in time; the day after `from` is day 1.
    pub fn deadline(&self, from: NaiveDate, within: Deadline) -> NaiveDate {
        within.last_day(from, &self.calendar)
    }

    /// Whether a day lies before that of the freeze.
    fn is_over(&self, day: NaiveDate) -> bool {
        self.inputs
            .frozen_on()
            .is_none_or(|frozen_on| day < frozen_on)
    }

    /// The facts with the verdicts of formats 1 and 2 in their place: what was stored so is compared with it. Those formats knew
    /// no threshold for registrations, and no freeze for requests.
    pub fn with_verdicts(&self, format: Format) -> Inputs {
        let mut inputs = self.inputs.clone().in_format(format);
        inputs.frozen_on = None;
        inputs.awarded = BTreeSet::new();
        inputs.effects = Effects::default();
        inputs.certified = None;
        for unit in inputs.units.values_mut() {
            let (due, on_time) = self.registrations(unit, Fen::ZERO);
            let (received, answered) = self.requests(unit, false);
            unit.counts.registrations_due += due;
            unit.counts.registrations_on_time += on_time;
            unit.counts.requests_received += received;
            unit.counts.requests_answered_in_time += answered;
            unit.requests.clear();
            unit.region_code.clear();
            unit.certifications.clear();
            unit.reported.clear();
            unit.adopted = None;
            for instrument in &mut unit.instruments {
                instrument.flags.listed = self.counts(instrument);
                instrument.facts = InstrumentFacts::default();
                for cell in &mut instrument.cells {
                    cell.service.prepare_minutes = Minutes::ZERO;
                    cell.service.post_minutes = Minutes::ZERO;
                }
            }
        }
        for user in inputs.using_units.values_mut() {
            user.kind = None;
            user.certifications.clear();
        }
        inputs
    }
}

/// Whose records these are.
const fn is_of(customers: Customers, relation: Relation) -> bool {
    match customers {
        Customers::All => true,
        Customers::Host => matches!(relation, Relation::Host),
        Customers::NotHost => !matches!(relation, Relation::Host),
        Customers::Internal => !matches!(relation, Relation::External),
        Customers::Related => matches!(relation, Relation::Related),
        Customers::External => matches!(relation, Relation::External),
    }
}

/// Whether a cell's evidence is too weak for the value of its instrument.
fn is_weak(weak: &WeakEvidence, instrument: &Instrument, cell: &UsageGroup) -> bool {
    instrument.original_value_fen >= weak.value_fen_from
        && weak.classes.contains(&cell.key.evidence)
}

fn of_service(test: &Test, cell: &UsageGroup) -> bool {
    let key = &cell.key;
    let detail: Option<&ServiceDetail> = key.detail.as_deref();
    match test {
        Test::User(words) => words.iter().any(|word| is_of(*word, key.relation)),
        Test::Related(words) => words.contains(&yes_no(key.relation == Relation::Related)),
        Test::Evidence(words) => words.contains(&key.evidence),
        Test::Statutory(words) => words.contains(&yes_no(key.statutory)),
        Test::Purpose(words) => is_among(detail.and_then(|detail| detail.purpose), words),
        Test::Mode(words) => is_among(detail.and_then(|detail| detail.mode), words),
        Test::ServiceClass(words) => {
            is_among(detail.and_then(|detail| detail.service_class), words)
        }
        Test::ProjectLevel(words) => {
            is_among(detail.and_then(|detail| detail.project_level), words)
        }
        _ => false,
    }
}

fn is_among<T: PartialEq>(fact: Option<T>, words: &[T]) -> bool {
    fact.is_some_and(|fact| words.contains(&fact))
}

fn begins_with(code: &str, leading: &[String]) -> bool {
    leading.iter().any(|leading| code.starts_with(leading))
}

const fn yes_no(fact: bool) -> YesNo {
    match fact {
        true => YesNo::Yes,
        false => YesNo::No,
    }
}
