-- The finished rows of imports under way: written in small commits, moved by the import's last transaction, read by nobody
-- else. The rows of an import that is not listed in staged_import any more are waste, which is removed in pieces. They name
-- nothing as a foreign key: the tables they are moved to do.

CREATE TABLE staged_import (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    -- The moment its rows are stamped with.
    began_at TIMESTAMP NOT NULL CONSTRAINT staged_import_began_at_utc CHECK (began_at GLOB '????-??-?? ??:??:??')
);

CREATE TABLE staged_event (
    import_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    action TEXT NOT NULL,
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
    personal_digest TEXT,
    personal_salt TEXT,
    personal_content TEXT,
    CONSTRAINT staged_event_unique PRIMARY KEY (import_id, position)
);

-- position: that of the event that makes the version. Its id stands between the two halves of the version's content.
CREATE TABLE staged_instrument (
    import_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    instrument_id BIGINT NOT NULL,
    organization_id BIGINT NOT NULL,
    asset_no TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    category_code TEXT NOT NULL,
    purpose_type TEXT NOT NULL,
    original_value_fen BIGINT NOT NULL,
    share_mode TEXT,
    model TEXT,
    manufacturer TEXT,
    country TEXT,
    region_code TEXT NOT NULL,
    location TEXT,
    public_contact TEXT,
    channels BIGINT NOT NULL,
    acquired_on DATE,
    accepted_on DATE,
    enabled_on DATE,
    description TEXT NOT NULL,
    version BIGINT NOT NULL,
    content_head TEXT NOT NULL,
    content_tail TEXT NOT NULL,
    CONSTRAINT staged_instrument_unique PRIMARY KEY (import_id, position)
);

-- position: that of the event that tells of the record.
CREATE TABLE staged_usage_record (
    import_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    usage_record_id BIGINT NOT NULL,
    instrument_id BIGINT NOT NULL,
    organization_id BIGINT NOT NULL,
    channel BIGINT NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    prepare_minutes BIGINT NOT NULL,
    run_minutes BIGINT NOT NULL,
    post_minutes BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    mode TEXT NOT NULL,
    purpose TEXT NOT NULL,
    statutory BOOLEAN NOT NULL,
    operator TEXT,
    client_reference TEXT,
    state TEXT NOT NULL,
    evidence TEXT NOT NULL,
    entered_by BIGINT,
    CONSTRAINT staged_usage_record_unique PRIMARY KEY (import_id, position)
);

-- position: that of the event that tells of the record it is for.
CREATE TABLE staged_charge (
    import_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    charge_id BIGINT NOT NULL,
    usage_record_id BIGINT NOT NULL,
    host_organization_id BIGINT NOT NULL,
    payer_organization_id BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    lines TEXT NOT NULL,
    CONSTRAINT staged_charge_unique PRIMARY KEY (import_id, position)
);

-- Records that stand do not overlap, so the last one that begins before an end is the only one that can reach over it: the
-- guard looks at one record, however many the instrument has.
DROP TRIGGER usage_overlap_insert;
DROP TRIGGER usage_overlap_update;
CREATE TRIGGER usage_overlap_insert BEFORE INSERT ON usage_record
WHEN NEW.state <> 'voided' AND NEW.started_at < (SELECT u.ended_at FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided'
    AND u.started_at < NEW.ended_at ORDER BY u.started_at DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;
CREATE TRIGGER usage_overlap_update BEFORE UPDATE OF instrument_id, channel, started_at, ended_at, state ON usage_record
WHEN NEW.state <> 'voided' AND NEW.started_at < (SELECT u.ended_at FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided' AND u.id IS NOT NEW.id
    AND u.started_at < NEW.ended_at ORDER BY u.started_at DESC LIMIT 1)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;
