-- One table for the trail in every module: here it gets stores and its chain of hashes.
DROP INDEX audit_resource;
ALTER TABLE audit RENAME COLUMN resource_id TO subject_id;
ALTER TABLE audit ADD COLUMN store_id uuid, ADD COLUMN seq bigint, ADD COLUMN hash bytea;
-- A chain per subject, over the rows in their order: the hash of kernel::audit.
WITH RECURSIVE given AS (
    SELECT *, row_number() OVER (PARTITION BY subject_id ORDER BY recorded_at, id) AS nth FROM audit),
chain AS (
    SELECT r.id, r.subject_id, r.nth, sha256(convert_to(jsonb_build_array(r.id,
        (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.actor_id, r.action, r.subject_id,
        r.store_id, r.before, r.after, r.trace_id, r.nth)::text, 'UTF8')) AS hash
    FROM given r WHERE r.nth = 1
    UNION ALL
    SELECT r.id, r.subject_id, r.nth, sha256(c.hash || convert_to(jsonb_build_array(r.id,
        (extract(epoch FROM r.recorded_at) * 1000000)::bigint, r.actor_id, r.action, r.subject_id,
        r.store_id, r.before, r.after, r.trace_id, r.nth)::text, 'UTF8'))
    FROM chain c JOIN given r ON r.subject_id = c.subject_id AND r.nth = c.nth + 1)
UPDATE audit SET seq = chain.nth, hash = chain.hash FROM chain WHERE chain.id = audit.id;
ALTER TABLE audit ALTER COLUMN seq SET NOT NULL, ALTER COLUMN hash SET NOT NULL,
    ADD UNIQUE (subject_id, seq);
CREATE INDEX audit_newest ON audit (recorded_at DESC, id DESC);
CREATE INDEX audit_by_store ON audit (store_id, recorded_at DESC, id DESC) WHERE store_id IS NOT NULL;
