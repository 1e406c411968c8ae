ALTER TABLE booking DROP COLUMN held_until;
