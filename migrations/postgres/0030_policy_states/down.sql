DROP TRIGGER policy_used ON policy;
ALTER TABLE policy DROP COLUMN state;
ALTER TABLE policy DROP COLUMN from_on;
ALTER TABLE policy DROP COLUMN put_in_force_by;
ALTER TABLE policy DROP COLUMN withdraw_reason;
ALTER TABLE policy DROP COLUMN row_version;
CREATE TRIGGER policy_used BEFORE UPDATE ON policy FOR EACH ROW EXECUTE FUNCTION refuse_change_of_used_policy();
