-- What the earlier shape has no room for is dropped: awards besides the first of a unit, those to using units, and facts that runs froze.
DROP TABLE subsidy_run_input;
DROP TABLE subsidy_run_freeze;
DROP TABLE counted_span;
DROP TRIGGER award_final_delete;
DROP TRIGGER award_final_insert;
DROP TRIGGER award_final_move;
DROP TRIGGER award_final_replace;
DROP TRIGGER award_final_update;
DROP TRIGGER award_step_final_delete;
DROP TRIGGER award_step_final_insert;
DROP TRIGGER award_step_final_replace;
DROP TRIGGER award_step_final_row_move;
DROP TRIGGER award_step_final_update;
DELETE FROM award_step WHERE award_id IN (SELECT id FROM award WHERE recipient = 'user' OR EXISTS
    (SELECT 1 FROM award other WHERE other.subsidy_run_id = award.subsidy_run_id AND other.organization_id = award.organization_id AND other.id < award.id));
DELETE FROM award WHERE recipient = 'user' OR EXISTS
    (SELECT 1 FROM award other WHERE other.subsidy_run_id = award.subsidy_run_id AND other.organization_id = award.organization_id AND other.id < award.id);
CREATE TABLE earlier_unit AS SELECT * FROM evaluation_unit;
CREATE TABLE earlier_award AS SELECT * FROM award;
CREATE TABLE earlier_step AS SELECT * FROM award_step;
DROP TABLE award_step;
DROP TABLE award;
DROP TABLE evaluation_unit;
CREATE TABLE evaluation_unit (
    evaluation_id BIGINT NOT NULL REFERENCES evaluation (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    total TEXT NOT NULL,
    grade TEXT NOT NULL CONSTRAINT evaluation_unit_grade_known CHECK (grade IN ('excellent', 'good', 'pass', 'fail')),
    place BIGINT NOT NULL,
    scores TEXT NOT NULL,
    instruments TEXT NOT NULL,
    uscc TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    CONSTRAINT evaluation_unit_unique PRIMARY KEY (evaluation_id, organization_id)
);
CREATE TABLE award (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    subsidy_run_id BIGINT NOT NULL REFERENCES subsidy_run (id),
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    grade TEXT NOT NULL,
    before_pool_fen TEXT NOT NULL,
    award_fen BIGINT NOT NULL CONSTRAINT award_not_negative CHECK (award_fen >= 0),
    instruments TEXT NOT NULL,
    name TEXT NOT NULL DEFAULT '',
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
INSERT INTO evaluation_unit (evaluation_id, organization_id, total, grade, place, scores, instruments, uscc, name) SELECT evaluation_id, organization_id, total, coalesce(grade, 'fail'), place, scores, instruments, uscc, name FROM earlier_unit;
INSERT INTO award (id, subsidy_run_id, organization_id, grade, before_pool_fen, award_fen, instruments, name) SELECT id, subsidy_run_id, organization_id, coalesce(grade, 'fail'), before_pool_fen, award_fen, instruments, name FROM earlier_award;
INSERT INTO award_step (award_id, position, instrument_id, step, operands, before_fen, after_fen) SELECT award_id, position, instrument_id, step, operands, before_fen, after_fen FROM earlier_step;
DROP TABLE earlier_step;
DROP TABLE earlier_award;
DROP TABLE earlier_unit;
CREATE TRIGGER evaluation_unit_final_delete BEFORE DELETE ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_insert BEFORE INSERT ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_replace BEFORE INSERT ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation_unit t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_row_move BEFORE UPDATE ON evaluation_unit
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM evaluation_unit t WHERE t.rowid = NEW.rowid AND (EXISTS (SELECT 1 FROM evaluation WHERE id = t.evaluation_id AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id = t.evaluation_id AND state = 'final')))
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER evaluation_unit_final_update BEFORE UPDATE ON evaluation_unit
WHEN EXISTS (SELECT 1 FROM evaluation WHERE id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
    OR EXISTS (SELECT 1 FROM subsidy_run WHERE evaluation_id IN (OLD.evaluation_id, NEW.evaluation_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'evaluation_final'); END;
CREATE TRIGGER award_final_delete BEFORE DELETE ON award
WHEN (SELECT state FROM subsidy_run WHERE id = OLD.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_insert BEFORE INSERT ON award
WHEN (SELECT state FROM subsidy_run WHERE id = NEW.subsidy_run_id) = 'final'
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_move BEFORE UPDATE OF id ON award
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id = NEW.id AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_replace BEFORE INSERT ON award
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id = NEW.id AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_final_update BEFORE UPDATE ON award
WHEN EXISTS (SELECT 1 FROM subsidy_run WHERE id IN (OLD.subsidy_run_id, NEW.subsidy_run_id) AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_delete BEFORE DELETE ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (OLD.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_insert BEFORE INSERT ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (NEW.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_replace BEFORE INSERT ON award_step
WHEN EXISTS (SELECT 1 FROM award_step s JOIN award a ON a.id = s.award_id JOIN subsidy_run r ON r.id = a.subsidy_run_id
    WHERE s.rowid = NEW.rowid AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_row_move BEFORE UPDATE ON award_step
WHEN NEW.rowid <> OLD.rowid AND EXISTS (SELECT 1 FROM award_step s JOIN award a ON a.id = s.award_id
    JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE s.rowid = NEW.rowid AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
CREATE TRIGGER award_step_final_update BEFORE UPDATE ON award_step
WHEN EXISTS (SELECT 1 FROM award a JOIN subsidy_run r ON r.id = a.subsidy_run_id WHERE a.id IN (OLD.award_id, NEW.award_id) AND r.state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final'); END;
DROP TRIGGER subsidy_run_final_year_replace;
DROP TRIGGER subsidy_run_final_year_move;
DROP INDEX subsidy_run_final_unique;
ALTER TABLE evaluation DROP COLUMN terms;
ALTER TABLE evaluation DROP COLUMN is_scenario;
ALTER TABLE evaluation DROP COLUMN is_stale;
ALTER TABLE subsidy_run DROP COLUMN terms;
ALTER TABLE subsidy_run DROP COLUMN is_scenario;
ALTER TABLE subsidy_run DROP COLUMN is_stale;
ALTER TABLE subsidy_run DROP COLUMN claim;
ALTER TABLE subsidy_run DROP COLUMN pools;
CREATE UNIQUE INDEX subsidy_run_final_unique ON subsidy_run (year, policy_code) WHERE state = 'final';
CREATE TRIGGER subsidy_run_final_year_replace BEFORE INSERT ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> NEW.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
CREATE TRIGGER subsidy_run_final_year_move BEFORE UPDATE OF year, policy_code, state ON subsidy_run
WHEN NEW.state = 'final' AND EXISTS (SELECT 1 FROM subsidy_run WHERE year = NEW.year AND policy_code = NEW.policy_code AND id <> OLD.id AND state = 'final')
BEGIN SELECT RAISE(ABORT, 'subsidy_run_final_unique'); END;
