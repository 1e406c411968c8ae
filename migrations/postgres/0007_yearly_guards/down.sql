DROP TRIGGER award_step_final_insert ON award_step;
DROP TRIGGER award_step_final_update ON award_step;
DROP TRIGGER award_step_final_move ON award_step;
DROP TRIGGER award_step_final_delete ON award_step;
DROP TRIGGER evaluation_input_final_insert ON evaluation_input;
DROP TRIGGER evaluation_input_final_update ON evaluation_input;
DROP TRIGGER evaluation_input_final_move ON evaluation_input;
DROP TRIGGER evaluation_input_final_delete ON evaluation_input;
DROP TRIGGER evaluation_unit_final_insert ON evaluation_unit;
DROP TRIGGER evaluation_unit_final_update ON evaluation_unit;
DROP TRIGGER evaluation_unit_final_move ON evaluation_unit;
DROP TRIGGER evaluation_unit_final_delete ON evaluation_unit;
DROP TRIGGER expert_score_final_insert ON expert_score;
DROP TRIGGER expert_score_final_update ON expert_score;
DROP TRIGGER expert_score_final_move ON expert_score;
DROP TRIGGER expert_score_final_delete ON expert_score;
DROP FUNCTION refuse_rows_of_final_evaluation();
DROP FUNCTION refuse_steps_of_final_run();
CREATE OR REPLACE FUNCTION refuse_award_of_final_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM subsidy_run WHERE id = COALESCE(NEW.subsidy_run_id, OLD.subsidy_run_id)) = 'final' THEN
        RAISE EXCEPTION 'subsidy_run_final' USING ERRCODE = 'check_violation', CONSTRAINT = 'subsidy_run_final';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
ALTER TABLE award DROP COLUMN name;
ALTER TABLE evaluation_unit DROP COLUMN name;
ALTER TABLE evaluation_unit DROP COLUMN uscc;
