-- The years whose holidays an officer keeps: no release changes them any more.
CREATE TABLE holiday_year (
    year INTEGER PRIMARY KEY NOT NULL,
    version BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL CONSTRAINT holiday_year_updated_at_utc CHECK (updated_at GLOB '????-??-?? ??:??:??')
);
