-- Only records that look wrong, so that a year's are found without reading the others: more effective minutes than their interval,
-- and typed more than a month after it.
CREATE INDEX usage_record_too_long ON usage_record (ended_at)
    WHERE state <> 'voided' AND ended_at < started_at + (prepare_minutes + run_minutes + post_minutes) * INTERVAL '1 minute';
CREATE INDEX usage_record_entered_late ON usage_record (ended_at)
    WHERE state <> 'voided' AND evidence = 'manual' AND entered_at > ended_at + INTERVAL '30 days';
-- What is not yet confirmed is little.
CREATE INDEX usage_record_unconfirmed ON usage_record (instrument_id, organization_id)
    WHERE state <> 'confirmed' AND state <> 'voided';
DROP INDEX usage_record_operator;
CREATE INDEX usage_record_operator ON usage_record (md5(operator), organization_id, started_at) WHERE operator IS NOT NULL;
