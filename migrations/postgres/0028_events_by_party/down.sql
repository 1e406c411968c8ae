DROP INDEX event_acted;
DROP INDEX event_counterpart;
DROP INDEX event_organization;
DROP INDEX event_subject;
CREATE INDEX event_subject ON event (subject_type, subject_id, id);
CREATE INDEX event_organization ON event (organization_id, id);
CREATE INDEX event_counterpart ON event (counterpart_organization_id, id);
