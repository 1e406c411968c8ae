//! External requests: received in the year, answered by the end of the working day the policy says.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Freeze, REQUESTS_ANSWERED, REQUESTS_RECEIVED};
use crate::domain::booking::BookingState;
use crate::domain::evaluation::{HostCounts, Relation};
use crate::domain::{Instant, OrganizationId};
use crate::error::AppError;
use crate::store::Conn;
use crate::store::yearly_input::{self, Request};

impl Freeze<'_> {
    /// Adds the requests of live bookings and those units report.
    pub(super) fn count_requests(
        &self,
        conn: &mut Conn,
        counts: &mut BTreeMap<OrganizationId, HostCounts>,
    ) -> Result<(), AppError> {
        let days = self.policy.requests.answer_within_working_days;
        let mut deadlines: BTreeMap<NaiveDate, Instant> = BTreeMap::new();
        yearly_input::each_request(conn, self.scope, |request| {
            let received_on = request.created_at.local_date();
            let deadline = *deadlines
                .entry(received_on)
                .or_insert_with(|| self.deadline(request.created_at, days));
            if self.is_external(&request) && !self.was_withdrawn(&request, deadline) {
                let counts = counts.entry(request.host_organization_id).or_default();
                counts.requests_received += 1;
                if self.was_answered(&request, deadline) {
                    counts.requests_answered_in_time += 1;
                }
            }
        })?;
        for (unit, metric, value) in yearly_input::list_reported(conn, self.scope)? {
            let number = || value.parse::<i64>().map_err(AppError::internal);
            match metric.as_str() {
                REQUESTS_RECEIVED => counts.entry(unit).or_default().requests_received += number()?,
                REQUESTS_ANSWERED => {
                    counts.entry(unit).or_default().requests_answered_in_time += number()?;
                }
                _ => {}
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
    fn was_answered(&self, request: &Request, deadline: Instant) -> bool {
        let frozen_at = self.scope.frozen_at;
        let answered_at = request.first_answered_at;
        answered_at.is_some_and(|at| at < deadline && at <= frozen_at)
    }

    /// Taken back by the using unit by the deadline, before anybody answered.
    fn was_withdrawn(&self, request: &Request, deadline: Instant) -> bool {
        request.state == BookingState::Cancelled
            && request.cancelled_by.as_deref() == Some("user")
            && request.first_answered_at.is_none()
            && request.updated_at < deadline
            && request.updated_at <= self.scope.frozen_at
    }
}
