DROP INDEX instrument_kind;
