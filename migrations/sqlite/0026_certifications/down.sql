DROP TRIGGER charge_below_update;
DROP TRIGGER charge_below_insert;
DROP TRIGGER payment_above_update;
DROP TRIGGER payment_above_insert;
DROP TRIGGER payment_line_above_update;
DROP TRIGGER payment_line_above_insert;
DROP TABLE certification;
