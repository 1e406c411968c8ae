ALTER TABLE tariff DROP COLUMN ended_at;
DELETE FROM instrument_service WHERE withdrawn_at IS NOT NULL;
DROP INDEX instrument_service_updated;
ALTER TABLE instrument_service DROP COLUMN withdrawn_at;
DELETE FROM closure WHERE withdrawn_at IS NOT NULL;
DROP INDEX closure_updated;
ALTER TABLE closure DROP COLUMN withdrawn_at;
