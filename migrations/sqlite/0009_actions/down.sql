ALTER TABLE event RENAME COLUMN action TO deed;
