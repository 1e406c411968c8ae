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
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    year BIGINT NOT NULL,
    policy_id BIGINT NOT NULL REFERENCES policy (id),
    policy_digest TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT evaluation_state_known CHECK (state IN ('running', 'draft', 'published', 'final', 'discarded', 'failed')),
    progress BIGINT NOT NULL,
    failure TEXT,
    frozen_at TIMESTAMP CONSTRAINT evaluation_frozen_at_utc CHECK (frozen_at GLOB '????-??-?? ??:??:??'),
    frozen_event_id BIGINT REFERENCES event (id),
    input_digest TEXT,
    result_digest TEXT,
    created_by BIGINT REFERENCES user_account (id),
    published_by BIGINT REFERENCES user_account (id),
    finalized_by BIGINT REFERENCES user_account (id),
    published_at TIMESTAMP CONSTRAINT evaluation_published_at_utc CHECK (published_at GLOB '????-??-?? ??:??:??'),
    finalized_at TIMESTAMP CONSTRAINT evaluation_finalized_at_utc CHECK (finalized_at GLOB '????-??-?? ??:??:??'),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT evaluation_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT evaluation_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
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
    entered_at TIMESTAMP NOT NULL CONSTRAINT expert_score_entered_at_utc CHECK (entered_at GLOB '????-??-?? ??:??:??'),
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
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
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
    published_at TIMESTAMP CONSTRAINT subsidy_run_published_at_utc CHECK (published_at GLOB '????-??-?? ??:??:??'),
    finalized_at TIMESTAMP CONSTRAINT subsidy_run_finalized_at_utc CHECK (finalized_at GLOB '????-??-?? ??:??:??'),
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT subsidy_run_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    updated_at TIMESTAMP NOT NULL CONSTRAINT subsidy_run_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT subsidy_run_spends_its_budget CHECK (awarded_fen IS NULL OR awarded_fen + unspent_fen = budget_fen)
);
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year) WHERE state = 'final';

CREATE TABLE award (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
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

CREATE TRIGGER evaluation_final_update BEFORE UPDATE ON evaluation WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_final_delete BEFORE DELETE ON evaluation WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER subsidy_run_final_update BEFORE UPDATE ON subsidy_run WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER subsidy_run_final_delete BEFORE DELETE ON subsidy_run WHEN OLD.state = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_update BEFORE UPDATE ON award
WHEN (SELECT state FROM subsidy_run WHERE id = OLD.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_delete BEFORE DELETE ON award
WHEN (SELECT state FROM subsidy_run WHERE id = OLD.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_insert BEFORE INSERT ON award
WHEN (SELECT state FROM subsidy_run WHERE id = NEW.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
