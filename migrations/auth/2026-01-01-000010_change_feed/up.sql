-- An event's place in the change feed, given by the relay when it first takes the event up.
ALTER TABLE outbox ADD COLUMN position bigint;
UPDATE outbox SET position = ordered.nth FROM (
    SELECT event_id, row_number() OVER (ORDER BY recorded_at, aggregate_id, seq) AS nth FROM outbox
) ordered WHERE ordered.event_id = outbox.event_id;
CREATE UNIQUE INDEX outbox_feed ON outbox (position);
