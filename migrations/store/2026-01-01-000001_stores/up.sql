CREATE TABLE outbox (
    event_id uuid PRIMARY KEY,
    aggregate_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    seq bigint NOT NULL,
    event_type text NOT NULL,
    payload jsonb NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT '-infinity',
    published_at timestamptz,
    parked_at timestamptz,
    UNIQUE (aggregate_id, seq)
);
CREATE INDEX outbox_due ON outbox (recorded_at, aggregate_id, seq)
    WHERE published_at IS NULL AND parked_at IS NULL;
CREATE TABLE inbox (aggregate_id uuid PRIMARY KEY, last_seq bigint NOT NULL);

CREATE TABLE stores (
    id uuid PRIMARY KEY,
    code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('sales', 'logistics', 'headquarters')),
    address text,
    timezone text NOT NULL,
    day_cutoff time NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    tax_mode text NOT NULL CHECK (tax_mode IN ('included', 'added')),
    negative_stock text NOT NULL CHECK (negative_stock IN ('refuse', 'allow')),
    return_limit_minor bigint CHECK (return_limit_minor >= 0),
    receipt_text text,
    version bigint NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    archived_at timestamptz,
    CONSTRAINT stores_code UNIQUE (code)
);

CREATE TABLE registers (
    store_id uuid NOT NULL REFERENCES stores (id),
    id uuid NOT NULL,
    code text COLLATE "C" NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (store_id, id),
    CONSTRAINT registers_code UNIQUE (store_id, code)
);

-- One row per change of a store, its settings or its registers. `hash` covers the row and the hash
-- of the row before it, so that a row that was tampered with is found.
CREATE TABLE audit (
    store_id uuid NOT NULL,
    seq bigint NOT NULL,
    actor_id uuid NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb NOT NULL,
    trace_id text NOT NULL,
    recorded_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (store_id, seq)
);
REVOKE UPDATE, DELETE ON audit FROM comptoir_store;
