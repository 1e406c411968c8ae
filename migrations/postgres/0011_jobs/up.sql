-- Long work that was promised: leased by one process at a time, one phase a commit, taken up again when its process died.

CREATE TABLE job (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT job_state_known CHECK (state IN ('open', 'done', 'failed', 'cancelled')),
    phase TEXT NOT NULL,
    percent BIGINT NOT NULL CONSTRAINT job_percent_known CHECK (percent BETWEEN 0 AND 100),
    leased_by TEXT,
    leased_until TIMESTAMP,
    attempts BIGINT NOT NULL,
    failure TEXT,
    actor_user_id BIGINT REFERENCES user_account (id),
    actor_organization_id BIGINT REFERENCES organization (id),
    request_id TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT job_subject_unique UNIQUE (kind, subject_id),
    CONSTRAINT job_lease_whole CHECK ((leased_by IS NULL) = (leased_until IS NULL))
);
CREATE INDEX job_open ON job (id) WHERE state = 'open';

-- Runs that a process was working on: they go on, on their freeze where they have one.
INSERT INTO job (kind, subject_id, state, phase, percent, attempts, actor_user_id, created_at, updated_at)
SELECT 'subsidy_run', id, 'open', 'freeze', 0, 0, created_by, created_at, updated_at FROM subsidy_run WHERE state = 'running';
INSERT INTO job (kind, subject_id, state, phase, percent, attempts, actor_user_id, created_at, updated_at)
SELECT 'evaluation', id, 'open', 'freeze', 0, 0, created_by, created_at, updated_at FROM evaluation
WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = evaluation.id AND state = 'running');
