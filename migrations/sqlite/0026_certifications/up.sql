-- What a unit was certified as, and for how long: both days included.
CREATE TABLE certification (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    code TEXT NOT NULL,
    valid_from_on DATE CONSTRAINT certification_valid_from_on_date CHECK (valid_from_on GLOB '????-??-??'),
    valid_until_on DATE CONSTRAINT certification_valid_until_on_date CHECK (valid_until_on GLOB '????-??-??'),
    document_no TEXT,
    CONSTRAINT certification_days_in_order CHECK (valid_from_on <= valid_until_on)
);
CREATE INDEX certification_organization ON certification (organization_id, id);
INSERT INTO certification (organization_id, code) SELECT id, 'sme' FROM organization WHERE is_sme ORDER BY id;

-- What was received never exceeds the charge; nor does what is declared, beside what was received before it.
CREATE TRIGGER payment_line_above_insert AFTER INSERT ON payment_line
WHEN NEW.amount_fen <= 0 OR (SELECT amount_fen FROM charge WHERE id = NEW.charge_id) <
    (SELECT coalesce(sum(l.amount_fen), 0) FROM payment_line l JOIN payment p ON p.id = l.payment_id WHERE l.charge_id = NEW.charge_id
        AND (p.state = 'received' OR (p.state = 'declared' AND p.id = NEW.payment_id)))
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
CREATE TRIGGER payment_line_above_update AFTER UPDATE ON payment_line
WHEN NEW.amount_fen <= 0 OR (SELECT amount_fen FROM charge WHERE id = NEW.charge_id) <
    (SELECT coalesce(sum(l.amount_fen), 0) FROM payment_line l JOIN payment p ON p.id = l.payment_id WHERE l.charge_id = NEW.charge_id
        AND (p.state = 'received' OR (p.state = 'declared' AND p.id = NEW.payment_id)))
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
-- By REPLACE as by UPDATE.
CREATE TRIGGER payment_above_insert AFTER INSERT ON payment
WHEN NEW.state = 'received' AND EXISTS (SELECT 1 FROM payment_line own JOIN charge c ON c.id = own.charge_id WHERE own.payment_id = NEW.id
    AND c.amount_fen < (SELECT sum(l.amount_fen) FROM payment_line l JOIN payment p ON p.id = l.payment_id
        WHERE l.charge_id = c.id AND p.state = 'received'))
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
CREATE TRIGGER payment_above_update AFTER UPDATE OF id, state ON payment
WHEN NEW.state = 'received' AND EXISTS (SELECT 1 FROM payment_line own JOIN charge c ON c.id = own.charge_id WHERE own.payment_id = NEW.id
    AND c.amount_fen < (SELECT sum(l.amount_fen) FROM payment_line l JOIN payment p ON p.id = l.payment_id
        WHERE l.charge_id = c.id AND p.state = 'received'))
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
CREATE TRIGGER charge_below_insert AFTER INSERT ON charge
WHEN NEW.amount_fen < (SELECT sum(l.amount_fen) FROM payment_line l JOIN payment p ON p.id = l.payment_id
    WHERE l.charge_id = NEW.id AND p.state = 'received')
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
CREATE TRIGGER charge_below_update AFTER UPDATE OF id, amount_fen ON charge
WHEN NEW.amount_fen < (SELECT sum(l.amount_fen) FROM payment_line l JOIN payment p ON p.id = l.payment_id
    WHERE l.charge_id = NEW.id AND p.state = 'received')
BEGIN SELECT RAISE(ABORT, 'payment_above_charge'); END;
