-- One table for the trail in every module: here a row gets an id, and a chain is one of a store
-- or a register instead of all that concerns a store. The numbers it had are the order of the new.
ALTER TABLE audit DROP CONSTRAINT audit_pkey;
ALTER TABLE audit ALTER COLUMN after DROP NOT NULL, ALTER COLUMN store_id DROP NOT NULL,
    ADD COLUMN id uuid, ADD COLUMN subject_id uuid;
-- A UUIDv7 of the row's time, so that later rows have greater ids.
UPDATE audit SET subject_id = coalesce((after ->> 'id')::uuid, store_id),
    id = encode(overlay(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM recorded_at) * 1000)::bigint) FROM 3) FROM 1 FOR 6)
        PLACING set_byte(substring(uuid_send(gen_random_uuid()) FROM 7 FOR 1), 0, 112 + (seq % 16)::integer)
        FROM 7 FOR 1), 'hex')::uuid;
ALTER TABLE audit ALTER COLUMN id SET NOT NULL, ALTER COLUMN subject_id SET NOT NULL,
    ADD PRIMARY KEY (id);
-- A chain per subject, over the rows in their order: the hash of kernel::audit.
WITH RECURSIVE given AS (
    SELECT *, row_number() OVER (PARTITION BY subject_id ORDER BY seq) AS nth FROM audit),
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
ALTER TABLE audit ADD UNIQUE (subject_id, seq);
CREATE INDEX audit_newest ON audit (recorded_at DESC, id DESC);
CREATE INDEX audit_by_store ON audit (store_id, recorded_at DESC, id DESC) WHERE store_id IS NOT NULL;
