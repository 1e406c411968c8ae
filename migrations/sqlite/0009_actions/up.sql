-- The word of the contract for what somebody does.
ALTER TABLE event RENAME COLUMN deed TO action;
-- Answers are kept as clients got them from here on; what was kept before was not an answer.
DELETE FROM idempotency_key;
