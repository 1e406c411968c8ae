DROP TABLE organization_booking_rules;
ALTER TABLE booking_rules DROP COLUMN own;
