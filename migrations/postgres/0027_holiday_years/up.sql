-- The years whose holidays an officer keeps: no release changes them any more.
CREATE TABLE holiday_year (
    year BIGINT PRIMARY KEY,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
