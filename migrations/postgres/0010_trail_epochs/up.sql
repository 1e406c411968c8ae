-- A dump restored into another cluster brings transactions above that cluster's own. The epoch stands before the
-- transaction in the order of the trail; everything of an earlier epoch is settled.
CREATE TABLE trail (
    id BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    CONSTRAINT trail_one CHECK (id = 1)
);
INSERT INTO trail (id, epoch) VALUES (1, 0);
CREATE FUNCTION trail_epoch() RETURNS BIGINT LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN (SELECT epoch FROM trail); END $$;
ALTER TABLE event ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE event ALTER COLUMN epoch SET DEFAULT trail_epoch();
DROP INDEX event_in_order;
CREATE INDEX event_in_order ON event (epoch, transaction_id, id);
