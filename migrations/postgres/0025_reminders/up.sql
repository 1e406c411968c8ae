-- The term of a request of which its host was reminded. A request that is moved has another one and is told of again; nobody
-- else sees it, so it is no new version.
ALTER TABLE booking ADD COLUMN reminded_of TIMESTAMP;
CREATE INDEX booking_due ON booking (approval_due_at) WHERE state = 'requested';
