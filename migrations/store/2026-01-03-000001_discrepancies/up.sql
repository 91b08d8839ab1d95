-- What took goods that the books did not have: one row per movement that went down to, or further
-- below, less than nothing. What was taken, when and by which document is in the movement.
CREATE TABLE discrepancies (
    store_id uuid NOT NULL REFERENCES stores (id),
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    seq bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'resolved')),
    resolution text CHECK (resolution IN (
        'counted', 'delivered_late', 'sold_twice', 'other', 'sale_aborted')),
    note text,
    resolved_by uuid,
    resolved_at timestamptz,
    PRIMARY KEY (store_id, id),
    CONSTRAINT discrepancies_id UNIQUE (id),
    CONSTRAINT discrepancies_movement UNIQUE (store_id, product_id, seq),
    FOREIGN KEY (store_id, product_id, seq) REFERENCES movements (store_id, product_id, seq),
    CONSTRAINT discrepancies_resolved CHECK (CASE state
        WHEN 'open' THEN num_nonnulls(resolution, note, resolved_by, resolved_at) = 0
        ELSE num_nulls(resolution, resolved_by, resolved_at) = 0 END)
);
CREATE INDEX discrepancies_open ON discrepancies (id) WHERE state = 'open';
REVOKE DELETE ON discrepancies FROM comptoir_store;

-- Stores that allow negative stock had these before they were listed. A UUIDv7 of the movement's
-- time, so that later ones have greater ids; a sale that was never recorded needs nobody's look.
INSERT INTO discrepancies (store_id, id, product_id, seq, state, resolution, resolved_by, resolved_at)
SELECT m.store_id, encode(set_byte(overlay(m.random
        PLACING substring(int8send((extract(epoch FROM m.recorded_at) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 6, 112 + get_byte(m.random, 6) % 16), 'hex')::uuid,
    m.product_id, m.seq,
    CASE WHEN h.state = 'released' THEN 'resolved' ELSE 'open' END,
    CASE WHEN h.state = 'released' THEN 'sale_aborted' END,
    CASE WHEN h.state = 'released' THEN '00000000-0000-0000-0000-000000000000'::uuid END,
    CASE WHEN h.state = 'released' THEN h.resolved_at END
FROM (SELECT *, uuid_send(gen_random_uuid()) AS random FROM movements
    WHERE delta < 0 AND balance < 0) m
LEFT JOIN holds h ON m.reason = 'sale' AND h.hold_id = m.document_id AND h.store_id = m.store_id;

-- The stored answers of everything that is done once, not of transfers alone.
ALTER TABLE transfer_requests RENAME TO answers;
ALTER INDEX transfer_requests_pkey RENAME TO answers_pkey;
