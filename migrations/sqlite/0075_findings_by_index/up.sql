-- Only records that look wrong, so that a year's are found without reading the others: more effective minutes than their interval,
-- and typed more than a month after it.
CREATE INDEX usage_record_too_long ON usage_record (ended_at)
    WHERE state <> 'voided' AND ended_at < datetime(started_at, (prepare_minutes + run_minutes + post_minutes) || ' minutes');
CREATE INDEX usage_record_entered_late ON usage_record (ended_at)
    WHERE state <> 'voided' AND evidence = 'manual' AND entered_at > datetime(ended_at, '+30 days');
-- What is not yet confirmed is little.
CREATE INDEX usage_record_unconfirmed ON usage_record (instrument_id, organization_id)
    WHERE state <> 'confirmed' AND state <> 'voided';
-- Everything that tells who ran two instruments, in the order in which it is grouped.
DROP INDEX usage_record_operator;
CREATE INDEX usage_record_operator ON usage_record (operator, organization_id, started_at, instrument_id) WHERE operator IS NOT NULL;
