-- A unit's administration invites, too, and so does the command line; an invitation can be withdrawn.
ALTER TABLE invitation RENAME TO invitation_before;
CREATE TABLE invitation (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    login TEXT NOT NULL,
    roles TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    invited_by BIGINT REFERENCES user_account (id),
    created_at TIMESTAMP NOT NULL CONSTRAINT invitation_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    expires_at TIMESTAMP NOT NULL CONSTRAINT invitation_expires_at_utc CHECK (expires_at GLOB '????-??-?? ??:??:??'),
    accepted_at TIMESTAMP CONSTRAINT invitation_accepted_at_utc CHECK (accepted_at GLOB '????-??-?? ??:??:??'),
    withdrawn_at TIMESTAMP CONSTRAINT invitation_withdrawn_at_utc CHECK (withdrawn_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT invitation_token_unique UNIQUE (token_hash)
);
INSERT INTO invitation (id, organization_id, login, roles, token_hash, invited_by, created_at, expires_at, accepted_at)
SELECT id, organization_id, login, roles, token_hash, invited_by, created_at, expires_at, accepted_at FROM invitation_before;
DROP TABLE invitation_before;
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
    last_failed_at TIMESTAMP NOT NULL CONSTRAINT login_failure_last_failed_at_utc CHECK (last_failed_at GLOB '????-??-?? ??:??:??'),
    locked_until TIMESTAMP CONSTRAINT login_failure_locked_until_utc CHECK (locked_until GLOB '????-??-?? ??:??:??'),
    succeeded_at TIMESTAMP CONSTRAINT login_failure_succeeded_at_utc CHECK (succeeded_at GLOB '????-??-?? ??:??:??'),
    PRIMARY KEY (login, place)
);

-- A code is unique among the organizations that were verified: who only says that it has one keeps nobody from it. The
-- table is made anew without renaming anything, so that what refers to it stays as it is.
CREATE TABLE organization_before AS SELECT * FROM organization;
DROP TABLE organization;
CREATE TABLE organization (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT organization_kind_known CHECK (kind IN ('university', 'institute', 'hospital', 'enterprise', 'agency', 'other')),
    uscc TEXT NOT NULL,
    uscc_confirmed BOOLEAN NOT NULL,
    region_code TEXT NOT NULL,
    supervising_region_code TEXT NOT NULL,
    is_host BOOLEAN NOT NULL,
    is_sme BOOLEAN NOT NULL,
    state TEXT NOT NULL CONSTRAINT organization_state_known CHECK (state IN ('pending', 'verified', 'refused', 'suspended')),
    state_reason TEXT,
    address TEXT,
    public_contact TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT organization_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT organization_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
INSERT INTO organization (id, name, kind, uscc, uscc_confirmed, region_code, supervising_region_code, is_host, is_sme, state,
    state_reason, address, public_contact, version, created_at, updated_at)
SELECT id, name, kind, uscc, uscc_confirmed, region_code, supervising_region_code, is_host, is_sme, state,
    state_reason, address, public_contact, version, created_at, updated_at FROM organization_before;
DROP TABLE organization_before;
CREATE INDEX organization_updated ON organization (updated_at, id);
CREATE UNIQUE INDEX organization_uscc_unique ON organization (uscc) WHERE state IN ('verified', 'suspended');
CREATE INDEX organization_uscc ON organization (uscc);
