-- The trace of the request that caused an event (W3C traceparent), and what is parked, so that
-- neither has to be looked for in all that was ever published.
ALTER TABLE outbox ADD COLUMN traceparent text;
CREATE INDEX outbox_parked ON outbox (parked_at, aggregate_id) WHERE parked_at IS NOT NULL;
