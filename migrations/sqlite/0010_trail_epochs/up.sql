-- A file brings its own order along: the trail is read by its ids, and its epoch stays 0.
CREATE TABLE trail (
    id BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    CONSTRAINT trail_one CHECK (id = 1)
);
INSERT INTO trail (id, epoch) VALUES (1, 0);
ALTER TABLE event ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
