-- What a unit was certified as, and for how long: both days included.
CREATE TABLE certification (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    code TEXT NOT NULL,
    valid_from_on DATE,
    valid_until_on DATE,
    document_no TEXT,
    CONSTRAINT certification_days_in_order CHECK (valid_from_on <= valid_until_on)
);
CREATE INDEX certification_organization ON certification (organization_id, id);
INSERT INTO certification (organization_id, code) SELECT id, 'sme' FROM organization WHERE is_sme ORDER BY id;

-- What was received never exceeds the charge; nor does what is declared, beside what was received before it. The charge is
-- locked first, so that of two payments at once the second counts the first.
CREATE FUNCTION refuse_payment_above_charge(of_charge BIGINT, declared_payment BIGINT) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    owed BIGINT;
    paid NUMERIC;
BEGIN
    SELECT amount_fen INTO owed FROM charge WHERE id = of_charge FOR NO KEY UPDATE;
    SELECT coalesce(sum(l.amount_fen), 0) INTO paid FROM payment_line l JOIN payment p ON p.id = l.payment_id
    WHERE l.charge_id = of_charge AND (p.state = 'received' OR (p.state = 'declared' AND p.id = declared_payment));
    IF paid > owed THEN
        RAISE EXCEPTION 'payment_above_charge' USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_above_charge';
    END IF;
END $$;
CREATE FUNCTION check_payment_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.amount_fen <= 0 THEN
        RAISE EXCEPTION 'payment_above_charge' USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_above_charge';
    END IF;
    PERFORM refuse_payment_above_charge(NEW.charge_id, NEW.payment_id);
    RETURN NULL;
END $$;
CREATE FUNCTION check_payment_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_payment_above_charge(charge_id, NULL) FROM payment_line WHERE payment_id = NEW.id ORDER BY charge_id;
    RETURN NULL;
END $$;
CREATE FUNCTION check_charge_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse_payment_above_charge(NEW.id, NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER payment_above_charge AFTER INSERT OR UPDATE ON payment_line FOR EACH ROW EXECUTE FUNCTION check_payment_line();
CREATE TRIGGER payment_above AFTER UPDATE OF state ON payment FOR EACH ROW
WHEN (NEW.state = 'received') EXECUTE FUNCTION check_payment_state();
CREATE TRIGGER charge_below AFTER UPDATE OF amount_fen ON charge FOR EACH ROW
WHEN (NEW.amount_fen < OLD.amount_fen) EXECUTE FUNCTION check_charge_amount();
