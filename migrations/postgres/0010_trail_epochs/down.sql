DROP INDEX event_in_order;
ALTER TABLE event DROP COLUMN epoch;
CREATE INDEX event_in_order ON event (transaction_id, id);
DROP FUNCTION trail_epoch();
DROP TABLE trail;
