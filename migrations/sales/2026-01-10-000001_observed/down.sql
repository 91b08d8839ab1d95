DROP INDEX outbox_parked;
ALTER TABLE outbox DROP COLUMN traceparent;
