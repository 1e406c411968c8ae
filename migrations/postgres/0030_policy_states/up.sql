-- A policy is a draft, in force from a day, or withdrawn. What was stored before ruled from the day it was stored. A policy that
-- a run used keeps its text; its state moves on.

ALTER TABLE policy ADD COLUMN state TEXT NOT NULL DEFAULT 'draft' CONSTRAINT policy_state_known CHECK (state IN ('draft', 'in_force', 'withdrawn'));
ALTER TABLE policy ADD COLUMN from_on DATE;
ALTER TABLE policy ADD COLUMN put_in_force_by BIGINT REFERENCES user_account (id);
ALTER TABLE policy ADD COLUMN withdraw_reason TEXT;
ALTER TABLE policy ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
DROP TRIGGER policy_used ON policy;
UPDATE policy SET state = 'in_force', from_on = created_at::date, put_in_force_by = created_by;
CREATE TRIGGER policy_used BEFORE UPDATE OF id, code, version, title, content, digest, created_at, created_by ON policy
FOR EACH ROW EXECUTE FUNCTION refuse_change_of_used_policy();
