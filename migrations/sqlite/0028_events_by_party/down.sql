DROP INDEX event_acted;
