//! External requests of the year with the days on which they were received, answered and withdrawn, and the numbers that units
//! report, of themselves and of their instruments. Whether an answer came in time is judged by the policy.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::registry::Registry;
use super::{EXPERT_PREFIX, Freeze, REQUESTS_ANSWERED, REQUESTS_RECEIVED, UnitFacts};
use crate::domain::booking::BookingState;
use crate::domain::evaluation::{Relation, RequestGroup};
use crate::domain::reported::ReportedNumber;
use crate::domain::{Instant, InstrumentId, OrganizationId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::yearly_input::{self, Request};

/// The days that requests of one group have in common.
type RequestDays = (NaiveDate, Option<NaiveDate>, Option<NaiveDate>);

impl Freeze<'_> {
    /// Adds the requests of live bookings and the numbers units report.
    pub(super) fn add_requests(
        &self,
        conn: &mut Conn,
        facts: &mut BTreeMap<OrganizationId, UnitFacts>,
        registry: &mut Registry,
    ) -> Result<(), AppError> {
        let mut groups: BTreeMap<(OrganizationId, RequestDays), i64> = BTreeMap::new();
        yearly_input::each_request(conn, self.scope, |request| {
            if self.is_external(&request) {
                let days = (
                    request.created_at.local_date(),
                    self.answered_on(&request),
                    self.withdrawn_on(&request),
                );
                *groups
                    .entry((request.host_organization_id, days))
                    .or_default() += 1;
            }
        })?;
        for ((host, (received_on, answered_on, withdrawn_on)), requests) in groups {
            let group = RequestGroup {
                received_on,
                answered_on,
                withdrawn_on,
                requests,
            };
            facts.entry(host).or_default().requests.push(group);
        }
        let mut of_instruments: BTreeMap<InstrumentId, BTreeMap<String, i64>> = BTreeMap::new();
        for (unit, metric, value) in yearly_input::list_reported(conn, self.scope)? {
            if metric.starts_with(EXPERT_PREFIX) {
                continue;
            }
            let number: i64 = value.parse().map_err(AppError::internal)?;
            let told = ReportedNumber::of_metric(&metric, number);
            if let Some((name, id)) = told
                .as_ref()
                .and_then(|one| Some((&one.name, one.instrument_id?)))
            {
                let own = of_instruments.entry(id).or_default();
                own.insert(name.clone(), number);
                continue;
            }
            let facts = facts.entry(unit).or_default();
            if let Some(told) = told {
                facts.reported.insert(told.name, number);
                continue;
            }
            match metric.as_str() {
                REQUESTS_RECEIVED => facts.counts.requests_received += number,
                REQUESTS_ANSWERED => facts.counts.requests_answered_in_time += number,
                _ => {
                    facts.reported.insert(metric, number);
                }
            }
        }
        for (_, instrument) in &mut registry.instruments {
            if let Some(own) = of_instruments.remove(&instrument.id) {
                instrument.facts.reported = own;
            }
        }
        Ok(())
    }

    fn is_external(&self, request: &Request) -> bool {
        let relation = self.relations.at(
            request.host_organization_id,
            request.organization_id,
            request.created_at,
        );
        relation == Relation::External
    }

    /// Automatic confirmation is an answer, an expiry or a cancellation is none.
    fn answered_on(&self, request: &Request) -> Option<NaiveDate> {
        let answered_at = request.first_answered_at;
        let known = answered_at.filter(|at| *at <= self.scope.frozen_at);
        known.map(Instant::local_date)
    }

    /// Taken back by the using unit before anybody answered.
    fn withdrawn_on(&self, request: &Request) -> Option<NaiveDate> {
        let is_withdrawn = request.state == BookingState::Cancelled
            && request.cancelled_by.as_deref() == Some("user")
            && request.first_answered_at.is_none()
            && request.updated_at <= self.scope.frozen_at;
        is_withdrawn.then(|| request.updated_at.local_date())
    }
}
