ALTER TABLE finding DROP COLUMN effect;
ALTER TABLE finding DROP COLUMN decision;
