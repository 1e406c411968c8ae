-- The evaluation whose frozen lines a what-if stands on, where they are the same to the letter; it has none of its own then.
ALTER TABLE evaluation ADD COLUMN facts_id BIGINT REFERENCES evaluation (id);
