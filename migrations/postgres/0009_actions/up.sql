-- The word of the contract for what somebody does.
ALTER TABLE event RENAME COLUMN deed TO action;
