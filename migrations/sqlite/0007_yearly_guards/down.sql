DROP TRIGGER expert_score_final_insert;
DROP TRIGGER expert_score_final_update;
DROP TRIGGER expert_score_final_delete;
DROP TRIGGER evaluation_unit_final_insert;
DROP TRIGGER evaluation_unit_final_update;
DROP TRIGGER evaluation_unit_final_delete;
DROP TRIGGER evaluation_input_final_insert;
DROP TRIGGER evaluation_input_final_update;
DROP TRIGGER evaluation_input_final_delete;
DROP TRIGGER award_step_final_insert;
DROP TRIGGER award_step_final_update;
DROP TRIGGER award_step_final_delete;
DROP TRIGGER award_final_update;
CREATE TRIGGER award_final_update BEFORE UPDATE ON award
WHEN (SELECT state FROM subsidy_run WHERE id = OLD.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
ALTER TABLE award DROP COLUMN name;
ALTER TABLE evaluation_unit DROP COLUMN name;
ALTER TABLE evaluation_unit DROP COLUMN uscc;
