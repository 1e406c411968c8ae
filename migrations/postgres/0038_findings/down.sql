DROP INDEX usage_record_operator;
DROP TABLE finding;
