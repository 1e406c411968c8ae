-- A unit's administration invites, too, and so does the command line; an invitation can be withdrawn.
ALTER TABLE invitation ALTER COLUMN invited_by DROP NOT NULL;
ALTER TABLE invitation ADD COLUMN withdrawn_at TIMESTAMP;
CREATE INDEX invitation_organization ON invitation (organization_id, id);

-- Where somebody belonged last who belongs nowhere: that unit may invite without the old password.
ALTER TABLE user_account ADD COLUMN former_organization_id BIGINT REFERENCES organization (id);
UPDATE user_account SET former_organization_id = (
    SELECT e.organization_id FROM event e
    WHERE e.action = 'member_remove' AND e.subject_type = 'user' AND e.subject_id = user_account.id
    ORDER BY e.id DESC LIMIT 1)
WHERE organization_id IS NULL;

-- Failures are counted by login and by where they come from. What was counted before is forgotten: locks are short.
DROP TABLE login_failure;
CREATE TABLE login_failure (
    login TEXT NOT NULL,
    place TEXT NOT NULL,
    failures BIGINT NOT NULL,
    last_failed_at TIMESTAMP NOT NULL,
    locked_until TIMESTAMP,
    succeeded_at TIMESTAMP,
    PRIMARY KEY (login, place)
);

-- A code is unique among the organizations that were verified: who only says that it has one keeps nobody from it.
ALTER TABLE organization DROP CONSTRAINT organization_uscc_unique;
CREATE UNIQUE INDEX organization_uscc_unique ON organization (uscc) WHERE state IN ('verified', 'suspended');
CREATE INDEX organization_uscc ON organization (uscc);
