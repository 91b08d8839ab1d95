DROP INDEX audit_by_store;
DROP INDEX audit_newest;
ALTER TABLE audit DROP CONSTRAINT audit_subject_id_seq_key;
-- The chain of a store again, by the hash that it had.
WITH RECURSIVE given AS (
    SELECT *, row_number() OVER (PARTITION BY store_id ORDER BY recorded_at, id) AS nth FROM audit),
chain AS (
    SELECT r.id, r.store_id, r.nth, sha256(convert_to(jsonb_build_array(r.store_id, r.nth, r.actor_id,
        r.action, r.before, r.after, r.trace_id, extract(epoch FROM r.recorded_at))::text, 'UTF8'))
        AS hash
    FROM given r WHERE r.nth = 1
    UNION ALL
    SELECT r.id, r.store_id, r.nth, sha256(c.hash || convert_to(jsonb_build_array(r.store_id, r.nth,
        r.actor_id, r.action, r.before, r.after, r.trace_id,
        extract(epoch FROM r.recorded_at))::text, 'UTF8'))
    FROM chain c JOIN given r ON r.store_id = c.store_id AND r.nth = c.nth + 1)
UPDATE audit SET seq = chain.nth, hash = chain.hash FROM chain WHERE chain.id = audit.id;
UPDATE audit SET after = 'null' WHERE after IS NULL;
ALTER TABLE audit DROP CONSTRAINT audit_pkey, DROP COLUMN id, DROP COLUMN subject_id,
    ALTER COLUMN store_id SET NOT NULL, ALTER COLUMN after SET NOT NULL,
    ADD PRIMARY KEY (store_id, seq);
