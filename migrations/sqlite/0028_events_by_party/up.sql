-- What a member did that is nobody's own, in the order of the trail.
CREATE INDEX event_acted ON event (actor_organization_id, id) WHERE organization_id IS NULL;
