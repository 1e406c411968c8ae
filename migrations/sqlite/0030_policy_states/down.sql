DROP TRIGGER policy_used_update;
ALTER TABLE policy DROP COLUMN state;
ALTER TABLE policy DROP COLUMN from_on;
ALTER TABLE policy DROP COLUMN put_in_force_by;
ALTER TABLE policy DROP COLUMN withdraw_reason;
ALTER TABLE policy DROP COLUMN row_version;
CREATE TRIGGER policy_used_update BEFORE UPDATE ON policy
WHEN (EXISTS (SELECT 1 FROM evaluation WHERE policy_id = OLD.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = OLD.id))
BEGIN SELECT RAISE(ABORT, 'policy_used'); END;
