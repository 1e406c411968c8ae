-- What is final stands whole: the rows beneath a final evaluation, or beneath one that a final run stands on, and the steps
-- of a final run never change. Graded units and awards keep the names under which they were made.

ALTER TABLE evaluation_unit ADD COLUMN uscc TEXT NOT NULL DEFAULT '';
ALTER TABLE evaluation_unit ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE evaluation_unit SET
    uscc = (SELECT uscc FROM organization WHERE organization.id = evaluation_unit.organization_id),
    name = (SELECT name FROM organization WHERE organization.id = evaluation_unit.organization_id);
ALTER TABLE award ADD COLUMN name TEXT NOT NULL DEFAULT '';
DROP TRIGGER award_final_update;
UPDATE award SET name = (SELECT name FROM organization WHERE organization.id = award.organization_id);
CREATE TRIGGER award_final_update BEFORE UPDATE ON award
WHEN EXISTS (SELECT 1 FROM subsidy_run WHERE id IN (OLD.subsidy_run_id, NEW.subsidy_run_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_insert BEFORE INSERT ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (NEW.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_update BEFORE UPDATE ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (OLD.award_id, NEW.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_delete BEFORE DELETE ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (OLD.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;

CREATE TRIGGER evaluation_input_final_insert BEFORE INSERT ON evaluation_input
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_input_final_update BEFORE UPDATE ON evaluation_input
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_input_final_delete BEFORE DELETE ON evaluation_input
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;

CREATE TRIGGER evaluation_unit_final_insert BEFORE INSERT ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_update BEFORE UPDATE ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_delete BEFORE DELETE ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;

CREATE TRIGGER expert_score_final_insert BEFORE INSERT ON expert_score
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER expert_score_final_update BEFORE UPDATE ON expert_score
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER expert_score_final_delete BEFORE DELETE ON expert_score
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
