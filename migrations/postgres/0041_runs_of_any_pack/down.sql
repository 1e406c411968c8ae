-- What the earlier shape has no room for is dropped: awards besides the first of a unit, those to using units, and facts that runs froze.
DROP TABLE subsidy_run_input;
DROP TABLE subsidy_run_freeze;
DROP TABLE counted_span;
DROP FUNCTION refuse_facts_of_final_run;
ALTER TABLE award DISABLE TRIGGER USER;
ALTER TABLE award_step DISABLE TRIGGER USER;
ALTER TABLE evaluation_unit DISABLE TRIGGER USER;
DELETE FROM award_step WHERE award_id IN (SELECT id FROM award WHERE recipient = 'user' OR EXISTS
    (SELECT 1 FROM award other WHERE other.subsidy_run_id = award.subsidy_run_id AND other.organization_id = award.organization_id AND other.id < award.id));
DELETE FROM award WHERE recipient = 'user' OR EXISTS
    (SELECT 1 FROM award other WHERE other.subsidy_run_id = award.subsidy_run_id AND other.organization_id = award.organization_id AND other.id < award.id);
UPDATE award SET grade = 'fail' WHERE grade IS NULL;
UPDATE evaluation_unit SET grade = 'fail' WHERE grade IS NULL;
ALTER TABLE award ENABLE TRIGGER USER;
ALTER TABLE award_step ENABLE TRIGGER USER;
ALTER TABLE evaluation_unit ENABLE TRIGGER USER;
ALTER TABLE award DROP CONSTRAINT award_unique;
ALTER TABLE award DROP COLUMN award_code;
ALTER TABLE award DROP COLUMN recipient;
ALTER TABLE award DROP COLUMN pool;
ALTER TABLE award ADD CONSTRAINT award_unique UNIQUE (subsidy_run_id, organization_id);
ALTER TABLE award ALTER COLUMN grade SET NOT NULL;
ALTER TABLE evaluation_unit ALTER COLUMN grade SET NOT NULL;
DROP INDEX subsidy_run_final_unique;
ALTER TABLE evaluation DROP COLUMN terms;
ALTER TABLE evaluation DROP COLUMN is_scenario;
ALTER TABLE evaluation DROP COLUMN is_stale;
ALTER TABLE subsidy_run DROP COLUMN terms;
ALTER TABLE subsidy_run DROP COLUMN is_scenario;
ALTER TABLE subsidy_run DROP COLUMN is_stale;
ALTER TABLE subsidy_run DROP COLUMN claim;
ALTER TABLE subsidy_run DROP COLUMN pools;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year, policy_code) WHERE state = 'final';
