DROP INDEX outbox_feed;
ALTER TABLE outbox DROP COLUMN position;
