-- What a unit had reported before it was corrected, and the event that replaced it: a freeze sees what was so then.
CREATE TABLE reported_metric_version (
    organization_id BIGINT NOT NULL REFERENCES organization (id),
    year BIGINT NOT NULL,
    metric TEXT NOT NULL,
    value TEXT NOT NULL,
    event_id BIGINT NOT NULL REFERENCES event (id),
    replaced_by_event_id BIGINT NOT NULL REFERENCES event (id),
    CONSTRAINT reported_metric_version_unique PRIMARY KEY (organization_id, year, metric, event_id)
);
