DROP INDEX usage_record_operator;
CREATE INDEX usage_record_operator ON usage_record (md5(operator), started_at) WHERE operator IS NOT NULL;
DROP INDEX usage_record_unconfirmed;
DROP INDEX usage_record_entered_late;
DROP INDEX usage_record_too_long;
