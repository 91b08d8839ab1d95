-- The trace of the request that caused an event (W3C traceparent). A column without a default is
-- added without reading a row, but its lock keeps every sale and relay out, and who waits for it
-- keeps out those who come later. So it waits for a moment only, and is tried again.
SET LOCAL lock_timeout = '2s';
ALTER TABLE outbox ADD COLUMN traceparent text;
