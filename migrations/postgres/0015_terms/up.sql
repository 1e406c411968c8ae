-- What a booking needs to know, as one document each: the terms of an instrument, made when they are first asked for and
-- made anew with whatever they were made from, and the calendar. A version is never another content's.
CREATE TABLE instrument_terms (
    instrument_id BIGINT NOT NULL PRIMARY KEY REFERENCES instrument (id),
    version BIGINT NOT NULL,
    content TEXT NOT NULL
);

CREATE TABLE calendar (
    id BIGINT NOT NULL PRIMARY KEY CONSTRAINT calendar_one CHECK (id = 1),
    version BIGINT NOT NULL,
    content TEXT NOT NULL
);
INSERT INTO calendar (id, version, content)
SELECT 1, 1, json_build_object('format', 1, 'days', COALESCE(
    json_agg(json_build_object('on', CAST(holiday_on AS TEXT), 'kind', kind, 'festival', festival)), '[]'))
FROM public_holiday;
