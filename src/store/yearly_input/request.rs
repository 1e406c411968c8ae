//! Bookings of the year as requests: when they were received, and what became of them. A hold that nobody submitted is none.

use diesel::prelude::*;

use super::{PAGE_ROWS, Scope};
use crate::domain::booking::BookingState;
use crate::domain::{Instant, OrganizationId};
use crate::store::schema::booking;
use crate::store::{Conn, Result};

/// A request by another organization.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = booking)]
pub struct Request {
    pub host_organization_id: OrganizationId,
    pub organization_id: OrganizationId,
    pub created_at: Instant,
    /// When it was received, if it was confirmed automatically; what later moves waited for does not count.
    pub first_answered_at: Option<Instant>,
    pub state: BookingState,
    pub cancelled_by: Option<String>,
    pub updated_at: Instant,
}

/// Gives each request received in the year and before the freeze to `take`; never all at once in memory.
pub fn each_request(conn: &mut Conn, scope: &Scope, mut take: impl FnMut(Request)) -> Result<()> {
    let mut last = Some(0);
    while let Some(after) = last {
        let page = list_requests(conn, scope, after)?;
        last = page.last().map(|(id, _)| *id);
        page.into_iter().for_each(|(_, request)| take(request));
    }
    Ok(())
}

fn list_requests(conn: &mut Conn, scope: &Scope, after: i64) -> Result<Vec<(i64, Request)>> {
    Ok(booking::table
        .filter(booking::id.gt(after))
        .filter(booking::created_at.ge(scope.period.starts_at()))
        .filter(booking::created_at.lt(scope.period.ends_at()))
        .filter(booking::created_at.le(scope.frozen_at))
        .filter(booking::held_until.is_null())
        .filter(booking::host_organization_id.ne(booking::organization_id))
        .select((booking::id, Request::as_select()))
        .order(booking::id)
        .limit(PAGE_ROWS)
        .load(conn)?)
}
