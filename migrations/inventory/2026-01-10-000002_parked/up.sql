-- What is parked, so that it has not to be looked for in all that was ever published. CONCURRENTLY
-- keeps nobody from writing meanwhile; it needs to be alone, outside of a transaction.
CREATE INDEX CONCURRENTLY outbox_parked ON outbox (parked_at, aggregate_id) WHERE parked_at IS NOT NULL;
