DROP TABLE staged_charge;
DROP TABLE staged_usage_record;
DROP TABLE staged_instrument;
DROP TABLE staged_event;
DROP TABLE staged_import;
