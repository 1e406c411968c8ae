-- Every list in the order of an index, for each filter that drives it: of a unit, of a host, of an instrument, by change.
CREATE INDEX booking_instrument_order ON booking (instrument_id, id);
CREATE INDEX booking_organization_updated ON booking (organization_id, updated_at, id);
CREATE INDEX booking_host_updated ON booking (host_organization_id, updated_at, id);
-- The bookings of a window, and what waits for a host: somebody's daily work.
CREATE INDEX booking_organization_starts ON booking (organization_id, starts_at);
CREATE INDEX booking_host_starts ON booking (host_organization_id, starts_at);
CREATE INDEX booking_host_open ON booking (host_organization_id, state, id)
    WHERE state IN ('held', 'requested', 'confirmed', 'in_progress');

-- The host of a usage record is that of its instrument; kept with the record so that a host's records have an order.
ALTER TABLE usage_record ADD COLUMN host_organization_id BIGINT;
UPDATE usage_record SET host_organization_id = (SELECT i.organization_id FROM instrument i WHERE i.id = instrument_id);
CREATE TRIGGER usage_record_host_insert AFTER INSERT ON usage_record
BEGIN UPDATE usage_record SET host_organization_id = (SELECT i.organization_id FROM instrument i WHERE i.id = NEW.instrument_id)
    WHERE id = NEW.id; END;
CREATE TRIGGER usage_record_host_update AFTER UPDATE OF instrument_id ON usage_record WHEN NEW.instrument_id <> OLD.instrument_id
BEGIN UPDATE usage_record SET host_organization_id = (SELECT i.organization_id FROM instrument i WHERE i.id = NEW.instrument_id)
    WHERE id = NEW.id; END;
CREATE INDEX usage_record_host ON usage_record (host_organization_id, id);
CREATE INDEX usage_record_host_updated ON usage_record (host_organization_id, updated_at, id);
CREATE INDEX usage_record_organization_updated ON usage_record (organization_id, updated_at, id);
CREATE INDEX usage_record_instrument_order ON usage_record (instrument_id, id);

CREATE INDEX charge_host_updated ON charge (host_organization_id, updated_at, id);
CREATE INDEX charge_payer_updated ON charge (payer_organization_id, updated_at, id);
CREATE INDEX charge_usage_record ON charge (usage_record_id, id);

CREATE INDEX instrument_name ON instrument (name, id);
CREATE INDEX instrument_asset_no ON instrument (asset_no, id);
CREATE INDEX instrument_value ON instrument (original_value_fen, id);
CREATE INDEX instrument_created ON instrument (created_at, id);
CREATE INDEX instrument_organization_updated ON instrument (organization_id, updated_at, id);
