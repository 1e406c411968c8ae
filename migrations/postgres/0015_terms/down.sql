DROP TABLE calendar;
DROP TABLE instrument_terms;
