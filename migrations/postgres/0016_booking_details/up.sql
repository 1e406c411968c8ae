-- What a booking says besides (who runs the instrument, what for, what else is wanted, the price that was told, why it
-- ended) is neither found nor sorted by: one document in the row instead of six columns.

ALTER TABLE booking ADD COLUMN details TEXT NOT NULL DEFAULT '{"format":1}';
UPDATE booking SET details = json_strip_nulls(json_build_object('format', 1, 'description', description,
    'operator', operator::json, 'samples', samples, 'service_items', service_items::json, 'quote', quote::json,
    'reason', reason))::text;
ALTER TABLE booking DROP COLUMN description, DROP COLUMN operator, DROP COLUMN samples, DROP COLUMN service_items,
    DROP COLUMN quote, DROP COLUMN reason;
