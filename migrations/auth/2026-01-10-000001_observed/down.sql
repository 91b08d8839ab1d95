SET LOCAL lock_timeout = '2s';
ALTER TABLE outbox DROP COLUMN traceparent;
