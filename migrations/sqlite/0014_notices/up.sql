-- Everything that follows from what happened is a consumer of the trail with a kept place. What was to be sent before is
-- not sent any more: the consumer of notices begins behind the newest event.
CREATE TABLE consumer (
    name TEXT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    transaction_id BIGINT NOT NULL,
    event_id BIGINT NOT NULL,
    leased_by TEXT,
    leased_until TIMESTAMP CONSTRAINT consumer_leased_until_utc CHECK (leased_until GLOB '????-??-?? ??:??:??'),
    CONSTRAINT consumer_lease_whole CHECK ((leased_by IS NULL) = (leased_until IS NULL))
);
INSERT INTO consumer (name, epoch, transaction_id, event_id)
SELECT 'notice', epoch, transaction_id, id FROM event ORDER BY epoch DESC, transaction_id DESC, id DESC LIMIT 1;
INSERT INTO consumer (name, epoch, transaction_id, event_id)
SELECT 'notice', 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM consumer);
-- The moment belongs to the request: clients may choose the id, and choose it again.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    recipient_user_id BIGINT NOT NULL REFERENCES user_account (id),
    action TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    request_id TEXT,
    created_at TIMESTAMP NOT NULL CONSTRAINT notice_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    read_at TIMESTAMP CONSTRAINT notice_read_at_utc CHECK (read_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT notice_event_unique UNIQUE (event_id, recipient_user_id),
    CONSTRAINT notice_request_unique UNIQUE (request_id, action, recipient_user_id, created_at)
);
CREATE INDEX notice_recipient ON notice (recipient_user_id, id);
CREATE INDEX notice_action ON notice (recipient_user_id, action, id);
CREATE INDEX notice_unread ON notice (recipient_user_id, id) WHERE read_at IS NULL;
CREATE INDEX notice_created ON notice (created_at);
DROP TABLE delivery;
