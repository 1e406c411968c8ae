DELETE FROM job WHERE kind = 'finding_scan';
DROP TABLE finding_scan;
DROP TABLE finding_record;
ALTER TABLE finding DROP COLUMN is_cut;
ALTER TABLE finding DROP COLUMN grade;
ALTER TABLE finding DROP COLUMN explanation;
ALTER TABLE finding DROP COLUMN due_on;
