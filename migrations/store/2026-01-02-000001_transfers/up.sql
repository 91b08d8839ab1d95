-- The last number that was given, in one row once there is one: a table is moved with its module,
-- a sequence would start again.
CREATE TABLE transfer_numbers (
    is_only boolean PRIMARY KEY CHECK (is_only),
    last bigint NOT NULL CHECK (last >= 1)
);

-- A transfer belongs to two stores, so neither is in its key. `version` is also the number of its
-- last event.
CREATE TABLE transfers (
    id uuid PRIMARY KEY,
    number bigint NOT NULL CHECK (number >= 1),
    from_store_id uuid NOT NULL REFERENCES stores (id),
    to_store_id uuid NOT NULL REFERENCES stores (id),
    status text NOT NULL CHECK (status IN (
        'draft', 'requested', 'approved', 'in_transit', 'partially_received', 'received', 'closed',
        'cancelled', 'rejected')),
    note text,
    source_type text,
    source_id uuid,
    return_of uuid REFERENCES transfers (id),
    reason text,
    version bigint NOT NULL CHECK (version >= 1),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    requested_at timestamptz,
    approved_at timestamptz,
    dispatched_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT transfers_number UNIQUE (number),
    CONSTRAINT transfers_ends CHECK (from_store_id <> to_store_id),
    CONSTRAINT transfers_source CHECK ((source_type IS NULL) = (source_id IS NULL)),
    CONSTRAINT transfers_ended CHECK ((ended_at IS NOT NULL)
        = (status IN ('received', 'closed', 'cancelled', 'rejected')))
);
CREATE INDEX transfers_from ON transfers (from_store_id, number);
CREATE INDEX transfers_to ON transfers (to_store_id, number);
CREATE INDEX transfers_return_of ON transfers (return_of) WHERE return_of IS NOT NULL;
REVOKE DELETE ON transfers FROM comptoir_store;

-- In transit is what was sent and not accounted for: sent - received - damaged - lost.
CREATE TABLE transfer_lines (
    transfer_id uuid NOT NULL REFERENCES transfers (id),
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    requested bigint NOT NULL CHECK (requested >= 1),
    approved bigint NOT NULL DEFAULT 0,
    sent bigint NOT NULL DEFAULT 0,
    received bigint NOT NULL DEFAULT 0 CHECK (received >= 0),
    damaged bigint NOT NULL DEFAULT 0 CHECK (damaged >= 0),
    lost bigint NOT NULL DEFAULT 0 CHECK (lost >= 0),
    PRIMARY KEY (transfer_id, product_id),
    CONSTRAINT transfer_lines_approved CHECK (approved BETWEEN 0 AND requested),
    CONSTRAINT transfer_lines_sent CHECK (sent BETWEEN 0 AND approved),
    CONSTRAINT transfer_lines_arrived CHECK (received + damaged + lost <= sent)
);
CREATE INDEX transfer_lines_product ON transfer_lines (product_id, transfer_id);

-- What was said to have arrived, or given up, at one time. seq is the transfer's version after it.
CREATE TABLE transfer_receipts (
    transfer_id uuid NOT NULL REFERENCES transfers (id),
    seq bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('receipt', 'write_off')),
    actor_id uuid NOT NULL,
    note text,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (transfer_id, seq),
    CONSTRAINT transfer_receipts_id UNIQUE (id)
);
CREATE TABLE transfer_receipt_lines (
    transfer_id uuid NOT NULL,
    seq bigint NOT NULL,
    product_id uuid NOT NULL,
    received bigint NOT NULL CHECK (received >= 0),
    damaged bigint NOT NULL CHECK (damaged >= 0),
    lost bigint NOT NULL CHECK (lost >= 0),
    PRIMARY KEY (transfer_id, seq, product_id),
    FOREIGN KEY (transfer_id, seq) REFERENCES transfer_receipts (transfer_id, seq),
    FOREIGN KEY (transfer_id, product_id) REFERENCES transfer_lines (transfer_id, product_id),
    CONSTRAINT transfer_receipt_lines_some CHECK (received + damaged + lost > 0)
);
REVOKE UPDATE, DELETE ON transfer_receipts, transfer_receipt_lines FROM comptoir_store;

-- A stored answer per request that was carried out, under the id made of its idempotency key.
CREATE TABLE transfer_requests (
    id uuid PRIMARY KEY,
    actor_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    response jsonb,
    created_at timestamptz NOT NULL
);
REVOKE DELETE ON transfer_requests FROM comptoir_store;

ALTER TABLE movements
    DROP CONSTRAINT movements_reason_check,
    DROP CONSTRAINT movements_document_type_check,
    ADD CONSTRAINT movements_reason_check CHECK (reason IN (
        'sale', 'sale_aborted', 'void', 'return', 'opening', 'delivery', 'correction', 'damaged',
        'shrinkage', 'found', 'expired', 'other', 'transfer_out', 'transfer_in')),
    ADD CONSTRAINT movements_document_type_check CHECK (document_type IN (
        'sale', 'return', 'adjustment', 'transfer'));
