-- What looks wrong in a year: one row for each rule, year and subject, whatever finds it again.
CREATE TABLE finding (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL,
    rule TEXT NOT NULL,
    subject TEXT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    counterpart_organization_id BIGINT REFERENCES organization (id),
    instrument_id BIGINT REFERENCES instrument (id),
    records BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    income_fen BIGINT NOT NULL,
    record_ids TEXT NOT NULL,
    facts_digest TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT finding_state_known CHECK (state IN ('open', 'explained', 'cleared', 'upheld')),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT finding_subject_unique UNIQUE (year, rule, subject)
);
CREATE INDEX finding_updated ON finding (updated_at, id);
CREATE INDEX finding_year ON finding (year, id);
CREATE INDEX finding_organization ON finding (organization_id, id);
-- Who ran instruments at the same time is asked of one operator's services alone.
CREATE INDEX usage_record_operator ON usage_record (md5(operator), started_at) WHERE operator IS NOT NULL;
