ALTER TABLE booking ADD COLUMN description TEXT, ADD COLUMN operator TEXT, ADD COLUMN samples BIGINT,
    ADD COLUMN service_items TEXT, ADD COLUMN quote TEXT, ADD COLUMN reason TEXT;
UPDATE booking SET description = details::json ->> 'description', operator = details::json ->> 'operator',
    samples = (details::json ->> 'samples')::bigint, service_items = details::json ->> 'service_items',
    quote = details::json ->> 'quote', reason = details::json ->> 'reason';
ALTER TABLE booking DROP COLUMN details;
