DROP INDEX event_in_order;
