-- What is taken back stays, so that whoever keeps in step hears of it; a price can be ended; and a yearly run reads the
-- records as they were at its freeze.

ALTER TABLE closure ADD COLUMN withdrawn_at TIMESTAMP
    CONSTRAINT closure_withdrawn_at_utc CHECK (withdrawn_at GLOB '????-??-?? ??:??:??');
CREATE INDEX closure_updated ON closure (instrument_id, updated_at, id);

ALTER TABLE instrument_service ADD COLUMN withdrawn_at TIMESTAMP
    CONSTRAINT instrument_service_withdrawn_at_utc CHECK (withdrawn_at GLOB '????-??-?? ??:??:??');
CREATE INDEX instrument_service_updated ON instrument_service (instrument_id, updated_at, id);

-- When an open-ended price was ended: what was frozen before still knows it as open.
ALTER TABLE tariff ADD COLUMN ended_at TIMESTAMP
    CONSTRAINT tariff_ended_at_utc CHECK (ended_at GLOB '????-??-?? ??:??:??');

-- Everything the yearly run sums, in the order in which it groups: the sum never touches the table.
DROP INDEX usage_record_confirmed;
CREATE INDEX usage_record_confirmed ON usage_record (instrument_id, organization_id, evidence, statutory, ended_at,
    prepare_minutes, run_minutes, post_minutes, samples, event_id) WHERE state = 'confirmed';
