//! Bookings of the year as requests: when they were received, and what became of them.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;

use super::Scope;
use crate::domain::booking::BookingState;
use crate::domain::{Instant, OrganizationId};
use crate::store::schema::booking;
use crate::store::{Conn, Result, StoreError};

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
    let rows = booking::table
        .filter(booking::created_at.ge(scope.period.starts_at()))
        .filter(booking::created_at.lt(scope.period.ends_at()))
        .filter(booking::created_at.le(scope.frozen_at))
        .filter(booking::host_organization_id.ne(booking::organization_id))
        .select(Request::as_select())
        .load_iter::<Request, DefaultLoadingMode>(conn)?;
    for row in rows {
        take(row.map_err(StoreError::from)?);
    }
    Ok(())
}
