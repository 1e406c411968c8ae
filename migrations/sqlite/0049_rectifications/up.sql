-- What a unit has to mend, as who supervises it says, by a day; the unit reports, who supervises accepts.

CREATE TABLE rectification (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    cause TEXT NOT NULL CONSTRAINT rectification_cause_known CHECK (cause IN ('evaluation_failed', 'registration', 'sharing', 'finding', 'other')),
    text TEXT NOT NULL,
    due_on DATE NOT NULL CONSTRAINT rectification_due_on_date CHECK (due_on GLOB '????-??-??'),
    state TEXT NOT NULL CONSTRAINT rectification_state_known CHECK (state IN ('open', 'reported', 'accepted')),
    report TEXT,
    reported_by BIGINT REFERENCES user_account (id),
    reported_at TIMESTAMP CONSTRAINT rectification_reported_at_utc CHECK (reported_at GLOB '????-??-?? ??:??:??'),
    acceptance TEXT,
    accepted_by BIGINT REFERENCES user_account (id),
    accepted_at TIMESTAMP CONSTRAINT rectification_accepted_at_utc CHECK (accepted_at GLOB '????-??-?? ??:??:??'),
    created_by BIGINT NOT NULL REFERENCES user_account (id),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT rectification_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT rectification_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
CREATE INDEX rectification_organization ON rectification (organization_id, id);
CREATE INDEX rectification_updated ON rectification (updated_at, id);
