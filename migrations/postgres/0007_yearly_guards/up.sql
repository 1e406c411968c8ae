-- What is final stands whole: the rows beneath a final evaluation, or beneath one that a final run stands on, and the steps
-- of a final run never change. Graded units and awards keep the names under which they were made.

ALTER TABLE evaluation_unit ADD COLUMN uscc TEXT NOT NULL DEFAULT '';
ALTER TABLE evaluation_unit ADD COLUMN name TEXT NOT NULL DEFAULT '';
UPDATE evaluation_unit SET
    uscc = (SELECT uscc FROM organization WHERE organization.id = evaluation_unit.organization_id),
    name = (SELECT name FROM organization WHERE organization.id = evaluation_unit.organization_id);
ALTER TABLE award ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE award DISABLE TRIGGER award_final;
UPDATE award SET name = (SELECT name FROM organization WHERE organization.id = award.organization_id);
ALTER TABLE award ENABLE TRIGGER award_final;

CREATE OR REPLACE FUNCTION refuse_award_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM subsidy_run WHERE id IN (OLD.subsidy_run_id, NEW.subsidy_run_id) AND state = 'final') THEN
        RAISE EXCEPTION 'subsidy_run_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_run_final';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;

-- Whole statements are judged, not rows: a year has hundreds of thousands of lines.
CREATE FUNCTION refuse_steps_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT award_id FROM changed) c JOIN award a ON a.id = c.award_id
        JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE r.state = 'final') THEN
        RAISE EXCEPTION 'subsidy_run_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_run_final';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION refuse_rows_of_final_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM (SELECT DISTINCT evaluation_id FROM changed) c
        WHERE EXISTS (SELECT 1 FROM evaluation e WHERE e.id = c.evaluation_id AND e.state = 'final')
        OR EXISTS (SELECT 1 FROM subsidy_run r WHERE r.evaluation_id = c.evaluation_id AND r.state = 'final')) THEN
        RAISE EXCEPTION 'evaluation_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'evaluation_final';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER award_step_final_insert AFTER INSERT ON award_step REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_steps_of_final_run();
CREATE TRIGGER award_step_final_update AFTER UPDATE ON award_step REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_steps_of_final_run();
CREATE TRIGGER award_step_final_move AFTER UPDATE ON award_step REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_steps_of_final_run();
CREATE TRIGGER award_step_final_delete AFTER DELETE ON award_step REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_steps_of_final_run();

CREATE TRIGGER evaluation_input_final_insert AFTER INSERT ON evaluation_input REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_input_final_update AFTER UPDATE ON evaluation_input REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_input_final_move AFTER UPDATE ON evaluation_input REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_input_final_delete AFTER DELETE ON evaluation_input REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();

CREATE TRIGGER evaluation_unit_final_insert AFTER INSERT ON evaluation_unit REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_unit_final_update AFTER UPDATE ON evaluation_unit REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_unit_final_move AFTER UPDATE ON evaluation_unit REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER evaluation_unit_final_delete AFTER DELETE ON evaluation_unit REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();

CREATE TRIGGER expert_score_final_insert AFTER INSERT ON expert_score REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER expert_score_final_update AFTER UPDATE ON expert_score REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER expert_score_final_move AFTER UPDATE ON expert_score REFERENCING NEW TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
CREATE TRIGGER expert_score_final_delete AFTER DELETE ON expert_score REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rows_of_final_evaluation();
