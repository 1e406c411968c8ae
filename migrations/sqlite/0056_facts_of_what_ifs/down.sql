ALTER TABLE evaluation DROP COLUMN facts_id;
