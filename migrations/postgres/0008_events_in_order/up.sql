-- Ids do not follow the order of commits, transactions below the oldest open one do: the trail is read in their order.
CREATE INDEX event_in_order ON event (transaction_id, id);
