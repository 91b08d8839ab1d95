-- No index on on_hand: it would end the cheap in-page (HOT) updates of the busiest rows there are.
CREATE TABLE levels (
    store_id uuid NOT NULL REFERENCES stores (id),
    product_id uuid NOT NULL,
    on_hand bigint NOT NULL DEFAULT 0,
    reserved bigint NOT NULL DEFAULT 0 CONSTRAINT levels_reserved CHECK (reserved >= 0),
    damaged bigint NOT NULL DEFAULT 0 CONSTRAINT levels_damaged CHECK (damaged >= 0),
    incoming bigint NOT NULL DEFAULT 0 CONSTRAINT levels_incoming CHECK (incoming >= 0),
    -- Whether the store's settings let the last write leave on_hand below zero.
    may_go_negative boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, product_id),
    CONSTRAINT levels_on_hand CHECK (on_hand >= 0 OR may_go_negative)
) WITH (fillfactor = 70);
CREATE INDEX levels_product ON levels (product_id, store_id);

-- The ledger. seq is the level's version after the movement: 1, 2, 3 … without gaps.
CREATE TABLE movements (
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    delta bigint NOT NULL,
    damaged_delta bigint NOT NULL,
    balance bigint NOT NULL,
    damaged_balance bigint NOT NULL CONSTRAINT movements_damaged CHECK (damaged_balance >= 0),
    may_go_negative boolean NOT NULL,
    reason text NOT NULL CHECK (reason IN (
        'sale', 'sale_aborted', 'void', 'return', 'opening', 'delivery', 'correction', 'damaged',
        'shrinkage', 'found', 'expired', 'other')),
    document_type text NOT NULL CHECK (document_type IN ('sale', 'return', 'adjustment')),
    document_id uuid NOT NULL,
    actor_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    note text,
    PRIMARY KEY (store_id, product_id, seq),
    CONSTRAINT movements_moves CHECK (delta <> 0 OR damaged_delta <> 0),
    CONSTRAINT movements_balance CHECK (balance >= 0 OR may_go_negative)
);
CREATE INDEX movements_document ON movements (store_id, document_id);
CREATE INDEX movements_recorded ON movements (store_id, recorded_at, product_id, seq);
REVOKE UPDATE, DELETE ON movements FROM comptoir_store;

-- The key is the hold alone: the same idempotency key used at another store is another request
-- under the same id, and must be refused.
CREATE TABLE holds (
    hold_id uuid PRIMARY KEY,
    store_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('held', 'consumed', 'released')),
    created_at timestamptz NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT holds_resolved CHECK ((state = 'held') = (resolved_at IS NULL))
);
CREATE INDEX holds_open ON holds (created_at, hold_id) WHERE state = 'held';

-- A stored answer per adjustment request; it spans stores, so it belongs to none.
CREATE TABLE adjustments (
    id uuid PRIMARY KEY,
    actor_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    response jsonb,
    created_at timestamptz NOT NULL
);
