//! Preflight decides what of a year would be lost as things stand, and why: which lack follows from which numbers of a unit, what
//! each weighs, by when it is to be mended, and where the records are listed. Money stands under one lack only.

use chrono::{Days, NaiveDate};

use super::calendar::{Calendar, Year};
use super::charge::ChargeState;
use super::policy::{Deadline, Exclusion, IncomeBy, Policy, Value};
use super::usage::{Evidence, UsageState};
use super::{EvaluationId, Fen, Instant, Minutes, OrganizationId, Uscc};

crate::vocabulary! {
    /// What a unit lacks.
    Lack {
        RecordsUnconfirmed = "records_unconfirmed",
        RecordsDisputed = "records_disputed",
        RecordsWeakEvidence = "records_weak_evidence",
        ChargesNotInvoiced = "charges_not_invoiced",
        ChargesNotPaid = "charges_not_paid",
        UsageWithoutPrice = "usage_without_price",
        RequestsUnanswered = "requests_unanswered",
        RegistrationsDue = "registrations_due",
        InstrumentsIncomplete = "instruments_incomplete",
        UnitWithoutPeople = "unit_without_people",
        ExpertPointsMissing = "expert_points_missing",
        /// Serious ones of which nobody decided yet.
        FindingsOpen = "findings_open",
        /// Objections about the unit of which nobody decided yet.
        ObjectionsOpen = "objections_open",
    }
}

crate::vocabulary! {
    /// What a lack costs.
    Weight {
        /// Nobody of the unit can mend anything, or nothing can be published.
        Blocks = "blocks",
        Money = "money",
        Points = "points",
    }
}

/// What a pack says about what is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The classes of evidence that are weak, and from which original value of the instrument on.
    pub weak_evidence: Option<(Vec<Evidence>, Fen)>,
    /// An award leaves out what rests on weak evidence.
    pub pays_no_weak_evidence: bool,
    /// The date by which income counts; what counts by its invoice is not lost while it is unpaid.
    pub income_by: IncomeBy,
    pub registered_from: Fen,
    /// None: nothing is due.
    pub register_within: Option<Deadline>,
    pub answer_within: Option<Deadline>,
    /// The indicators to which experts give points.
    pub indicators: Vec<String>,
}

impl Rules {
    pub fn of(policy: &Policy) -> Self {
        let by_experts = policy
            .scores
            .iter()
            .filter(|score| score.value == Value::Expert);
        // A pack has one idea of weak evidence, whichever award names it.
        let mut awards = policy.awards.iter();
        let weak = awards.find_map(|award| award.weak_evidence.as_ref());
        let mut exclusions = policy.awards.iter().flat_map(|award| &award.exclude);
        let registration = policy.registration.as_ref();
        Self {
            weak_evidence: weak.map(|weak| (weak.classes.clone(), weak.value_fen_from)),
            pays_no_weak_evidence: exclusions.any(|one| *one == Exclusion::WeakEvidence),
            income_by: policy.year.income_by,
            registered_from: registration.map_or(Fen::ZERO, |rule| rule.threshold_fen),
            register_within: registration.map(|rule| rule.report_within),
            answer_within: policy
                .requests
                .map(|rule| Deadline::WorkingDays(rule.answer_within_working_days)),
            indicators: by_experts.map(|score| score.id.clone()).collect(),
        }
    }
}

/// Services of the year that are alike in what they lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Services {
    pub state: UsageState,
    pub has_weak_evidence: bool,
    /// A unit of others used the instrument, and no charge stands.
    pub is_unpriced: bool,
    /// Of what they cost, if they cost anything: open, or invoiced.
    pub charge: Option<ChargeState>,
    pub is_owed: bool,
    pub count: i64,
    pub minutes: Minutes,
    pub amount: Fen,
    /// Received by now, or by an invoice that counts whoever has paid; and of it what counts in the year.
    pub received: Fen,
    pub received_in_year: Fen,
}

/// What is known of a unit's year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub organization_id: OrganizationId,
    pub name: String,
    pub uscc: Uscc,
    pub services: Vec<Services>,
    /// Requests of others that nobody answered, and the moment of the first.
    pub requests: i64,
    pub first_requested_at: Option<Instant>,
    /// Drafts accepted in the year and worth the threshold, and the first day of acceptance.
    pub drafts: i64,
    pub first_accepted_on: Option<NaiveDate>,
    pub incomplete: i64,
    /// It has instruments that count, so that it is evaluated.
    pub is_evaluated: bool,
    pub lacks_admin: bool,
    /// Serious findings of which nobody decided, and by when the first of them is to be explained.
    pub findings: i64,
    pub first_finding_due_on: Option<NaiveDate>,
    /// Objections about it of which nobody decided, and by when the first of them is to be decided.
    pub objections: i64,
    pub first_objection_due_on: Option<NaiveDate>,
    /// The indicators for which experts gave it points.
    pub given: Vec<String>,
}

/// One thing that a unit lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub lack: Lack,
    pub weight: Weight,
    pub organization_id: OrganizationId,
    pub organization_name: String,
    /// Of what the list shows.
    pub count: i64,
    pub minutes: Minutes,
    /// What would join the base of an award.
    pub income: Fen,
    /// The last day on which it counts in time.
    pub due_on: Option<NaiveDate>,
    /// The indicators without points.
    pub indicators: Vec<String>,
    /// The filtered list, below the base of all paths.
    pub list: String,
}

/// What a preflight is about.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    pub year: Year,
    pub rules: &'a Rules,
    pub calendar: &'a Calendar,
    /// The pack, where it was asked for by name.
    pub policy: Option<&'a str>,
    /// Of this draft; else live.
    pub evaluation: Option<EvaluationId>,
}

/// Sums of one lack.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: i64,
    minutes: i64,
    income: i64,
}

impl Services {
    /// The lacks of these services with the money of each: never the same money twice.
    fn lacks(&self, rules: &Rules) -> Vec<(Lack, i64)> {
        let (amount, received) = (self.amount.number(), self.received.number());
        let mut lacks = Vec::new();
        if self.is_unpriced {
            lacks.push((Lack::UsageWithoutPrice, 0));
        }
        match self.state {
            UsageState::Recorded => lacks.push((Lack::RecordsUnconfirmed, amount)),
            UsageState::Disputed => lacks.push((Lack::RecordsDisputed, amount)),
            UsageState::Voided => {}
            UsageState::Confirmed => {
                if self.has_weak_evidence {
                    let is_counted = self.charge == Some(ChargeState::Invoiced);
                    let is_lost = is_counted && rules.pays_no_weak_evidence;
                    let lost = if is_lost {
                        self.received_in_year.number()
                    } else {
                        0
                    };
                    lacks.push((Lack::RecordsWeakEvidence, lost));
                }
                match self.charge {
                    Some(ChargeState::Open) => lacks.push((Lack::ChargesNotInvoiced, amount)),
                    Some(ChargeState::Invoiced) if self.is_owed => {
                        lacks.push((Lack::ChargesNotPaid, amount.saturating_sub(received)));
                    }
                    _ => {}
                }
            }
        }
        lacks
    }
}

impl Lack {
    const fn weight(self, rules: &Rules) -> Weight {
        match self {
            // Nothing is published while points are missing, nor final while findings or objections are undecided.
            Self::UnitWithoutPeople
            | Self::ExpertPointsMissing
            | Self::FindingsOpen
            | Self::ObjectionsOpen => Weight::Blocks,
            Self::RecordsWeakEvidence if !rules.pays_no_weak_evidence => Weight::Points,
            Self::RecordsUnconfirmed
            | Self::RecordsDisputed
            | Self::RecordsWeakEvidence
            | Self::ChargesNotInvoiced
            | Self::ChargesNotPaid
            | Self::UsageWithoutPrice => Weight::Money,
            Self::RequestsUnanswered | Self::RegistrationsDue | Self::InstrumentsIncomplete => {
                Weight::Points
            }
        }
    }
}

impl Course<'_> {
    /// Everything a unit lacks, in the order of the lacks.
    pub fn lacks_of(&self, unit: &Unit) -> Vec<Item> {
        let points = |indicator: &&String| !unit.given.contains(*indicator);
        let missing: Vec<String> = match unit.is_evaluated {
            true => self
                .rules
                .indicators
                .iter()
                .filter(points)
                .cloned()
                .collect(),
            false => Vec::new(),
        };
        let items = Lack::ALL.iter().filter_map(|lack| {
            let sum = match lack {
                Lack::RequestsUnanswered if self.rules.answer_within.is_none() => Sum::of(0),
                Lack::RegistrationsDue if self.rules.register_within.is_none() => Sum::of(0),
                Lack::RequestsUnanswered => Sum::of(unit.requests),
                Lack::RegistrationsDue => Sum::of(unit.drafts),
                Lack::InstrumentsIncomplete => Sum::of(unit.incomplete),
                Lack::UnitWithoutPeople => Sum::of(i64::from(unit.lacks_admin)),
                Lack::FindingsOpen => Sum::of(unit.findings),
                Lack::ObjectionsOpen => Sum::of(unit.objections),
                Lack::ExpertPointsMissing => match self.evaluation {
                    Some(_) => Sum::of(i64::from(!missing.is_empty())),
                    None => Sum::of(i64::try_from(missing.len()).unwrap_or(i64::MAX)),
                },
                _ => self.sum(unit, *lack),
            };
            (sum.count > 0).then(|| Item {
                lack: *lack,
                weight: lack.weight(self.rules),
                organization_id: unit.organization_id,
                organization_name: unit.name.clone(),
                count: sum.count,
                minutes: Minutes::new(sum.minutes),
                income: Fen::new(sum.income),
                due_on: self.due_on(unit, *lack),
                indicators: match lack {
                    Lack::ExpertPointsMissing => missing.clone(),
                    _ => Vec::new(),
                },
                list: self.list(unit, *lack),
            })
        });
        items.collect()
    }

    fn sum(&self, unit: &Unit, lack: Lack) -> Sum {
        let mut sum = Sum::default();
        for services in &unit.services {
            for (_, income) in services
                .lacks(self.rules)
                .iter()
                .filter(|(one, _)| *one == lack)
            {
                sum.count += services.count;
                sum.minutes += services.minutes.number();
                sum.income += income;
            }
        }
        sum
    }

    fn due_on(&self, unit: &Unit, lack: Lack) -> Option<NaiveDate> {
        let (from, days) = match lack {
            Lack::RequestsUnanswered => (
                unit.first_requested_at?.local_date(),
                self.rules.answer_within,
            ),
            Lack::RegistrationsDue => (unit.first_accepted_on?, self.rules.register_within),
            Lack::FindingsOpen => return unit.first_finding_due_on,
            Lack::ObjectionsOpen => return unit.first_objection_due_on,
            _ => return None,
        };
        match days? {
            Deadline::WorkingDays(days) => {
                let days = u32::try_from(days).unwrap_or(u32::MAX);
                Some(self.calendar.add_working_days(from, days))
            }
            Deadline::Days(days) => from.checked_add_days(Days::new(days.unsigned_abs())),
        }
    }

    /// Shows as many rows as are counted: each condition is that of the question that counts.
    fn list(&self, unit: &Unit, lack: Lack) -> String {
        let (host, year) = (unit.organization_id, self.year.number());
        let usage =
            |rest: &str| format!("/usage-records?host_organization_id={host}&year={year}&{rest}");
        let charges = |rest: &str| {
            format!("/charges?host_organization_id={host}&year={year}&usage_state=confirmed&{rest}")
        };
        let instruments = |rest: &str| {
            let from = self.rules.registered_from.number();
            format!("/instruments?organization={host}&original_value_from_fen={from}&{rest}")
        };
        match lack {
            Lack::RecordsUnconfirmed => usage("state=recorded"),
            Lack::RecordsDisputed => usage("state=disputed"),
            Lack::RecordsWeakEvidence => {
                let (classes, from) = self.rules.weak_evidence.clone().unwrap_or_default();
                let classes = classes.iter().map(|class| format!("&evidence={class}"));
                let classes: String = classes.collect();
                usage(&format!(
                    "state=confirmed{classes}&original_value_from_fen={}",
                    from.number()
                ))
            }
            Lack::UsageWithoutPrice => usage("unpriced=true"),
            Lack::ChargesNotInvoiced => charges("invoiced=false"),
            Lack::ChargesNotPaid => charges("invoiced=true&open=true"),
            Lack::RequestsUnanswered => {
                format!(
                    "/bookings?host_organization_id={host}&year={year}&state=requested&from_others=true"
                )
            }
            Lack::RegistrationsDue => instruments(&format!(
                "status=draft&accepted_from={}&accepted_until_on={}",
                self.year.first(),
                self.year.last()
            )),
            Lack::InstrumentsIncomplete => {
                instruments(&format!("status=listed&incomplete_on={}", self.year.last()))
            }
            Lack::UnitWithoutPeople => {
                format!("/organizations?uscc={}&lacks_admin=true", unit.uscc)
            }
            Lack::FindingsOpen => format!(
                "/findings?organization_id={host}&year={year}&severity=serious&state=open&state=explained"
            ),
            Lack::ObjectionsOpen => format!("/objections?organization_id={host}&state=open"),
            Lack::ExpertPointsMissing => match self.evaluation {
                Some(id) => format!("/evaluations/{id}/scores?organization_id={host}"),
                None => {
                    let policy = self.policy.map(|name| format!("&policy={name}"));
                    let policy = policy.unwrap_or_default();
                    format!(
                        "/expert-points?year={year}&organization_id={host}&missing=true{policy}"
                    )
                }
            },
        }
    }
}

impl Sum {
    fn of(count: i64) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(pays_no_weak_evidence: bool) -> Rules {
        Rules {
            weak_evidence: Some((vec![Evidence::Manual], Fen::new(1))),
            pays_no_weak_evidence,
            income_by: IncomeBy::PaidOn,
            registered_from: Fen::new(1),
            register_within: Some(Deadline::WorkingDays(5)),
            answer_within: Some(Deadline::Days(3)),
            indicators: vec!["A4".to_owned()],
        }
    }

    /// Every kind of services there can be, each of 100 fen of which 40 came, 30 of them in the year.
    fn every_kind() -> Vec<Services> {
        let mut all = Vec::new();
        for state in UsageState::ALL {
            for charge in [None, Some(ChargeState::Open), Some(ChargeState::Invoiced)] {
                for has_weak_evidence in [false, true] {
                    let cost = i64::from(charge.is_some());
                    all.push(Services {
                        state: *state,
                        has_weak_evidence,
                        is_unpriced: charge.is_none() && *state != UsageState::Voided,
                        charge,
                        is_owed: charge.is_some(),
                        count: 1,
                        minutes: Minutes::new(60),
                        amount: Fen::new(100 * cost),
                        received: Fen::new(40 * cost),
                        received_in_year: Fen::new(30 * cost),
                    });
                }
            }
        }
        all
    }

    #[test]
    fn money_is_either_counted_or_under_one_lack() {
        for pays_no_weak_evidence in [false, true] {
            let rules = rules(pays_no_weak_evidence);
            for services in every_kind() {
                let lost: i64 = services
                    .lacks(&rules)
                    .iter()
                    .map(|(_, income)| income)
                    .sum();
                let confirmed = services.state == UsageState::Confirmed;
                let stands = confirmed && services.charge == Some(ChargeState::Invoiced);
                let is_weak = services.has_weak_evidence && pays_no_weak_evidence;
                let counted = if stands && !is_weak { 30 } else { 0 };
                // Ten came in another year and count there.
                let elsewhere = if stands { 10 } else { 0 };
                let amount = match services.state {
                    UsageState::Voided => 0,
                    _ => services.amount.number(),
                };
                assert_eq!(lost + counted + elsewhere, amount, "{services:?}");
            }
        }
    }

    #[test]
    fn every_lack_has_a_weight_and_money_only_where_it_weighs_money() {
        let rules = rules(true);
        for services in every_kind() {
            for (lack, income) in services.lacks(&rules) {
                assert!(
                    income == 0 || lack.weight(&rules) == Weight::Money,
                    "{lack}"
                );
            }
        }
        assert_eq!(Lack::UnitWithoutPeople.weight(&rules), Weight::Blocks);
    }
}
