-- The events of a party and of a subject in the order of the trail, which is not that of the ids.
DROP INDEX event_subject;
DROP INDEX event_organization;
DROP INDEX event_counterpart;
CREATE INDEX event_subject ON event (subject_type, subject_id, epoch, transaction_id, id);
CREATE INDEX event_organization ON event (organization_id, epoch, transaction_id, id);
CREATE INDEX event_counterpart ON event (counterpart_organization_id, epoch, transaction_id, id)
    WHERE counterpart_organization_id IS NOT NULL;
CREATE INDEX event_acted ON event (actor_organization_id, epoch, transaction_id, id) WHERE organization_id IS NULL;
