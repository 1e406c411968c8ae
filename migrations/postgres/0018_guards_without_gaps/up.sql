-- What is never changed is not emptied either: TRUNCATE asks no trigger of DELETE. And the text of a policy that a run used
-- stands.

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION refuse('event_append_only');
CREATE TRIGGER evaluation_no_truncate BEFORE TRUNCATE ON evaluation
FOR EACH STATEMENT EXECUTE FUNCTION refuse('evaluation_final');
CREATE TRIGGER evaluation_input_no_truncate BEFORE TRUNCATE ON evaluation_input
FOR EACH STATEMENT EXECUTE FUNCTION refuse('evaluation_final');
CREATE TRIGGER evaluation_unit_no_truncate BEFORE TRUNCATE ON evaluation_unit
FOR EACH STATEMENT EXECUTE FUNCTION refuse('evaluation_final');
CREATE TRIGGER expert_score_no_truncate BEFORE TRUNCATE ON expert_score
FOR EACH STATEMENT EXECUTE FUNCTION refuse('evaluation_final');
CREATE TRIGGER subsidy_run_no_truncate BEFORE TRUNCATE ON subsidy_run
FOR EACH STATEMENT EXECUTE FUNCTION refuse('subsidy_run_final');
CREATE TRIGGER award_no_truncate BEFORE TRUNCATE ON award
FOR EACH STATEMENT EXECUTE FUNCTION refuse('subsidy_run_final');
CREATE TRIGGER award_step_no_truncate BEFORE TRUNCATE ON award_step
FOR EACH STATEMENT EXECUTE FUNCTION refuse('subsidy_run_final');
CREATE TRIGGER policy_no_truncate BEFORE TRUNCATE ON policy
FOR EACH STATEMENT EXECUTE FUNCTION refuse('policy_used');

-- A run that begins at the same time is waited for.
CREATE FUNCTION refuse_change_of_used_policy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE evaluation, subsidy_run IN SHARE MODE;
    IF EXISTS (SELECT 1 FROM evaluation WHERE policy_id = OLD.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = OLD.id) THEN
        RAISE EXCEPTION 'policy_used' USING ERRCODE = 'check_violation', CONSTRAINT = 'policy_used';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER policy_used BEFORE UPDATE ON policy FOR EACH ROW EXECUTE FUNCTION refuse_change_of_used_policy();
