-- A field of booking rules that is not an instrument's own is its unit's, else the service's. Rules that somebody has replaced
-- are the instrument's own, all of them. What is stored of an instrument are the rules in force.
ALTER TABLE booking_rules ADD COLUMN own TEXT NOT NULL DEFAULT '[]';
UPDATE booking_rules SET own = '["approval","approval_due_working_days","weekly_hours","holidays","special_days","slot_minutes","min_minutes","max_minutes","lead_minutes","horizon_days","setup_minutes","cleanup_minutes","cancel_before_minutes","no_show_after_minutes","modes"]'
WHERE version > 1;

CREATE TABLE organization_booking_rules (
    organization_id BIGINT NOT NULL PRIMARY KEY REFERENCES organization (id),
    rules TEXT NOT NULL,
    own TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL CONSTRAINT organization_booking_rules_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
