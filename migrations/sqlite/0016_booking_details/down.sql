ALTER TABLE booking ADD COLUMN description TEXT;
ALTER TABLE booking ADD COLUMN operator TEXT;
ALTER TABLE booking ADD COLUMN samples BIGINT;
ALTER TABLE booking ADD COLUMN service_items TEXT;
ALTER TABLE booking ADD COLUMN quote TEXT;
ALTER TABLE booking ADD COLUMN reason TEXT;
UPDATE booking SET description = json_extract(details, '$.description'), operator = json_extract(details, '$.operator'),
    samples = json_extract(details, '$.samples'), service_items = json_extract(details, '$.service_items'),
    quote = json_extract(details, '$.quote'), reason = json_extract(details, '$.reason');
ALTER TABLE booking DROP COLUMN details;
