DROP TRIGGER charge_below ON charge;
DROP TRIGGER payment_above ON payment;
DROP TRIGGER payment_above_charge ON payment_line;
DROP FUNCTION check_charge_amount();
DROP FUNCTION check_payment_state();
DROP FUNCTION check_payment_line();
DROP FUNCTION refuse_payment_above_charge(BIGINT, BIGINT);
DROP TABLE certification;
