-- Bookings. The database itself refuses a second claim on a channel's time.

CREATE TABLE booking (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    booking_no TEXT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    host_organization_id BIGINT NOT NULL REFERENCES organization (id),
    booked_by BIGINT NOT NULL REFERENCES user_account (id),
    channel BIGINT NOT NULL CONSTRAINT booking_channel_not_zero CHECK (channel <> 0),
    state TEXT NOT NULL CONSTRAINT booking_state_known CHECK (state IN ('held', 'requested', 'confirmed', 'in_progress',
        'completed', 'rejected', 'cancelled', 'expired', 'no_show', 'unresolved')),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    blocked_from TIMESTAMP NOT NULL,
    blocked_until TIMESTAMP NOT NULL,
    mode TEXT NOT NULL CONSTRAINT booking_mode_known CHECK (mode IN ('self_operated', 'guided', 'entrusted')),
    purpose TEXT NOT NULL CONSTRAINT booking_purpose_known CHECK (purpose IN ('research', 'development', 'teaching', 'other')),
    description TEXT,
    operator TEXT,
    samples BIGINT,
    service_items TEXT,
    quote TEXT,
    client_reference TEXT,
    approval_due_at TIMESTAMP,
    answered_at TIMESTAMP,
    first_answered_at TIMESTAMP,
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    cancelled_by TEXT CONSTRAINT booking_cancelled_by_known CHECK (cancelled_by IN ('user', 'host', 'platform')),
    reason_code TEXT,
    reason TEXT,
    problem TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT booking_overlap EXCLUDE USING gist (instrument_id WITH =, channel WITH =,
        tsrange(blocked_from, blocked_until) WITH &&) WHERE (state IN ('held', 'requested', 'confirmed', 'in_progress')),
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
