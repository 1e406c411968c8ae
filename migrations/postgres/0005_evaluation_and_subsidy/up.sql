-- The yearly run: frozen inputs, scores, awards and every step. What is final never changes again.

-- Figures a unit reports for a year in place of live records: requests received and answered, expert scores.
CREATE TABLE reported_metric (
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    year BIGINT NOT NULL,
    metric TEXT NOT NULL,
    value TEXT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    CONSTRAINT reported_metric_unique PRIMARY KEY (organization_id, year, metric)
);

CREATE TABLE evaluation (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL,
    policy_id BIGINT NOT NULL REFERENCES policy (id),
    policy_digest TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT evaluation_state_known CHECK (state IN ('running', 'draft', 'published', 'final', 'discarded', 'failed')),
    progress BIGINT NOT NULL,
    failure TEXT,
    frozen_at TIMESTAMP,
    frozen_event_id BIGINT REFERENCES event (id),
    input_digest TEXT,
    result_digest TEXT,
    created_by BIGINT REFERENCES user_account (id),
    published_by BIGINT REFERENCES user_account (id),
    finalized_by BIGINT REFERENCES user_account (id),
    published_at TIMESTAMP,
    finalized_at TIMESTAMP,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX evaluation_final_unique ON evaluation (year) WHERE state = 'final';

CREATE TABLE evaluation_input (
    evaluation_id BIGINT NOT NULL REFERENCES evaluation (id),
    position BIGINT NOT NULL,
    line TEXT NOT NULL,
    CONSTRAINT evaluation_input_unique PRIMARY KEY (evaluation_id, position)
);

CREATE TABLE expert_score (
    evaluation_id BIGINT NOT NULL REFERENCES evaluation (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    indicator TEXT NOT NULL,
    points TEXT NOT NULL,
    entered_by BIGINT REFERENCES user_account (id),
    entered_at TIMESTAMP NOT NULL,
    CONSTRAINT expert_score_unique PRIMARY KEY (evaluation_id, organization_id, indicator)
);

CREATE TABLE evaluation_unit (
    evaluation_id BIGINT NOT NULL REFERENCES evaluation (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    total TEXT NOT NULL,
    grade TEXT NOT NULL CONSTRAINT evaluation_unit_grade_known CHECK (grade IN ('excellent', 'good', 'pass', 'fail')),
    place BIGINT NOT NULL,
    scores TEXT NOT NULL,
    instruments TEXT NOT NULL,
    CONSTRAINT evaluation_unit_unique PRIMARY KEY (evaluation_id, organization_id)
);

CREATE TABLE subsidy_run (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    year BIGINT NOT NULL,
    policy_id BIGINT NOT NULL REFERENCES policy (id),
    policy_digest TEXT NOT NULL,
    evaluation_id BIGINT REFERENCES evaluation (id),
    budget_fen BIGINT NOT NULL CONSTRAINT subsidy_run_budget_not_negative CHECK (budget_fen >= 0),
    state TEXT NOT NULL CONSTRAINT subsidy_run_state_known CHECK (state IN ('running', 'draft', 'published', 'final', 'discarded', 'failed')),
    progress BIGINT NOT NULL,
    failure TEXT,
    factor TEXT,
    sum_before_pool_fen TEXT,
    awarded_fen BIGINT,
    unspent_fen BIGINT,
    result_digest TEXT,
    created_by BIGINT REFERENCES user_account (id),
    published_by BIGINT REFERENCES user_account (id),
    finalized_by BIGINT REFERENCES user_account (id),
    published_at TIMESTAMP,
    finalized_at TIMESTAMP,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT subsidy_run_spends_its_budget CHECK (awarded_fen IS NULL OR awarded_fen + unspent_fen = budget_fen)
);
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year) WHERE state = 'final';

CREATE TABLE award (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subsidy_run_id BIGINT NOT NULL REFERENCES subsidy_run (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    grade TEXT NOT NULL,
    before_pool_fen TEXT NOT NULL,
    award_fen BIGINT NOT NULL CONSTRAINT award_not_negative CHECK (award_fen >= 0),
    instruments TEXT NOT NULL,
    CONSTRAINT award_unique UNIQUE (subsidy_run_id, organization_id)
);

CREATE TABLE award_step (
    award_id BIGINT NOT NULL REFERENCES award (id),
    position BIGINT NOT NULL,
    instrument_id BIGINT REFERENCES instrument (id),
    step TEXT NOT NULL,
    operands TEXT NOT NULL,
    before_fen TEXT NOT NULL,
    after_fen TEXT NOT NULL,
    CONSTRAINT award_step_unique PRIMARY KEY (award_id, position)
);

CREATE TRIGGER evaluation_final BEFORE UPDATE OR DELETE ON evaluation
FOR EACH ROW WHEN (OLD.state = 'final') EXECUTE FUNCTION refuse('evaluation_final');
CREATE TRIGGER subsidy_run_final BEFORE UPDATE OR DELETE ON subsidy_run
FOR EACH ROW WHEN (OLD.state = 'final') EXECUTE FUNCTION refuse('subsidy_run_final');
CREATE FUNCTION refuse_award_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM subsidy_run WHERE id = COALESCE(NEW.subsidy_run_id, OLD.subsidy_run_id)) = 'final' THEN
        RAISE EXCEPTION 'subsidy_run_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_run_final';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER award_final BEFORE INSERT OR UPDATE OR DELETE ON award
FOR EACH ROW EXECUTE FUNCTION refuse_award_of_final_run();
