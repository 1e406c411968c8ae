-- The open figures of a year whose evaluation is final, as they were told first.

CREATE TABLE stats_snapshot (
    evaluation_id BIGINT NOT NULL CONSTRAINT stats_snapshot_unique PRIMARY KEY REFERENCES evaluation (id),
    content TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL
);
