-- What a store wants to have of a product. `id` is what the trail knows the rule by.
CREATE TABLE reorder_rules (
    store_id uuid NOT NULL,
    product_id uuid NOT NULL REFERENCES products (id),
    id uuid NOT NULL UNIQUE,
    min_quantity bigint NOT NULL CHECK (min_quantity BETWEEN 0 AND 1000000000),
    max_quantity bigint CHECK (max_quantity BETWEEN 1 AND 1000000000),
    multiple bigint NOT NULL CHECK (multiple BETWEEN 1 AND 1000000000),
    lead_days bigint NOT NULL CHECK (lead_days BETWEEN 0 AND 90),
    cover_days bigint CHECK (cover_days BETWEEN 1 AND 365),
    source_store_id uuid,
    version bigint NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, product_id),
    CONSTRAINT reorder_rules_bounds CHECK (max_quantity >= min_quantity),
    CONSTRAINT reorder_rules_target CHECK (num_nonnulls(max_quantity, cover_days) >= 1),
    CONSTRAINT reorder_rules_source CHECK (source_store_id <> store_id)
);
CREATE INDEX reorder_rules_product ON reorder_rules (product_id, store_id);

-- The last number that was given, in one row once there is one.
CREATE TABLE replenishment_numbers (
    is_only boolean PRIMARY KEY CHECK (is_only),
    last bigint NOT NULL CHECK (last >= 1)
);

-- A store asks for goods. `version` is also the number of its last event.
CREATE TABLE replenishment_requests (
    id uuid PRIMARY KEY,
    number bigint NOT NULL CHECK (number >= 1),
    store_id uuid NOT NULL,
    status text NOT NULL CHECK (status IN (
        'draft', 'requested', 'approved', 'rejected', 'cancelled', 'fulfilled', 'unfulfilled')),
    note text,
    needed_by date,
    reason text,
    version bigint NOT NULL CHECK (version >= 1),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    requested_at timestamptz,
    decided_by uuid,
    decided_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT replenishment_requests_number UNIQUE (number),
    CONSTRAINT replenishment_requests_decided CHECK ((decided_at IS NULL) = (decided_by IS NULL)
        AND (decided_at IS NULL) = (status IN ('draft', 'requested', 'cancelled'))),
    CONSTRAINT replenishment_requests_ended CHECK ((ended_at IS NULL)
        = (status IN ('draft', 'requested', 'approved')))
);
CREATE INDEX replenishment_requests_store ON replenishment_requests (store_id, number);
CREATE INDEX replenishment_requests_open ON replenishment_requests (store_id)
    WHERE status IN ('draft', 'requested', 'approved');
REVOKE DELETE ON replenishment_requests FROM comptoir_inventory;

-- `source_store_id` is who is asked for it, where that is known; `approved` is NULL until it is
-- decided.
CREATE TABLE replenishment_lines (
    request_id uuid NOT NULL REFERENCES replenishment_requests (id),
    product_id uuid NOT NULL REFERENCES products (id),
    quantity bigint NOT NULL CHECK (quantity BETWEEN 1 AND 1000000000),
    source_store_id uuid,
    approved bigint,
    PRIMARY KEY (request_id, product_id),
    CONSTRAINT replenishment_lines_approved CHECK (approved BETWEEN 0 AND quantity)
);
CREATE INDEX replenishment_lines_product ON replenishment_lines (product_id, request_id);

-- The transfers that an approval makes in the store module, under ids computed from the request's.
-- 'planned': not known there yet; 'refused': the store module would not make it. All others are the
-- states of the transfer, as it last was heard of at `transfer_version`.
CREATE TABLE replenishment_transfers (
    transfer_id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES replenishment_requests (id),
    from_store_id uuid NOT NULL,
    number bigint,
    status text NOT NULL CHECK (status IN (
        'planned', 'refused', 'draft', 'requested', 'approved', 'in_transit', 'partially_received',
        'received', 'closed', 'cancelled', 'rejected')),
    transfer_version bigint NOT NULL CHECK (transfer_version >= 0),
    reason text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT replenishment_transfers_source UNIQUE (request_id, from_store_id)
);
CREATE INDEX replenishment_transfers_planned ON replenishment_transfers (created_at)
    WHERE status = 'planned';
CREATE INDEX replenishment_transfers_unsent ON replenishment_transfers (from_store_id)
    WHERE status IN ('planned', 'draft', 'requested');
REVOKE DELETE ON replenishment_transfers FROM comptoir_inventory;

-- `sku` and `name` as they were approved: the transfer must be the same however often it is asked for.
CREATE TABLE replenishment_transfer_lines (
    transfer_id uuid NOT NULL REFERENCES replenishment_transfers (transfer_id),
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity >= 1),
    sent bigint NOT NULL DEFAULT 0 CHECK (sent >= 0),
    received bigint NOT NULL DEFAULT 0 CHECK (received >= 0),
    damaged bigint NOT NULL DEFAULT 0 CHECK (damaged >= 0),
    lost bigint NOT NULL DEFAULT 0 CHECK (lost >= 0),
    PRIMARY KEY (transfer_id, product_id),
    CONSTRAINT replenishment_transfer_lines_sent CHECK (sent <= quantity),
    CONSTRAINT replenishment_transfer_lines_arrived CHECK (received + damaged + lost <= sent)
);
CREATE INDEX replenishment_transfer_lines_product ON replenishment_transfer_lines (product_id);

-- A stored answer per request that was carried out, under the id made of its idempotency key.
CREATE TABLE answers (
    id uuid PRIMARY KEY,
    actor_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    response jsonb,
    created_at timestamptz NOT NULL
);
REVOKE DELETE ON answers FROM comptoir_inventory;
