-- What a unit's books say it owns (the asset ledger), and what the rules of open sharing ask of it: for each asset, what is due, until
-- when, and whether it was done. Duties are made from ledger and registry and made anew as these change; `duty_basis` says from what
-- the duties of a unit were made last. `told` is how far its reminders are: 1 ten working days before, 2 three, 3 the day after.

CREATE TABLE asset_ledger (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    asset_no TEXT NOT NULL,
    asset_no_key TEXT NOT NULL,
    name TEXT NOT NULL,
    original_value_fen BIGINT NOT NULL,
    accepted_on DATE NOT NULL,
    disposed_on DATE,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX asset_ledger_asset_no_unique ON asset_ledger (organization_id, asset_no_key);
CREATE INDEX asset_ledger_organization ON asset_ledger (organization_id, id);

CREATE TABLE duty (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    kind TEXT NOT NULL CONSTRAINT duty_kind_known CHECK (kind IN ('register', 'share', 'use')),
    year BIGINT NOT NULL,
    asset_no TEXT NOT NULL,
    asset_no_key TEXT NOT NULL,
    name TEXT NOT NULL,
    instrument_id BIGINT,
    due_on DATE NOT NULL,
    met_on DATE,
    ended_on DATE,
    state TEXT NOT NULL CONSTRAINT duty_state_known CHECK (state IN ('open', 'met', 'late', 'missed', 'exempt')),
    detail TEXT CONSTRAINT duty_detail_known CHECK (detail IN ('idle', 'underused')),
    told BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX duty_unique ON duty (organization_id, kind, year, asset_no_key);
CREATE INDEX duty_organization ON duty (organization_id, id);
CREATE INDEX duty_organization_updated ON duty (organization_id, updated_at, id);
CREATE INDEX duty_updated ON duty (updated_at, id);

CREATE TABLE duty_basis (
    organization_id BIGINT NOT NULL PRIMARY KEY REFERENCES organization (id),
    basis TEXT NOT NULL
);
