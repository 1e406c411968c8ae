DROP INDEX usage_record_confirmed;
CREATE INDEX usage_record_confirmed ON usage_record (instrument_id, organization_id, evidence, statutory, ended_at,
    prepare_minutes, run_minutes, post_minutes, samples) WHERE state = 'confirmed';
ALTER TABLE tariff DROP COLUMN ended_at;
DELETE FROM instrument_service WHERE withdrawn_at IS NOT NULL;
DROP INDEX instrument_service_updated;
ALTER TABLE instrument_service DROP COLUMN withdrawn_at;
DELETE FROM closure WHERE withdrawn_at IS NOT NULL;
DROP INDEX closure_updated;
ALTER TABLE closure DROP COLUMN withdrawn_at;
