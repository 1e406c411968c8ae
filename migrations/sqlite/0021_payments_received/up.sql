-- A payment that the payer enters is a declaration; only what the host received counts, from the event of its receipt to that
-- of its reversal. What was entered before counted and goes on counting.
ALTER TABLE payment ADD COLUMN state TEXT NOT NULL DEFAULT 'received'
    CONSTRAINT payment_state_known CHECK (state IN ('declared', 'received', 'refused', 'reversed'));
ALTER TABLE payment ADD COLUMN reason TEXT;
ALTER TABLE payment ADD COLUMN received_event_id BIGINT REFERENCES event (id);
ALTER TABLE payment ADD COLUMN ended_event_id BIGINT REFERENCES event (id);
UPDATE payment SET received_event_id = event_id;
CREATE INDEX payment_declared ON payment (payer_organization_id, id) WHERE state = 'declared';
