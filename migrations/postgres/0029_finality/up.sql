-- One final evaluation and one final run for each year and code of a policy, whatever its version. A decision keeps what was
-- said with it: the last day of the notice, a remark printed with it, and why something published was thrown away.

ALTER TABLE evaluation ADD COLUMN policy_code TEXT NOT NULL DEFAULT '';
ALTER TABLE evaluation ADD COLUMN notice_until_on DATE;
ALTER TABLE evaluation ADD COLUMN notice_remark TEXT;
ALTER TABLE evaluation ADD COLUMN discard_reason TEXT;
ALTER TABLE evaluation DISABLE TRIGGER evaluation_final;
UPDATE evaluation SET policy_code = (SELECT code FROM policy WHERE policy.id = evaluation.policy_id);
ALTER TABLE evaluation ENABLE TRIGGER evaluation_final;
DROP INDEX evaluation_final_unique;
CREATE UNIQUE INDEX evaluation_final_unique ON evaluation (year, policy_code) WHERE state = 'final';

ALTER TABLE subsidy_run ADD COLUMN policy_code TEXT NOT NULL DEFAULT '';
ALTER TABLE subsidy_run ADD COLUMN notice_until_on DATE;
ALTER TABLE subsidy_run ADD COLUMN notice_remark TEXT;
ALTER TABLE subsidy_run ADD COLUMN discard_reason TEXT;
ALTER TABLE subsidy_run DISABLE TRIGGER subsidy_run_final;
UPDATE subsidy_run SET policy_code = (SELECT code FROM policy WHERE policy.id = subsidy_run.policy_id);
ALTER TABLE subsidy_run ENABLE TRIGGER subsidy_run_final;
DROP INDEX subsidy_run_final_unique;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year, policy_code) WHERE state = 'final';
