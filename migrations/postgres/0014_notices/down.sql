CREATE TABLE delivery (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id BIGINT NOT NULL REFERENCES event (id),
    channel TEXT NOT NULL CONSTRAINT delivery_channel_known CHECK (channel IN ('mail')),
    recipient_user_id BIGINT NOT NULL REFERENCES user_account (id),
    state TEXT NOT NULL CONSTRAINT delivery_state_known CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts BIGINT NOT NULL,
    lease_until TIMESTAMP,
    next_attempt_at TIMESTAMP NOT NULL
);
CREATE INDEX delivery_waiting ON delivery (state, next_attempt_at, id);
CREATE INDEX delivery_event ON delivery (event_id);
DROP TABLE notice;
DROP TABLE consumer;
