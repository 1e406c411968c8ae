-- The person of a booking: the member who is named as its operator, else who booked it. A guest is nobody here and is known by
-- what the booking says. Quotas count by it, and by the unit.
ALTER TABLE booking ADD COLUMN person_id BIGINT REFERENCES user_account (id);
UPDATE booking SET person_id = CASE WHEN details::json -> 'operator' IS NULL THEN booked_by
    ELSE (details::json -> 'operator' ->> 'user_id')::bigint END;
CREATE INDEX booking_person ON booking (person_id, host_organization_id, starts_at);
CREATE INDEX booking_unit ON booking (organization_id, host_organization_id, starts_at);
