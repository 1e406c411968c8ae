//! What somebody says about one service when typing, importing or correcting a record, and what is wrong with it. Who
//! may say it, and whether the time is free, is decided elsewhere.

use chrono::NaiveDate;

use super::{ContextChange, GivenMinutes, ServiceContext, UsageMinutes, check_interval};
use crate::domain::booking::{BookingMode, BookingPurpose};
use crate::domain::fault::Faults;
use crate::domain::{Code, Fault, Instant, Operator, OrganizationId, Slot, TypedKey};

/// The most samples of one service.
const SAMPLES_MAX: i64 = 1_000_000;

/// The longest reference of a customer's own system.
const REFERENCE_CHARACTERS_MAX: usize = 64;

/// One service as somebody tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageFacts {
    /// From 1 to the instrument's channels.
    pub channel: i64,
    pub slot: Slot,
    pub minutes: GivenMinutes,
    pub samples: i64,
    pub mode: BookingMode,
    pub purpose: BookingPurpose,
    /// Mandatory testing (法定检测).
    pub statutory: bool,
    pub operator: Option<Operator>,
    pub client_reference: Option<TypedKey>,
    pub context: ServiceContext,
}

/// What an instrument can have been used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    pub channels: i64,
    /// Nobody used it before this day.
    pub accepted_on: Option<NaiveDate>,
}

impl UsageFacts {
    /// The minutes of the service, or everything that is wrong on such an instrument.
    pub fn check(&self, on: Capacity, now: Instant) -> Result<UsageMinutes, Vec<Fault>> {
        self.with_minutes(on, now, UsageMinutes::within(&self.slot, self.minutes))
    }

    /// As [`UsageFacts::check`] for the next version of a record that said this and had these minutes: what a correction
    /// leaves as it was is not judged again.
    pub fn check_corrected(
        &self,
        on: Capacity,
        now: Instant,
        (before, minutes): (&UsageFacts, UsageMinutes),
    ) -> Result<UsageMinutes, Vec<Fault>> {
        let minutes = UsageMinutes::corrected((&before.slot, minutes), &self.slot, self.minutes);
        let on = Capacity {
            channels: match self.channel == before.channel {
                true => on.channels.max(before.channel),
                false => on.channels,
            },
            accepted_on: on.accepted_on.filter(|_| self.slot != before.slot),
        };
        let named = UsageFacts {
            operator: self
                .operator
                .clone()
                .filter(|_| self.operator != before.operator),
            ..self.clone()
        };
        named.with_minutes(on, now, minutes)
    }

    fn with_minutes(
        &self,
        on: Capacity,
        now: Instant,
        minutes: Result<UsageMinutes, Vec<Fault>>,
    ) -> Result<UsageMinutes, Vec<Fault>> {
        let mut faults = Faults::new();
        faults.extend(check_interval(&self.slot, now));
        let day = self.slot.starts_at().local_date();
        if let Some(accepted_on) = on.accepted_on.filter(|accepted_on| day < *accepted_on) {
            let early = Fault::field("started_at", Code::dates_out_of_order);
            faults.push(early.limit(accepted_on).actual(day));
        }
        faults.range("channel", self.channel, 1, on.channels);
        faults.range("samples", self.samples, 0, SAMPLES_MAX);
        if let Some(operator) = &self.operator {
            operator.check(&mut faults);
        }
        if let Some(reference) = &self.client_reference {
            faults.key("client_reference", reference, REFERENCE_CHARACTERS_MAX);
        }
        self.context.check(&mut faults);
        match minutes {
            Ok(minutes) => faults.into_result().map(|()| minutes),
            Err(more) => {
                faults.extend(more);
                Err(faults.into_vec())
            }
        }
    }
}

/// What a correction changes; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Correction {
    /// Only of a record that stands on no booking.
    pub organization_id: Option<OrganizationId>,
    pub channel: Option<i64>,
    pub started_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub minutes: GivenMinutes,
    pub samples: Option<i64>,
    pub mode: Option<BookingMode>,
    pub purpose: Option<BookingPurpose>,
    pub statutory: Option<bool>,
    pub operator: Option<Operator>,
    pub client_reference: Option<TypedKey>,
    pub context: ContextChange,
    pub reason: Option<String>,
}

impl Correction {
    /// What the record says afterwards. Refuses an end that is not after the start.
    pub fn onto(&self, present: UsageFacts) -> Result<UsageFacts, Fault> {
        let starts_at = self.started_at.unwrap_or(present.slot.starts_at());
        let ends_at = self.ended_at.unwrap_or(present.slot.ends_at());
        let slot = Slot::new(starts_at, ends_at).map_err(|_| {
            Fault::field("ended_at", Code::not_after_start)
                .limit(starts_at)
                .actual(ends_at)
        })?;
        Ok(UsageFacts {
            channel: self.channel.unwrap_or(present.channel),
            slot,
            minutes: self.minutes,
            samples: self.samples.unwrap_or(present.samples),
            mode: self.mode.unwrap_or(present.mode),
            purpose: self.purpose.unwrap_or(present.purpose),
            statutory: self.statutory.unwrap_or(present.statutory),
            operator: self.operator.clone().or(present.operator),
            client_reference: self.client_reference.clone().or(present.client_reference),
            context: self.context.onto(present.context),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn facts() -> UsageFacts {
        UsageFacts {
            channel: 1,
            slot: Slot::new(
                at("2026-03-01T09:00:00+08:00"),
                at("2026-03-01T10:00:00+08:00"),
            )
            .unwrap(),
            minutes: GivenMinutes::default(),
            samples: 0,
            mode: BookingMode::Guided,
            purpose: BookingPurpose::Research,
            statutory: false,
            operator: None,
            client_reference: None,
            context: ServiceContext::default(),
        }
    }

    fn codes(facts: &UsageFacts) -> Vec<(String, &'static str)> {
        let on = Capacity {
            channels: 2,
            accepted_on: "2026-03-01".parse().ok(),
        };
        let found = facts.check(on, at("2026-03-02T00:00:00+08:00"));
        let faults = found.err().unwrap_or_default();
        faults
            .into_iter()
            .map(|f| (f.name().to_owned(), f.code.as_str()))
            .collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        assert_eq!(codes(&facts()), []);
        let wrong = UsageFacts {
            channel: 3,
            samples: -1,
            operator: Some(Operator::default()),
            client_reference: Some(" ".into()),
            minutes: GivenMinutes {
                run: Some(crate::domain::Minutes::new(61)),
                ..GivenMinutes::default()
            },
            context: ServiceContext {
                project: Some("长".repeat(201)),
                ..ServiceContext::default()
            },
            ..facts()
        };
        let found: Vec<_> = codes(&wrong).into_iter().map(|(field, _)| field).collect();
        assert_eq!(
            found,
            [
                "channel",
                "samples",
                "operator.name",
                "client_reference",
                "project",
                "run_minutes"
            ]
        );
    }

    #[test]
    fn a_correction_keeps_what_it_does_not_name() {
        let correction = Correction {
            samples: Some(5),
            ..Correction::default()
        };
        let next = correction.onto(facts()).unwrap();
        assert_eq!(
            next,
            UsageFacts {
                samples: 5,
                ..facts()
            }
        );
        let backwards = Correction {
            ended_at: Some(at("2026-03-01T09:00:00+08:00")),
            ..Correction::default()
        };
        assert_eq!(
            backwards.onto(facts()).map_err(|fault| fault.code.as_str()),
            Err("not_after_start")
        );
    }
}
