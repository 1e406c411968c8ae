DROP INDEX organization_uscc;
DROP INDEX organization_uscc_unique;
ALTER TABLE organization ADD CONSTRAINT organization_uscc_unique UNIQUE (uscc);
DROP TABLE login_failure;
CREATE TABLE login_failure (
    login TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_failed_at TIMESTAMP NOT NULL,
    locked_until TIMESTAMP
);
ALTER TABLE user_account DROP COLUMN former_organization_id;
DROP INDEX invitation_organization;
ALTER TABLE invitation DROP COLUMN withdrawn_at;
DELETE FROM invitation WHERE invited_by IS NULL;
ALTER TABLE invitation ALTER COLUMN invited_by SET NOT NULL;
