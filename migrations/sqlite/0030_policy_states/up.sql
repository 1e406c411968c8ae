-- A policy is a draft, in force from a day, or withdrawn. What was stored before ruled from the day it was stored. A policy that
-- a run used keeps its text; its state moves on.

ALTER TABLE policy ADD COLUMN state TEXT NOT NULL DEFAULT 'draft' CONSTRAINT policy_state_known CHECK (state IN ('draft', 'in_force', 'withdrawn'));
ALTER TABLE policy ADD COLUMN from_on DATE CONSTRAINT policy_from_on_date CHECK (from_on GLOB '????-??-??');
ALTER TABLE policy ADD COLUMN put_in_force_by BIGINT REFERENCES user_account (id);
ALTER TABLE policy ADD COLUMN withdraw_reason TEXT;
ALTER TABLE policy ADD COLUMN row_version BIGINT NOT NULL DEFAULT 1;
DROP TRIGGER policy_used_update;
UPDATE policy SET state = 'in_force', from_on = date(created_at), put_in_force_by = created_by;
CREATE TRIGGER policy_used_update BEFORE UPDATE OF id, code, version, title, content, digest, created_at, created_by ON policy
WHEN (EXISTS (SELECT 1 FROM evaluation WHERE policy_id = OLD.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = OLD.id))
BEGIN SELECT RAISE(ABORT, 'policy_used'); END;
