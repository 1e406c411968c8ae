-- What is shared: instruments with every version they had, their services, managers, hours and closures.

CREATE TABLE instrument (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    asset_no TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT instrument_state_known CHECK (state IN ('draft', 'submitted', 'returned', 'listed', 'suspended', 'retired')),
    state_reason TEXT,
    category_code TEXT NOT NULL REFERENCES category (code),
    purpose_type TEXT NOT NULL CONSTRAINT instrument_purpose_type_known CHECK (purpose_type IN ('general', 'special')),
    original_value_fen BIGINT NOT NULL CONSTRAINT instrument_value_positive CHECK (original_value_fen > 0),
    share_mode TEXT CONSTRAINT instrument_share_mode_known CHECK (share_mode IN ('external', 'internal', 'none')),
    model TEXT,
    manufacturer TEXT,
    country TEXT,
    region_code TEXT NOT NULL,
    location TEXT,
    public_contact TEXT,
    channels BIGINT NOT NULL CONSTRAINT instrument_channels_positive CHECK (channels BETWEEN 1 AND 64),
    acquired_on DATE,
    accepted_on DATE,
    enabled_on DATE,
    description TEXT NOT NULL,
    submitted_at TIMESTAMP,
    listed_at TIMESTAMP,
    suspended_at TIMESTAMP,
    retired_on DATE,
    version BIGINT NOT NULL,
    -- Deferred: the event that tells of a new instrument names its id.
    event_id BIGINT NOT NULL REFERENCES event (id) DEFERRABLE INITIALLY DEFERRED,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT instrument_asset_no_unique UNIQUE (organization_id, asset_no)
);
CREATE INDEX instrument_updated ON instrument (updated_at, id);
CREATE INDEX instrument_category ON instrument (category_code, id);
-- The event is written after the row it made: SQLite then looks for the rows that wait for it.
CREATE INDEX instrument_event ON instrument (event_id);

-- Every version an instrument had, the present one included, whole.
CREATE TABLE instrument_version (
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    version BIGINT NOT NULL,
    content TEXT NOT NULL,
    valid_from TIMESTAMP NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    CONSTRAINT instrument_version_unique PRIMARY KEY (instrument_id, version)
);

CREATE TABLE sharing_exemption (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT sharing_exemption_state_known CHECK (state IN ('requested', 'approved', 'refused')),
    requested_by BIGINT REFERENCES user_account (id),
    requested_at TIMESTAMP NOT NULL,
    decided_by BIGINT REFERENCES user_account (id),
    decided_at TIMESTAMP,
    decision_reason TEXT
);
CREATE UNIQUE INDEX sharing_exemption_open_unique ON sharing_exemption (instrument_id) WHERE state <> 'refused';

CREATE TABLE instrument_manager (
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    user_id BIGINT NOT NULL REFERENCES user_account (id),
    CONSTRAINT instrument_manager_unique PRIMARY KEY (instrument_id, user_id)
);
CREATE INDEX instrument_manager_user ON instrument_manager (user_id);

CREATE TABLE instrument_service (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    test_item TEXT NOT NULL,
    test_condition TEXT,
    method_standard TEXT,
    unit TEXT NOT NULL,
    price_fen BIGINT NOT NULL CONSTRAINT instrument_service_price_not_negative CHECK (price_fen >= 0),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX instrument_service_instrument ON instrument_service (instrument_id, id);

CREATE TABLE booking_rules (
    instrument_id BIGINT NOT NULL PRIMARY KEY REFERENCES instrument (id),
    rules TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE closure (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    starts_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP,
    kind TEXT NOT NULL CONSTRAINT closure_kind_known CHECK (kind IN ('fault', 'maintenance', 'calibration', 'holiday', 'event', 'other')),
    public_reason TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT closure_not_empty CHECK (ends_at IS NULL OR starts_at < ends_at)
);
CREATE INDEX closure_instrument ON closure (instrument_id, starts_at);

CREATE TABLE tariff (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    customer_class TEXT CONSTRAINT tariff_customer_class_known CHECK (customer_class IN ('own', 'public_research', 'enterprise', 'sme')),
    mode TEXT CONSTRAINT tariff_mode_known CHECK (mode IN ('self_operated', 'guided', 'entrusted')),
    valid_from DATE NOT NULL,
    valid_until DATE,
    price_fen_per_hour BIGINT NOT NULL CONSTRAINT tariff_price_not_negative CHECK (price_fen_per_hour >= 0),
    created_at TIMESTAMP NOT NULL,
    CONSTRAINT tariff_overlap EXCLUDE USING gist (instrument_id WITH =, (COALESCE(customer_class, '')) WITH =,
        (COALESCE(mode, '')) WITH =, daterange(valid_from, valid_until) WITH &&),
    CONSTRAINT tariff_not_empty CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX tariff_instrument ON tariff (instrument_id, valid_from);
