-- A physical count of a store, whole or in part. `number` is what people call it.
CREATE TABLE counts (
    store_id uuid NOT NULL REFERENCES stores (id),
    id uuid NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    kind text NOT NULL CHECK (kind IN ('full', 'category', 'products')),
    category_id uuid,
    blind boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'counting', 'recounting', 'posted', 'cancelled')),
    note text,
    -- What posting said becomes of lines that nobody counted.
    uncounted text CHECK (uncounted IN ('keep', 'zero')),
    -- Why it was cancelled.
    reason text,
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_by uuid,
    ended_at timestamptz,
    PRIMARY KEY (store_id, id),
    CONSTRAINT counts_id UNIQUE (id),
    CONSTRAINT counts_number UNIQUE (store_id, number),
    CONSTRAINT counts_category CHECK ((kind = 'category') = (category_id IS NOT NULL)),
    CONSTRAINT counts_ended CHECK ((status IN ('posted', 'cancelled'))
        = (ended_at IS NOT NULL AND ended_by IS NOT NULL)),
    CONSTRAINT counts_posted CHECK ((status = 'posted') = (uncounted IS NOT NULL))
);
CREATE INDEX counts_newest ON counts (opened_at DESC, id DESC);
CREATE UNIQUE INDEX counts_full ON counts (store_id) WHERE kind = 'full' AND ended_at IS NULL;
REVOKE DELETE ON counts FROM comptoir_store;

-- One product of a count. The figure is what was counted, as of the ledger version where it began;
-- `sheet_…` is the level when the line came onto the sheet.
CREATE TABLE count_lines (
    store_id uuid NOT NULL,
    count_id uuid NOT NULL,
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    sheet_version bigint NOT NULL,
    sheet_on_hand bigint NOT NULL,
    pass bigint NOT NULL DEFAULT 1 CHECK (pass >= 1),
    awaits_recount boolean NOT NULL DEFAULT false,
    entries bigint NOT NULL DEFAULT 0,
    counted bigint,
    expected bigint,
    level_version bigint,
    last_version bigint,
    posted bigint,
    is_open boolean NOT NULL DEFAULT true,
    PRIMARY KEY (store_id, count_id, product_id),
    FOREIGN KEY (store_id, count_id) REFERENCES counts (store_id, id),
    CONSTRAINT count_lines_counted CHECK (counted BETWEEN 0 AND 1000000000),
    CONSTRAINT count_lines_figure CHECK (
        num_nulls(counted, expected, level_version, last_version) IN (0, 4)
        AND (counted IS NULL) = (entries = 0) AND last_version >= level_version
        AND (counted IS NOT NULL OR NOT awaits_recount)),
    CONSTRAINT count_lines_posted CHECK (posted IS NULL OR NOT is_open)
);
-- One open count at most covers a product.
CREATE UNIQUE INDEX count_lines_open ON count_lines (store_id, product_id) WHERE is_open;
CREATE INDEX count_lines_sheet ON count_lines (store_id, count_id, sku, product_id);
REVOKE DELETE ON count_lines FROM comptoir_store;

-- What was scanned. `figure` is the line's after it; version and on_hand are the level's then.
CREATE TABLE count_entries (
    store_id uuid NOT NULL,
    count_id uuid NOT NULL,
    product_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq >= 1),
    pass bigint NOT NULL,
    mode text NOT NULL CHECK (mode IN ('add', 'set')),
    quantity bigint NOT NULL CHECK (quantity >= 0),
    figure bigint NOT NULL,
    level_version bigint NOT NULL,
    on_hand bigint NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, count_id, product_id, seq),
    FOREIGN KEY (store_id, count_id, product_id)
        REFERENCES count_lines (store_id, count_id, product_id)
);
REVOKE UPDATE, DELETE ON count_entries FROM comptoir_store;

ALTER TABLE movements
    DROP CONSTRAINT movements_reason_check,
    DROP CONSTRAINT movements_document_type_check,
    ADD CONSTRAINT movements_reason_check CHECK (reason IN (
        'sale', 'sale_aborted', 'void', 'return', 'opening', 'delivery', 'correction', 'damaged',
        'shrinkage', 'found', 'expired', 'other', 'transfer_out', 'transfer_in', 'count')),
    ADD CONSTRAINT movements_document_type_check CHECK (document_type IN (
        'sale', 'return', 'adjustment', 'transfer', 'count'));
