-- One writer commits in the order of ids, so every transaction_id is 0 and the trail is read by its primary key alone; the
-- index is PostgreSQL's.
SELECT 1;
