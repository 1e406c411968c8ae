-- Who there is, what they may, and the one trail. Times are UTC, whole seconds; money is fen; durations are minutes.

-- Needs the right to create a trusted extension in this database (CREATE on the database).
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE region (
    code TEXT NOT NULL PRIMARY KEY,
    parent TEXT,
    level TEXT NOT NULL CONSTRAINT region_level_known CHECK (level IN ('province', 'city', 'county')),
    name TEXT NOT NULL,
    gbt2260 BOOLEAN NOT NULL
);

CREATE TABLE category (
    code TEXT NOT NULL PRIMARY KEY,
    parent TEXT,
    name TEXT NOT NULL
);

CREATE TABLE subject (
    code TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE public_holiday (
    holiday_on DATE NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CONSTRAINT public_holiday_kind_known CHECK (kind IN ('holiday', 'workday')),
    festival TEXT NOT NULL
);

-- Published test items with their method standards: what a host picks from when it describes its services.
CREATE TABLE test_item (
    name TEXT NOT NULL,
    test_condition TEXT NOT NULL,
    code TEXT,
    method_standard TEXT,
    price_fen BIGINT NOT NULL,
    PRIMARY KEY (name, test_condition)
);

CREATE TABLE organization (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
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
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT organization_uscc_unique UNIQUE (uscc)
);
CREATE INDEX organization_updated ON organization (updated_at, id);

CREATE TABLE user_account (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT REFERENCES organization (id),
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    language TEXT,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT user_account_state_known CHECK (state IN ('active', 'suspended')),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT user_account_login_unique UNIQUE (login)
);
CREATE INDEX user_account_organization ON user_account (organization_id, id);

-- A session is a family of refresh tokens: using one twice revokes the family.
CREATE TABLE session (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES user_account (id),
    user_agent TEXT,
    created_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP
);
CREATE INDEX session_of_user ON session (user_id, id);

CREATE TABLE refresh_token (
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id BIGINT NOT NULL REFERENCES session (id),
    issued_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

CREATE TABLE login_failure (
    login TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_failed_at TIMESTAMP NOT NULL,
    locked_until TIMESTAMP
);

CREATE TABLE invitation (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    login TEXT NOT NULL,
    roles TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    invited_by BIGINT NOT NULL REFERENCES user_account (id),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP,
    CONSTRAINT invitation_token_unique UNIQUE (token_hash)
);

CREATE TABLE api_key (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    user_id BIGINT NOT NULL REFERENCES user_account (id),
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP,
    revoked_at TIMESTAMP,
    CONSTRAINT api_key_secret_unique UNIQUE (secret_hash)
);
CREATE INDEX api_key_organization ON api_key (organization_id, id);

CREATE TABLE related_party (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    related_organization_id BIGINT NOT NULL REFERENCES organization (id),
    relation TEXT,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP,
    verified_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT related_party_distinct CHECK (organization_id <> related_organization_id),
    CONSTRAINT related_party_unique UNIQUE (organization_id, related_organization_id, since)
);
CREATE INDEX related_party_other ON related_party (related_organization_id);

CREATE TABLE event (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id BIGINT NOT NULL DEFAULT txid_current(),
    happened_at TIMESTAMP NOT NULL,
    deed TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    actor_user_id BIGINT,
    actor_api_key_id BIGINT,
    actor_organization_id BIGINT,
    organization_id BIGINT,
    counterpart_organization_id BIGINT,
    request_id TEXT,
    before TEXT,
    after TEXT,
    personal_digest TEXT
);
CREATE INDEX event_subject ON event (subject_type, subject_id, id);
CREATE INDEX event_organization ON event (organization_id, id);
CREATE INDEX event_counterpart ON event (counterpart_organization_id, id);

-- Names, addresses and free text of an event: erasable, while the event keeps their salted digest.
CREATE TABLE event_personal (
    event_id BIGINT NOT NULL PRIMARY KEY REFERENCES event (id),
    salt TEXT NOT NULL,
    content TEXT NOT NULL
);

-- Raises a violation of a rule that no declarative constraint can say; SQLite raises the same name.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0]; END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse('event_append_only');

CREATE TABLE delivery (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id BIGINT NOT NULL REFERENCES event (id),
    channel TEXT NOT NULL CONSTRAINT delivery_channel_known CHECK (channel IN ('mail')),
    recipient_user_id BIGINT NOT NULL REFERENCES user_account (id),
    state TEXT NOT NULL CONSTRAINT delivery_state_known CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    lease_until TIMESTAMP,
    next_attempt_at TIMESTAMP NOT NULL
);
CREATE INDEX delivery_waiting ON delivery (state, next_attempt_at, id);
CREATE INDEX delivery_event ON delivery (event_id);

CREATE TABLE idempotency_key (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT idempotency_key_unique PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_key_created ON idempotency_key (created_at);

CREATE TABLE policy (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code TEXT NOT NULL,
    version BIGINT NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by BIGINT REFERENCES user_account (id),
    CONSTRAINT policy_version_unique UNIQUE (code, version)
);
