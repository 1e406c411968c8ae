-- What is taken back stays, so that whoever keeps in step hears of it; a price can be ended.

ALTER TABLE closure ADD COLUMN withdrawn_at TIMESTAMP;
CREATE INDEX closure_updated ON closure (instrument_id, updated_at, id);

ALTER TABLE instrument_service ADD COLUMN withdrawn_at TIMESTAMP;
CREATE INDEX instrument_service_updated ON instrument_service (instrument_id, updated_at, id);

-- When an open-ended price was ended: what was frozen before still knows it as open.
ALTER TABLE tariff ADD COLUMN ended_at TIMESTAMP;
