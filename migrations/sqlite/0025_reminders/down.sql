DROP INDEX booking_due;
ALTER TABLE booking DROP COLUMN reminded_of;
