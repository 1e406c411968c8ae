-- What people type as a key is kept as it was typed and found by its folded form: one thing has one key, however it is typed.
-- The program fills in the folded forms of what is stored already; where two stored keys mean the same, only the first is found
-- by it.

ALTER TABLE instrument ADD COLUMN asset_no_key TEXT;
CREATE UNIQUE INDEX instrument_asset_no_unique ON instrument (organization_id, asset_no_key);
ALTER TABLE booking ADD COLUMN client_reference_key TEXT;
DROP INDEX booking_client_reference_unique;
CREATE UNIQUE INDEX booking_client_reference_unique ON booking (organization_id, client_reference_key) WHERE client_reference_key IS NOT NULL;
ALTER TABLE usage_record ADD COLUMN client_reference_key TEXT;
DROP INDEX usage_record_client_reference_unique;
CREATE UNIQUE INDEX usage_record_client_reference_unique ON usage_record (organization_id, client_reference_key) WHERE client_reference_key IS NOT NULL;
ALTER TABLE staged_instrument ADD COLUMN asset_no_key TEXT;
ALTER TABLE staged_usage_record ADD COLUMN client_reference_key TEXT;
