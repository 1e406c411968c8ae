-- One final evaluation and one final run for each year and code of a policy, whatever its version. A decision keeps what was
-- said with it: the last day of the notice, a remark printed with it, and why something published was thrown away.

DROP TRIGGER evaluation_final_update;
DROP TRIGGER evaluation_final_year_replace;
DROP TRIGGER evaluation_final_year_move;
DROP INDEX evaluation_final_unique;
ALTER TABLE evaluation ADD COLUMN policy_code TEXT NOT NULL DEFAULT '';
ALTER TABLE evaluation ADD COLUMN notice_until_on DATE CONSTRAINT evaluation_notice_until_on_date CHECK (notice_until_on GLOB '????-??-??');
ALTER TABLE evaluation ADD COLUMN notice_remark TEXT;
ALTER TABLE evaluation ADD COLUMN discard_reason TEXT;
UPDATE evaluation SET policy_code = (SELECT code FROM policy WHERE policy.id = evaluation.policy_id);
CREATE UNIQUE INDEX evaluation_final_unique ON evaluation (year, policy_code) WHERE state = 'final';
CREATE TRIGGER evaluation_final_update BEFORE UPDATE ON evaluation WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_final_year_replace BEFORE INSERT ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;
CREATE TRIGGER evaluation_final_year_move BEFORE UPDATE OF year, policy_code, state ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;

DROP TRIGGER subsidy_run_final_update;
DROP TRIGGER subsidy_run_final_year_replace;
DROP TRIGGER subsidy_run_final_year_move;
DROP INDEX subsidy_run_final_unique;
ALTER TABLE subsidy_run ADD COLUMN policy_code TEXT NOT NULL DEFAULT '';
ALTER TABLE subsidy_run ADD COLUMN notice_until_on DATE CONSTRAINT subsidy_run_notice_until_on_date CHECK (notice_until_on GLOB '????-??-??');
ALTER TABLE subsidy_run ADD COLUMN notice_remark TEXT;
ALTER TABLE subsidy_run ADD COLUMN discard_reason TEXT;
UPDATE subsidy_run SET policy_code = (SELECT code FROM policy WHERE policy.id = subsidy_run.policy_id);
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year, policy_code) WHERE state = 'final';
CREATE TRIGGER subsidy_run_final_update BEFORE UPDATE ON subsidy_run WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER subsidy_run_final_year_replace BEFORE INSERT ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
CREATE TRIGGER subsidy_run_final_year_move BEFORE UPDATE OF year, policy_code, state ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
