DROP INDEX payment_declared;
ALTER TABLE payment DROP COLUMN ended_event_id;
ALTER TABLE payment DROP COLUMN received_event_id;
ALTER TABLE payment DROP COLUMN reason;
ALTER TABLE payment DROP COLUMN state;
