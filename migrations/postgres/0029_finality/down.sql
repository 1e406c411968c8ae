DROP INDEX evaluation_final_unique;
ALTER TABLE evaluation DROP COLUMN policy_code;
ALTER TABLE evaluation DROP COLUMN notice_until_on;
ALTER TABLE evaluation DROP COLUMN notice_remark;
ALTER TABLE evaluation DROP COLUMN discard_reason;
CREATE UNIQUE INDEX evaluation_final_unique ON evaluation (year) WHERE state = 'final';

DROP INDEX subsidy_run_final_unique;
ALTER TABLE subsidy_run DROP COLUMN policy_code;
ALTER TABLE subsidy_run DROP COLUMN notice_until_on;
ALTER TABLE subsidy_run DROP COLUMN notice_remark;
ALTER TABLE subsidy_run DROP COLUMN discard_reason;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year) WHERE state = 'final';
