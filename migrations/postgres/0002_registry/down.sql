DROP TABLE tariff;
DROP TABLE closure;
DROP TABLE booking_rules;
DROP TABLE instrument_service;
DROP TABLE instrument_manager;
DROP TABLE sharing_exemption;
DROP TABLE instrument_version;
DROP TABLE instrument;
