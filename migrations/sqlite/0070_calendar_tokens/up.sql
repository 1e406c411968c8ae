-- What lets a calendar program read a person's bookings and nothing else; ended, it is gone.

CREATE TABLE calendar_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES user_account (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT calendar_token_kind_known CHECK (kind IN ('own', 'unit', 'desk')),
    token_hash TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL CONSTRAINT calendar_token_created_at_utc CHECK (created_at GLOB '????-??-?? ??:??:??'),
    CONSTRAINT calendar_token_hash_unique UNIQUE (token_hash)
);
CREATE INDEX calendar_token_user ON calendar_token (user_id, id);
