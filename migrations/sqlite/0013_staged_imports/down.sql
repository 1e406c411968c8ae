DROP TRIGGER usage_overlap_insert;
DROP TRIGGER usage_overlap_update;
CREATE TRIGGER usage_overlap_insert BEFORE INSERT ON usage_record
WHEN NEW.state <> 'voided' AND EXISTS (SELECT 1 FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided'
    AND u.started_at < NEW.ended_at AND NEW.started_at < u.ended_at)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;
CREATE TRIGGER usage_overlap_update BEFORE UPDATE OF instrument_id, channel, started_at, ended_at, state ON usage_record
WHEN NEW.state <> 'voided' AND EXISTS (SELECT 1 FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided' AND u.id IS NOT NEW.id
    AND u.started_at < NEW.ended_at AND NEW.started_at < u.ended_at)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;
DROP TABLE staged_charge;
DROP TABLE staged_usage_record;
DROP TABLE staged_instrument;
DROP TABLE staged_event;
DROP TABLE staged_import;
