-- Baskets that a till put aside: no goods are held for them and nothing is sold. They are handed out
-- once, and cleared away when they expire.
CREATE TABLE parked_sales (
    id uuid PRIMARY KEY,
    store_id uuid NOT NULL,
    register_id uuid,
    state text NOT NULL CHECK (state IN ('parked', 'resumed', 'discarded')),
    label text,
    basket jsonb NOT NULL,
    line_count integer NOT NULL CHECK (line_count > 0),
    request_hash bytea NOT NULL,
    parked_by uuid NOT NULL,
    parked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- Who ended it, when, and by which request.
    ended_by uuid,
    ended_at timestamptz,
    end_id uuid,
    CONSTRAINT parked_sales_ended CHECK (
        num_nonnulls(ended_by, ended_at, end_id) = CASE WHEN state = 'parked' THEN 0 ELSE 3 END)
);
CREATE INDEX parked_sales_open ON parked_sales (store_id, parked_at DESC, id DESC) WHERE state = 'parked';
CREATE INDEX parked_sales_expiry ON parked_sales (expires_at);
