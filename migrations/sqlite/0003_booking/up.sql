-- Bookings. The database itself refuses a second claim on a channel's time.

CREATE TABLE booking (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    booking_no TEXT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    host_organization_id BIGINT NOT NULL REFERENCES organization (id),
    booked_by BIGINT NOT NULL REFERENCES user_account (id),
    channel BIGINT NOT NULL CONSTRAINT booking_channel_not_zero CHECK (channel <> 0),
    state TEXT NOT NULL CONSTRAINT booking_state_known CHECK (state IN ('held', 'requested', 'confirmed', 'in_progress',
        'completed', 'rejected', 'cancelled', 'expired', 'no_show', 'unresolved')),
    starts_at TIMESTAMP NOT NULL CONSTRAINT booking_starts_at_utc CHECK (starts_at GLOB '????-??-?? ??:??:??'),
    ends_at TIMESTAMP NOT NULL CONSTRAINT booking_ends_at_utc CHECK (ends_at GLOB '????-??-?? ??:??:??'),
    blocked_from TIMESTAMP NOT NULL CONSTRAINT booking_blocked_from_utc CHECK (blocked_from GLOB '????-??-?? ??:??:??'),
    blocked_until TIMESTAMP NOT NULL CONSTRAINT booking_blocked_until_utc CHECK (blocked_until GLOB '????-??-?? ??:??:??'),
    mode TEXT NOT NULL CONSTRAINT booking_mode_known CHECK (mode IN ('self_operated', 'guided', 'entrusted')),
    purpose TEXT NOT NULL CONSTRAINT booking_purpose_known CHECK (purpose IN ('research', 'development', 'teaching', 'other')),
    description TEXT,
    operator TEXT,
    samples BIGINT,
    service_items TEXT,
    quote TEXT,
    client_reference TEXT,
    approval_due_at TIMESTAMP CONSTRAINT booking_approval_due_at_utc CHECK (approval_due_at GLOB '????-??-?? ??:??:??'),
    answered_at TIMESTAMP CONSTRAINT booking_answered_at_utc CHECK (answered_at GLOB '????-??-?? ??:??:??'),
    first_answered_at TIMESTAMP CONSTRAINT booking_first_answered_at_utc CHECK (first_answered_at GLOB '????-??-?? ??:??:??'),
    started_at TIMESTAMP CONSTRAINT booking_started_at_utc CHECK (started_at GLOB '????-??-?? ??:??:??'),
    ended_at TIMESTAMP CONSTRAINT booking_ended_at_utc CHECK (ended_at GLOB '????-??-?? ??:??:??'),
    cancelled_by TEXT CONSTRAINT booking_cancelled_by_known CHECK (cancelled_by IN ('user', 'host', 'platform')),
    reason_code TEXT,
    reason TEXT,
    problem TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT booking_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT booking_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT booking_not_empty CHECK (starts_at < ends_at),
    CONSTRAINT booking_blocks_its_slot CHECK (blocked_from < blocked_until),
    CONSTRAINT booking_no_unique UNIQUE (booking_no)
);
CREATE UNIQUE INDEX booking_client_reference_unique ON booking (organization_id, client_reference) WHERE client_reference IS NOT NULL;
CREATE INDEX booking_updated ON booking (updated_at, id);
CREATE INDEX booking_organization ON booking (organization_id, id);
CREATE INDEX booking_host ON booking (host_organization_id, id);
CREATE INDEX booking_blocking ON booking (instrument_id, channel, blocked_from, blocked_until)
    WHERE state IN ('held', 'requested', 'confirmed', 'in_progress');
CREATE INDEX booking_instrument ON booking (instrument_id, starts_at);
CREATE INDEX booking_open ON booking (state, starts_at) WHERE state IN ('held', 'requested', 'confirmed', 'in_progress');
CREATE TRIGGER booking_overlap_insert BEFORE INSERT ON booking
WHEN NEW.state IN ('held', 'requested', 'confirmed', 'in_progress') AND EXISTS (SELECT 1 FROM booking b
    WHERE b.instrument_id = NEW.instrument_id AND b.channel = NEW.channel
    AND b.state IN ('held', 'requested', 'confirmed', 'in_progress')
    AND b.blocked_from < NEW.blocked_until AND NEW.blocked_from < b.blocked_until)
BEGIN SELECT RAISE(ABORT, 'booking_overlap'); END;
CREATE TRIGGER booking_overlap_update BEFORE UPDATE OF instrument_id, channel, blocked_from, blocked_until, state ON booking
WHEN NEW.state IN ('held', 'requested', 'confirmed', 'in_progress') AND EXISTS (SELECT 1 FROM booking b
    WHERE b.instrument_id = NEW.instrument_id AND b.channel = NEW.channel AND b.id IS NOT NEW.id
    AND b.state IN ('held', 'requested', 'confirmed', 'in_progress')
    AND b.blocked_from < NEW.blocked_until AND NEW.blocked_from < b.blocked_until)
BEGIN SELECT RAISE(ABORT, 'booking_overlap'); END;
