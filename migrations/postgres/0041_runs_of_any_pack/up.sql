-- Runs of any pack: values for its parameters, a claim window, a budget for each pool, several awards to hosts and using units,
-- units without a grade, facts that a run freezes itself, and what-ifs. The days that a final run counted are a table of their own:
-- nobody changes usage and money of them any more.

ALTER TABLE evaluation ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
ALTER TABLE evaluation ADD COLUMN is_scenario BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE evaluation ADD COLUMN is_stale BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE subsidy_run ADD COLUMN terms TEXT NOT NULL DEFAULT '{}';
ALTER TABLE subsidy_run ADD COLUMN is_scenario BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE subsidy_run ADD COLUMN is_stale BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE subsidy_run ADD COLUMN claim TEXT;
ALTER TABLE subsidy_run ADD COLUMN pools TEXT NOT NULL DEFAULT '[]';
DROP INDEX subsidy_run_final_unique;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year, policy_code, coalesce(claim, '')) WHERE state = 'final';

ALTER TABLE evaluation_unit ALTER COLUMN grade DROP NOT NULL;
ALTER TABLE award ALTER COLUMN grade DROP NOT NULL;
ALTER TABLE award ADD COLUMN award_code TEXT NOT NULL DEFAULT '';
ALTER TABLE award ADD COLUMN recipient TEXT NOT NULL DEFAULT 'host' CONSTRAINT award_recipient_known CHECK (recipient IN ('host', 'user'));
ALTER TABLE award ADD COLUMN pool TEXT;
ALTER TABLE award DROP CONSTRAINT award_unique;
ALTER TABLE award ADD CONSTRAINT award_unique UNIQUE (subsidy_run_id, award_code, organization_id);

CREATE TABLE counted_span (
    kind TEXT NOT NULL CONSTRAINT counted_span_kind_known CHECK (kind IN ('evaluation', 'subsidy_run')),
    run_id BIGINT NOT NULL,
    year BIGINT NOT NULL,
    first_on DATE NOT NULL,
    last_on DATE NOT NULL,
    CONSTRAINT counted_span_unique PRIMARY KEY (kind, run_id)
);
CREATE INDEX counted_span_by_day ON counted_span (last_on, first_on);
INSERT INTO counted_span (kind, run_id, year, first_on, last_on)
SELECT 'evaluation', id, year, make_date(year::int, 1, 1), make_date(year::int, 12, 31) FROM evaluation WHERE state = 'final';
INSERT INTO counted_span (kind, run_id, year, first_on, last_on)
SELECT 'subsidy_run', id, year, make_date(year::int, 1, 1), make_date(year::int, 12, 31) FROM subsidy_run WHERE state = 'final';

CREATE TABLE subsidy_run_freeze (
    subsidy_run_id BIGINT PRIMARY KEY NOT NULL REFERENCES subsidy_run (id),
    frozen_at TIMESTAMP NOT NULL,
    frozen_event_id BIGINT REFERENCES event (id),
    input_digest TEXT
);
CREATE INDEX subsidy_run_freeze_by_time ON subsidy_run_freeze (frozen_at);
CREATE TABLE subsidy_run_input (
    subsidy_run_id BIGINT NOT NULL REFERENCES subsidy_run (id),
    position BIGINT NOT NULL,
    line TEXT NOT NULL,
    CONSTRAINT subsidy_run_input_unique PRIMARY KEY (subsidy_run_id, position)
);

CREATE FUNCTION refuse_facts_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT subsidy_run_id FROM changed) c
        JOIN subsidy_run r ON r.id = c.subsidy_run_id WHERE r.state = 'final') THEN
        RAISE EXCEPTION 'subsidy_run_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_run_final';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER subsidy_run_freeze_final_insert AFTER INSERT ON subsidy_run_freeze REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_freeze_final_update AFTER UPDATE ON subsidy_run_freeze REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_freeze_final_move AFTER UPDATE ON subsidy_run_freeze REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_freeze_final_delete AFTER DELETE ON subsidy_run_freeze REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_freeze_no_truncate BEFORE TRUNCATE ON subsidy_run_freeze
FOR EACH STATEMENT EXECUTE FUNCTION refuse('subsidy_run_final');
CREATE TRIGGER subsidy_run_input_final_insert AFTER INSERT ON subsidy_run_input REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_input_final_update AFTER UPDATE ON subsidy_run_input REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_input_final_move AFTER UPDATE ON subsidy_run_input REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_input_final_delete AFTER DELETE ON subsidy_run_input REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_facts_of_final_run();
CREATE TRIGGER subsidy_run_input_no_truncate BEFORE TRUNCATE ON subsidy_run_input
FOR EACH STATEMENT EXECUTE FUNCTION refuse('subsidy_run_final');
