-- What a booking says besides (who runs the instrument, what for, what else is wanted, the price that was told, why it
-- ended) is neither found nor sorted by: one document in the row instead of six columns.

ALTER TABLE booking ADD COLUMN details TEXT NOT NULL DEFAULT '{"format":1}';
UPDATE booking SET details = json_patch('{"format":1}', json_object('description', description, 'operator', json(operator),
    'samples', samples, 'service_items', json(service_items), 'quote', json(quote), 'reason', reason));
ALTER TABLE booking DROP COLUMN description;
ALTER TABLE booking DROP COLUMN operator;
ALTER TABLE booking DROP COLUMN samples;
ALTER TABLE booking DROP COLUMN service_items;
ALTER TABLE booking DROP COLUMN quote;
ALTER TABLE booking DROP COLUMN reason;
