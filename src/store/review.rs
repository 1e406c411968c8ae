//! Reviews: one per usage record (`ReviewUsageRecord`).

use diesel::prelude::*;

use super::schema::review;
use super::{Conn, Result};
use crate::domain::review::Satisfaction;
use crate::domain::{EventId, Instant, OrganizationId, ReviewId, UsageRecordId};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = review)]
pub struct Review {
    pub id: ReviewId,
    pub usage_record_id: UsageRecordId,
    pub organization_id: OrganizationId,
    pub satisfaction: Satisfaction,
    pub comment: Option<String>,
    pub created_at: Instant,
}

/// A review to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    pub usage_record_id: UsageRecordId,
    pub organization_id: OrganizationId,
    pub satisfaction: Satisfaction,
    pub comment: Option<String>,
}

/// Violates `ReviewUsageRecord` when the record was reviewed.
pub fn insert(conn: &mut Conn, new: NewReview, event: EventId, now: Instant) -> Result<Review> {
    let id: ReviewId = diesel::insert_into(review::table)
        .values((
            review::usage_record_id.eq(new.usage_record_id),
            review::organization_id.eq(new.organization_id),
            review::satisfaction.eq(new.satisfaction),
            review::comment.eq(&new.comment),
            review::event_id.eq(event),
            review::created_at.eq(now),
        ))
        .returning(review::id)
        .get_result(conn)?;
    Ok(Review {
        id,
        usage_record_id: new.usage_record_id,
        organization_id: new.organization_id,
        satisfaction: new.satisfaction,
        comment: new.comment,
        created_at: now,
    })
}

pub fn find_of_usage(conn: &mut Conn, record: UsageRecordId) -> Result<Option<Review>> {
    Ok(review::table
        .filter(review::usage_record_id.eq(record))
        .select(Review::as_select())
        .get_result(conn)
        .optional()?)
}
