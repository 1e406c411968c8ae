-- Until when a slot is held for a booking that is not yet asked for. It stays where nothing came of the hold: such a booking was
-- never a request.
ALTER TABLE booking ADD COLUMN held_until TIMESTAMP CONSTRAINT booking_held_until_utc CHECK (held_until GLOB '????-??-?? ??:??:??');
