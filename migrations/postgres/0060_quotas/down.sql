DROP INDEX booking_unit;
DROP INDEX booking_person;
ALTER TABLE booking DROP COLUMN person_id;
