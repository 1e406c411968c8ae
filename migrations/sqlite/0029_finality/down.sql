DROP TRIGGER evaluation_final_update;
DROP TRIGGER evaluation_final_year_replace;
DROP TRIGGER evaluation_final_year_move;
DROP INDEX evaluation_final_unique;
ALTER TABLE evaluation DROP COLUMN policy_code;
ALTER TABLE evaluation DROP COLUMN notice_until_on;
ALTER TABLE evaluation DROP COLUMN notice_remark;
ALTER TABLE evaluation DROP COLUMN discard_reason;
CREATE UNIQUE INDEX evaluation_final_unique ON evaluation (year) WHERE state = 'final';
CREATE TRIGGER evaluation_final_update BEFORE UPDATE ON evaluation WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_final_year_replace BEFORE INSERT ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;
CREATE TRIGGER evaluation_final_year_move BEFORE UPDATE OF year, state ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;

DROP TRIGGER subsidy_run_final_update;
DROP TRIGGER subsidy_run_final_year_replace;
DROP TRIGGER subsidy_run_final_year_move;
DROP INDEX subsidy_run_final_unique;
ALTER TABLE subsidy_run DROP COLUMN policy_code;
ALTER TABLE subsidy_run DROP COLUMN notice_until_on;
ALTER TABLE subsidy_run DROP COLUMN notice_remark;
ALTER TABLE subsidy_run DROP COLUMN discard_reason;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year) WHERE state = 'final';
CREATE TRIGGER subsidy_run_final_update BEFORE UPDATE ON subsidy_run WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER subsidy_run_final_year_replace BEFORE INSERT ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
CREATE TRIGGER subsidy_run_final_year_move BEFORE UPDATE OF year, state ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
