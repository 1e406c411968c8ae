-- What a unit's books say it owns (the asset ledger), and what the rules of open sharing ask of it: for each asset, what is due, until
-- when, and whether it was done. Duties are made from ledger and registry and made anew as these change; `duty_basis` says from what
-- the duties of a unit were made last. `told` is how far its reminders are: 1 ten working days before, 2 three, 3 the day after.

CREATE TABLE asset_ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    asset_no TEXT NOT NULL,
    asset_no_key TEXT NOT NULL,
    name TEXT NOT NULL,
    original_value_fen BIGINT NOT NULL,
    accepted_on DATE NOT NULL CONSTRAINT asset_ledger_accepted_on_date CHECK (accepted_on GLOB '????-??-??'),
    disposed_on DATE CONSTRAINT asset_ledger_disposed_on_date CHECK (disposed_on GLOB '????-??-??'),
    created_at TIMESTAMP NOT NULL CONSTRAINT asset_ledger_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT asset_ledger_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
CREATE UNIQUE INDEX asset_ledger_asset_no_unique ON asset_ledger (organization_id, asset_no_key);
CREATE INDEX asset_ledger_organization ON asset_ledger (organization_id, id);

CREATE TABLE duty (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    kind TEXT NOT NULL CONSTRAINT duty_kind_known CHECK (kind IN ('register', 'share', 'use')),
    year BIGINT NOT NULL,
    asset_no TEXT NOT NULL,
    asset_no_key TEXT NOT NULL,
    name TEXT NOT NULL,
    instrument_id BIGINT,
    due_on DATE NOT NULL CONSTRAINT duty_due_on_date CHECK (due_on GLOB '????-??-??'),
    met_on DATE CONSTRAINT duty_met_on_date CHECK (met_on GLOB '????-??-??'),
    ended_on DATE CONSTRAINT duty_ended_on_date CHECK (ended_on GLOB '????-??-??'),
    state TEXT NOT NULL CONSTRAINT duty_state_known CHECK (state IN ('open', 'met', 'late', 'missed', 'exempt')),
    detail TEXT CONSTRAINT duty_detail_known CHECK (detail IN ('idle', 'underused')),
    told BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT duty_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT duty_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
CREATE UNIQUE INDEX duty_unique ON duty (organization_id, kind, year, asset_no_key);
CREATE INDEX duty_organization ON duty (organization_id, id);
CREATE INDEX duty_organization_updated ON duty (organization_id, updated_at, id);
CREATE INDEX duty_updated ON duty (updated_at, id);

CREATE TABLE duty_basis (
    organization_id BIGINT NOT NULL PRIMARY KEY REFERENCES organization (id),
    basis TEXT NOT NULL
);
