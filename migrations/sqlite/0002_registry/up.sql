-- What is shared: instruments with every version they had, their services, managers, hours and closures.

CREATE TABLE instrument (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
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
    acquired_on DATE CONSTRAINT instrument_acquired_on_date CHECK (acquired_on GLOB '????-??-??'),
    accepted_on DATE CONSTRAINT instrument_accepted_on_date CHECK (accepted_on GLOB '????-??-??'),
    enabled_on DATE CONSTRAINT instrument_enabled_on_date CHECK (enabled_on GLOB '????-??-??'),
    description TEXT NOT NULL,
    submitted_at TIMESTAMP CONSTRAINT instrument_submitted_at_utc CHECK (submitted_at GLOB '????-??-?? ??:??:??'),
    listed_at TIMESTAMP CONSTRAINT instrument_listed_at_utc CHECK (listed_at GLOB '????-??-?? ??:??:??'),
    suspended_at TIMESTAMP CONSTRAINT instrument_suspended_at_utc CHECK (suspended_at GLOB '????-??-?? ??:??:??'),
    retired_on DATE CONSTRAINT instrument_retired_on_date CHECK (retired_on GLOB '????-??-??'),
    version BIGINT NOT NULL,
    -- Deferred: the event that tells of a new instrument names its id.
    event_id BIGINT NOT NULL REFERENCES event (id) DEFERRABLE INITIALLY DEFERRED,
    created_at TIMESTAMP NOT NULL CONSTRAINT instrument_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT instrument_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??'),
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
    valid_from TIMESTAMP NOT NULL CONSTRAINT instrument_version_valid_from_utc CHECK (valid_from GLOB '????-??-?? ??:??:??'),
    event_id BIGINT NOT NULL REFERENCES event (id),
    CONSTRAINT instrument_version_unique PRIMARY KEY (instrument_id, version)
);

CREATE TABLE sharing_exemption (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    reason TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT sharing_exemption_state_known CHECK (state IN ('requested', 'approved', 'refused')),
    requested_by BIGINT REFERENCES user_account (id),
    requested_at TIMESTAMP NOT NULL CONSTRAINT sharing_exemption_requested_at_utc CHECK (requested_at GLOB '????-??-?? ??:??:??'),
    decided_by BIGINT REFERENCES user_account (id),
    decided_at TIMESTAMP CONSTRAINT sharing_exemption_decided_at_utc CHECK (decided_at GLOB '????-??-?? ??:??:??'),
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
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    test_item TEXT NOT NULL,
    test_condition TEXT,
    method_standard TEXT,
    unit TEXT NOT NULL,
    price_fen BIGINT NOT NULL CONSTRAINT instrument_service_price_not_negative CHECK (price_fen >= 0),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT instrument_service_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT instrument_service_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
CREATE INDEX instrument_service_instrument ON instrument_service (instrument_id, id);

CREATE TABLE booking_rules (
    instrument_id BIGINT NOT NULL PRIMARY KEY REFERENCES instrument (id),
    rules TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL CONSTRAINT booking_rules_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);

CREATE TABLE closure (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    starts_at TIMESTAMP NOT NULL CONSTRAINT closure_starts_at_utc CHECK (starts_at GLOB '????-??-?? ??:??:??'),
    ends_at TIMESTAMP CONSTRAINT closure_ends_at_utc CHECK (ends_at GLOB '????-??-?? ??:??:??'),
    kind TEXT NOT NULL CONSTRAINT closure_kind_known CHECK (kind IN ('fault', 'maintenance', 'calibration', 'holiday', 'event', 'other')),
    public_reason TEXT,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT closure_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT closure_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT closure_not_empty CHECK (ends_at IS NULL OR starts_at < ends_at)
);
CREATE INDEX closure_instrument ON closure (instrument_id, starts_at);

CREATE TABLE tariff (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    instrument_id BIGINT NOT NULL REFERENCES instrument (id),
    customer_class TEXT CONSTRAINT tariff_customer_class_known CHECK (customer_class IN ('own', 'public_research', 'enterprise', 'sme')),
    mode TEXT CONSTRAINT tariff_mode_known CHECK (mode IN ('self_operated', 'guided', 'entrusted')),
    valid_from DATE NOT NULL CONSTRAINT tariff_valid_from_date CHECK (valid_from GLOB '????-??-??'),
    valid_until DATE CONSTRAINT tariff_valid_until_date CHECK (valid_until GLOB '????-??-??'),
    price_fen_per_hour BIGINT NOT NULL CONSTRAINT tariff_price_not_negative CHECK (price_fen_per_hour >= 0),
    created_at TIMESTAMP NOT NULL CONSTRAINT tariff_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT tariff_not_empty CHECK (valid_until IS NULL OR valid_from < valid_until)
);
CREATE INDEX tariff_instrument ON tariff (instrument_id, valid_from);
CREATE TRIGGER tariff_overlap_insert BEFORE INSERT ON tariff
WHEN EXISTS (SELECT 1 FROM tariff t WHERE t.instrument_id = NEW.instrument_id
    AND t.customer_class IS NEW.customer_class AND t.mode IS NEW.mode
    AND (NEW.valid_until IS NULL OR t.valid_from < NEW.valid_until)
    AND (t.valid_until IS NULL OR NEW.valid_from < t.valid_until))
BEGIN SELECT RAISE(ABORT, 'tariff_overlap'); END;
CREATE TRIGGER tariff_overlap_update BEFORE UPDATE OF instrument_id, customer_class, mode, valid_from, valid_until ON tariff
WHEN EXISTS (SELECT 1 FROM tariff t WHERE t.instrument_id = NEW.instrument_id AND t.id IS NOT NEW.id
    AND t.customer_class IS NEW.customer_class AND t.mode IS NEW.mode
    AND (NEW.valid_until IS NULL OR t.valid_from < NEW.valid_until)
    AND (t.valid_until IS NULL OR NEW.valid_from < t.valid_until))
BEGIN SELECT RAISE(ABORT, 'tariff_overlap'); END;
