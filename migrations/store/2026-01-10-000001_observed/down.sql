DROP INDEX transfers_on_the_way;
DROP INDEX outbox_parked;
ALTER TABLE outbox DROP COLUMN traceparent;
