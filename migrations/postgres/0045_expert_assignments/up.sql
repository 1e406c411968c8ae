-- An assignment asks one evaluator for points of one indicator for some units of a year. Points belong to year, unit, indicator and
-- evaluator, and stand in every evaluation of the year; `max` is what the pack gave at most when it was made.

CREATE TABLE expert_assignment (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL,
    indicator TEXT NOT NULL,
    max TEXT NOT NULL,
    evaluator_user_id BIGINT NOT NULL REFERENCES user_account (id),
    due_on DATE NOT NULL,
    state TEXT NOT NULL CONSTRAINT expert_assignment_state_known CHECK (state IN ('open', 'submitted', 'withdrawn')),
    created_by BIGINT REFERENCES user_account (id),
    submitted_at TIMESTAMP,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX expert_assignment_year ON expert_assignment (year, id);
CREATE INDEX expert_assignment_evaluator ON expert_assignment (evaluator_user_id, id);
CREATE INDEX expert_assignment_updated ON expert_assignment (updated_at, id);

CREATE TABLE expert_assignment_unit (
    expert_assignment_id BIGINT NOT NULL REFERENCES expert_assignment (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    year BIGINT NOT NULL,
    indicator TEXT NOT NULL,
    evaluator_user_id BIGINT NOT NULL REFERENCES user_account (id),
    is_withdrawn BOOLEAN NOT NULL,
    points TEXT,
    text TEXT,
    CONSTRAINT expert_assignment_unit_key PRIMARY KEY (expert_assignment_id, organization_id)
);
CREATE UNIQUE INDEX expert_assignment_unit_unique ON expert_assignment_unit (year, indicator, evaluator_user_id, organization_id)
WHERE NOT is_withdrawn;
CREATE INDEX expert_assignment_unit_year ON expert_assignment_unit (year, organization_id);
