-- Hours with their evidence, and the first form of money: charges, invoices, payments. No money stands on a usage record.

CREATE TABLE usage_record (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    record_no TEXT,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    booking_id BIGINT REFERENCES booking (id),
    channel BIGINT NOT NULL CONSTRAINT usage_record_channel_positive CHECK (channel > 0),
    started_at TIMESTAMP NOT NULL CONSTRAINT usage_record_started_at_utc CHECK (started_at GLOB '????-??-?? ??:??:??'),
    ended_at TIMESTAMP NOT NULL CONSTRAINT usage_record_ended_at_utc CHECK (ended_at GLOB '????-??-?? ??:??:??'),
    prepare_minutes BIGINT NOT NULL,
    run_minutes BIGINT NOT NULL,
    post_minutes BIGINT NOT NULL,
    samples BIGINT NOT NULL,
    mode TEXT NOT NULL CONSTRAINT usage_record_mode_known CHECK (mode IN ('self_operated', 'guided', 'entrusted')),
    purpose TEXT NOT NULL CONSTRAINT usage_record_purpose_known CHECK (purpose IN ('research', 'development', 'teaching', 'other')),
    statutory BOOLEAN NOT NULL,
    operator TEXT,
    client_reference TEXT,
    state TEXT NOT NULL CONSTRAINT usage_record_state_known CHECK (state IN ('recorded', 'confirmed', 'disputed', 'voided')),
    reason TEXT,
    evidence TEXT NOT NULL CONSTRAINT usage_record_evidence_known CHECK (evidence IN ('automatic', 'confirmed', 'manual')),
    entered_at TIMESTAMP CONSTRAINT usage_record_entered_at_utc CHECK (entered_at GLOB '????-??-?? ??:??:??'),
    entered_by BIGINT REFERENCES user_account (id),
    version BIGINT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    created_at TIMESTAMP NOT NULL CONSTRAINT usage_record_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT usage_record_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT usage_record_not_empty CHECK (started_at < ended_at),
    CONSTRAINT usage_record_minutes_not_negative CHECK (prepare_minutes >= 0 AND run_minutes >= 0 AND post_minutes >= 0),
    CONSTRAINT usage_record_no_unique UNIQUE (record_no)
);
CREATE UNIQUE INDEX usage_record_client_reference_unique ON usage_record (organization_id, client_reference) WHERE client_reference IS NOT NULL;
CREATE INDEX usage_record_updated ON usage_record (updated_at, id);
CREATE INDEX usage_record_instrument ON usage_record (instrument_id, channel, started_at, ended_at);
CREATE INDEX usage_record_organization ON usage_record (organization_id, id);
CREATE INDEX usage_record_booking ON usage_record (booking_id);
-- Everything the yearly run sums, in the order in which it groups: the sum never touches the table.
CREATE INDEX usage_record_confirmed ON usage_record (instrument_id, organization_id, evidence, statutory, ended_at,
    prepare_minutes, run_minutes, post_minutes, samples) WHERE state = 'confirmed';
CREATE TRIGGER usage_overlap_insert BEFORE INSERT ON usage_record
WHEN NEW.state <> 'voided' AND EXISTS (SELECT 1 FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided'
    AND u.started_at < NEW.ended_at AND NEW.started_at < u.ended_at)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;
CREATE TRIGGER usage_overlap_update BEFORE UPDATE OF instrument_id, channel, started_at, ended_at, state ON usage_record
WHEN NEW.state <> 'voided' AND EXISTS (SELECT 1 FROM usage_record u
    WHERE u.instrument_id = NEW.instrument_id AND u.channel = NEW.channel AND u.state <> 'voided' AND u.id IS NOT NEW.id
    AND u.started_at < NEW.ended_at AND NEW.started_at < u.ended_at)
BEGIN SELECT RAISE(ABORT, 'usage_overlap'); END;

-- Replaced versions, whole; usage_record holds the current one. replaced_by_event_id is the event that ended this version.
CREATE TABLE usage_record_version (
    usage_record_id BIGINT NOT NULL REFERENCES usage_record (id),
    version BIGINT NOT NULL,
    content TEXT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    replaced_by_event_id BIGINT NOT NULL REFERENCES event (id),
    replaced_at TIMESTAMP NOT NULL CONSTRAINT usage_record_version_replaced_at_utc CHECK (replaced_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT usage_record_version_unique PRIMARY KEY (usage_record_id, version)
);
CREATE INDEX usage_record_version_replaced ON usage_record_version (replaced_by_event_id);

CREATE TABLE charge (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    usage_record_id BIGINT NOT NULL REFERENCES usage_record (id),
    host_organization_id BIGINT NOT NULL REFERENCES organization (id),
    payer_organization_id BIGINT NOT NULL REFERENCES organization (id),
    amount_fen BIGINT NOT NULL CONSTRAINT charge_amount_not_negative CHECK (amount_fen >= 0),
    lines TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT charge_state_known CHECK (state IN ('open', 'invoiced', 'voided')),
    event_id BIGINT NOT NULL REFERENCES event (id),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT charge_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT charge_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
CREATE UNIQUE INDEX charge_usage_record_unique ON charge (usage_record_id) WHERE state <> 'voided';
CREATE INDEX charge_host ON charge (host_organization_id, id);
CREATE INDEX charge_payer ON charge (payer_organization_id, id);
CREATE INDEX charge_updated ON charge (updated_at, id);

CREATE TABLE invoice (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    invoice_no TEXT NOT NULL,
    host_organization_id BIGINT NOT NULL REFERENCES organization (id),
    payer_organization_id BIGINT NOT NULL REFERENCES organization (id),
    issued_on DATE NOT NULL CONSTRAINT invoice_issued_on_date CHECK (issued_on GLOB '????-??-??'),
    event_id BIGINT NOT NULL REFERENCES event (id),
    created_at TIMESTAMP NOT NULL CONSTRAINT invoice_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT invoice_no_unique UNIQUE (invoice_no)
);

CREATE TABLE invoice_line (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    invoice_id BIGINT NOT NULL REFERENCES invoice (id),
    amount_fen BIGINT NOT NULL,
    CONSTRAINT invoice_line_charge_unique PRIMARY KEY (charge_id)
);
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);

CREATE TABLE payment (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    payer_organization_id BIGINT NOT NULL REFERENCES organization (id),
    source TEXT NOT NULL CONSTRAINT payment_source_known CHECK (source IN ('payer', 'voucher')),
    paid_on DATE NOT NULL CONSTRAINT payment_paid_on_date CHECK (paid_on GLOB '????-??-??'),
    amount_fen BIGINT NOT NULL CONSTRAINT payment_amount_positive CHECK (amount_fen > 0),
    event_id BIGINT NOT NULL REFERENCES event (id),
    created_at TIMESTAMP NOT NULL CONSTRAINT payment_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??')
);
CREATE INDEX payment_paid ON payment (paid_on);

CREATE TABLE payment_line (
    payment_id BIGINT NOT NULL REFERENCES payment (id),
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    amount_fen BIGINT NOT NULL,
    CONSTRAINT payment_line_unique PRIMARY KEY (payment_id, charge_id)
);
CREATE INDEX payment_line_charge ON payment_line (charge_id);

CREATE TABLE review (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    usage_record_id BIGINT NOT NULL REFERENCES usage_record (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    satisfaction TEXT NOT NULL CONSTRAINT review_satisfaction_known CHECK (satisfaction IN ('very_satisfied', 'satisfied',
        'neutral', 'dissatisfied', 'very_dissatisfied')),
    comment TEXT,
    event_id BIGINT NOT NULL REFERENCES event (id),
    created_at TIMESTAMP NOT NULL CONSTRAINT review_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT review_usage_record_unique UNIQUE (usage_record_id)
);
