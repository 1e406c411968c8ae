-- A finding is shown to its unit, which explains it. Every record that it is about has a row, so that it can be listed and taken out;
-- a scan looks for findings when somebody asks for it.
ALTER TABLE finding ADD COLUMN due_on DATE;
ALTER TABLE finding ADD COLUMN explanation TEXT;
ALTER TABLE finding ADD COLUMN grade TEXT CONSTRAINT finding_grade_known CHECK (grade IN ('excellent', 'good', 'pass', 'fail'));
ALTER TABLE finding ADD COLUMN is_cut BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE finding_record (
    finding_id BIGINT NOT NULL REFERENCES finding (id),
    usage_record_id BIGINT NOT NULL REFERENCES usage_record (id),
    is_affected BOOLEAN NOT NULL,
    CONSTRAINT finding_record_unique PRIMARY KEY (finding_id, usage_record_id)
);
INSERT INTO finding_record (finding_id, usage_record_id, is_affected)
SELECT f.id, CAST(j AS BIGINT), FALSE FROM finding f, jsonb_array_elements_text(CAST(f.record_ids AS jsonb)) j;
CREATE TABLE finding_scan (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT finding_scan_state_known CHECK (state IN ('running', 'done', 'failed')),
    found BIGINT,
    changed BIGINT,
    failure TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
