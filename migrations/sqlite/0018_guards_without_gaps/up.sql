-- What is never changed is not replaced either: REPLACE removes the row in its way without asking the triggers of DELETE, by its
-- id, by another unique key, or by the rowid that every table has. And the text of a policy that a run used stands.

CREATE TRIGGER event_no_replace BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'event_append_only'); END;

CREATE TRIGGER evaluation_final_replace BEFORE INSERT ON evaluation
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id = NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_final_year_replace BEFORE INSERT ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;
CREATE TRIGGER evaluation_final_move BEFORE UPDATE OF id ON evaluation
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id = NEW.id AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_final_year_move BEFORE UPDATE OF year, state ON evaluation
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM evaluation WHERE year = NEW.year AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final_unique'); END;

CREATE TRIGGER subsidy_run_final_replace BEFORE INSERT ON subsidy_run
WHEN EXISTS (SELECT 1 FROM subsidy_run WHERE id = NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER subsidy_run_final_year_replace BEFORE INSERT ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
CREATE TRIGGER subsidy_run_final_move BEFORE UPDATE OF id ON subsidy_run
WHEN EXISTS (SELECT 1 FROM subsidy_run WHERE id = NEW.id AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER subsidy_run_final_year_move BEFORE UPDATE OF year, state ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;

CREATE TRIGGER award_final_replace BEFORE INSERT ON award
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id = NEW.id AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_move BEFORE UPDATE OF id ON award
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id = NEW.id AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_replace BEFORE INSERT ON award_step
WHEN EXISTS (SELECT 1 FROM award_step s JOIN award a ON a.id = s.award_id JOIN subsidy_run r ON r.id = a.subsidy_run_id
    WHERE s.rowid = NEW.rowid AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_row_move BEFORE UPDATE ON award_step
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM award_step s JOIN award a ON a.id = s.award_id
    JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE s.rowid = NEW.rowid AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;

CREATE TRIGGER evaluation_input_final_replace BEFORE INSERT ON evaluation_input
WHEN EXISTS (SELECT 1 FROM evaluation_input t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_input_final_row_move BEFORE UPDATE ON evaluation_input
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM evaluation_input t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;

CREATE TRIGGER evaluation_unit_final_replace BEFORE INSERT ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation_unit t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_row_move BEFORE UPDATE ON evaluation_unit
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM evaluation_unit t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;

CREATE TRIGGER expert_score_final_replace BEFORE INSERT ON expert_score
WHEN EXISTS (SELECT 1 FROM expert_score t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER expert_score_final_row_move BEFORE UPDATE ON expert_score
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM expert_score t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;

CREATE TRIGGER policy_used_update BEFORE UPDATE ON policy
WHEN (EXISTS (SELECT 1 FROM evaluation WHERE policy_id = OLD.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = OLD.id))
BEGIN SELECT RAISE(ABORT, 'policy_used'); END;
CREATE TRIGGER policy_used_replace BEFORE INSERT ON policy
WHEN (EXISTS (SELECT 1 FROM evaluation WHERE policy_id = NEW.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = NEW.id))
BEGIN SELECT RAISE(ABORT, 'policy_used'); END;
CREATE TRIGGER policy_version_replace BEFORE INSERT ON policy
WHEN EXISTS (SELECT 1 FROM policy WHERE code = NEW.code AND version = NEW.version AND id <> NEW.id)
BEGIN SELECT RAISE(ABORT, 'policy_version_unique'); END;
CREATE TRIGGER policy_used_move BEFORE UPDATE ON policy
WHEN EXISTS (SELECT 1 FROM policy p WHERE p.id <> OLD.id AND (p.id = NEW.id OR (p.code = NEW.code AND p.version = NEW.version))
    AND (EXISTS (SELECT 1 FROM evaluation WHERE policy_id = p.id) OR EXISTS (SELECT 1 FROM subsidy_run WHERE policy_id = p.id)))
BEGIN SELECT RAISE(ABORT, 'policy_version_unique'); END;
