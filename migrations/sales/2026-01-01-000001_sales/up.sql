-- One row per attempt that got an outcome: a sale that was recorded (and perhaps voided since),
-- or the tombstone of one that never will be ('aborted'). Both live under the same primary key,
-- and that key is what makes "recorded or aborted, never both" hold.
CREATE TABLE sales (
    id uuid PRIMARY KEY,
    store_id uuid NOT NULL,
    state text NOT NULL,
    recorded_at timestamptz NOT NULL,
    event_seq bigint NOT NULL DEFAULT 0,
    -- From here on: NULL in a tombstone.
    register_id uuid,
    cashier_id uuid,
    number text,
    request_hash bytea,
    occurred_at timestamptz,
    business_date date,
    currency text,
    tax_included boolean,
    line_count integer,
    subtotal_minor bigint,
    discount_minor bigint,
    tax_minor bigint,
    total_minor bigint,
    paid_minor bigint,
    change_minor bigint,
    customer_ref text,
    refunded_minor bigint NOT NULL DEFAULT 0,
    return_count integer NOT NULL DEFAULT 0,
    voided_at timestamptz,
    voided_by uuid,
    void_reason text,
    void_id uuid,
    void_hash bytea,
    CONSTRAINT sales_state CHECK (state IN ('recorded', 'voided', 'aborted')),
    CONSTRAINT sales_complete CHECK (state = 'aborted' OR num_nulls(
        cashier_id, number, request_hash, occurred_at, business_date, currency, tax_included,
        line_count, subtotal_minor, discount_minor, tax_minor, total_minor, paid_minor,
        change_minor) = 0),
    CONSTRAINT sales_signs CHECK (
        subtotal_minor >= 0 AND discount_minor >= 0 AND tax_minor >= 0 AND total_minor >= 0
        AND change_minor >= 0),
    CONSTRAINT sales_total CHECK (total_minor = subtotal_minor - discount_minor
        + CASE WHEN tax_included THEN 0 ELSE tax_minor END),
    CONSTRAINT sales_paid CHECK (paid_minor - change_minor = total_minor),
    CONSTRAINT sales_refunded CHECK (refunded_minor BETWEEN 0 AND total_minor),
    CONSTRAINT sales_void CHECK (
        num_nonnulls(voided_at, voided_by, void_reason, void_id, void_hash)
            = CASE WHEN state = 'voided' THEN 5 ELSE 0 END),
    CONSTRAINT sales_void_or_returns CHECK (state <> 'voided' OR return_count = 0)
);
CREATE INDEX sales_history ON sales (store_id, occurred_at DESC, id DESC);
CREATE INDEX sales_newest ON sales (occurred_at DESC, id DESC);
CREATE INDEX sales_by_cashier ON sales (cashier_id, occurred_at DESC, id DESC);
CREATE INDEX sales_by_day ON sales (business_date, store_id);
CREATE INDEX sales_by_number ON sales (number);

-- No foreign key to sales: a line is only ever written by the statement that writes its sale,
-- and a check per line would cost as much as the line. `comptoir check` looks for orphans.
CREATE TABLE sale_lines (
    sale_id uuid NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    category_id uuid,
    quantity bigint NOT NULL CHECK (quantity > 0),
    list_price_minor bigint NOT NULL,
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    price_per bigint NOT NULL CHECK (price_per > 0),
    gross_minor bigint NOT NULL,
    discount_minor bigint NOT NULL,
    tax_rate bigint NOT NULL,
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor bigint NOT NULL CHECK (total_minor >= 0),
    cost_minor bigint,
    note text,
    returned_quantity bigint NOT NULL DEFAULT 0,
    refunded_minor bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sale_id, line),
    CONSTRAINT sale_lines_discount CHECK (discount_minor BETWEEN 0 AND gross_minor),
    CONSTRAINT sale_lines_returned CHECK (returned_quantity BETWEEN 0 AND quantity),
    CONSTRAINT sale_lines_refunded CHECK (refunded_minor BETWEEN 0 AND total_minor)
);
CREATE INDEX sale_lines_by_product ON sale_lines (product_id, sale_id);

CREATE TABLE payments (
    sale_id uuid NOT NULL,
    n integer NOT NULL CHECK (n > 0),
    store_id uuid NOT NULL,
    tender text NOT NULL CHECK (tender IN ('cash', 'card', 'voucher', 'other')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    reference text,
    PRIMARY KEY (sale_id, n)
);

CREATE TABLE returns (
    id uuid PRIMARY KEY,
    sale_id uuid NOT NULL REFERENCES sales (id),
    store_id uuid NOT NULL,
    cashier_id uuid NOT NULL,
    number text NOT NULL,
    request_hash bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    business_date date NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('defective', 'wrong_item', 'unwanted', 'expired', 'other')),
    note text,
    line_count integer NOT NULL,
    refund_minor bigint NOT NULL CHECK (refund_minor >= 0)
);
CREATE INDEX returns_history ON returns (store_id, occurred_at DESC, id DESC);
CREATE INDEX returns_newest ON returns (occurred_at DESC, id DESC);
CREATE INDEX returns_by_day ON returns (business_date, store_id);
CREATE INDEX returns_by_sale ON returns (sale_id);

CREATE TABLE return_lines (
    return_id uuid NOT NULL REFERENCES returns (id),
    n integer NOT NULL CHECK (n > 0),
    sale_id uuid NOT NULL,
    line integer NOT NULL,
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    disposition text NOT NULL CHECK (disposition IN ('restock', 'damaged')),
    refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
    PRIMARY KEY (return_id, n)
);

CREATE TABLE refunds (
    return_id uuid NOT NULL REFERENCES returns (id),
    n integer NOT NULL CHECK (n > 0),
    store_id uuid NOT NULL,
    tender text NOT NULL CHECK (tender IN ('cash', 'card', 'voucher', 'other')),
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    PRIMARY KEY (return_id, n)
);

-- Who did what beyond an ordinary sale: prices overridden, sales voided, goods taken back.
CREATE TABLE audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid NOT NULL,
    store_id uuid NOT NULL,
    action text NOT NULL,
    subject_id uuid NOT NULL,
    trace_id text NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX audit_by_subject ON audit (subject_id, at);

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

-- What has happened stays: the module itself cannot rewrite it.
REVOKE UPDATE, DELETE ON payments, returns, return_lines, refunds, audit FROM comptoir_sales;
REVOKE DELETE ON sales, sale_lines FROM comptoir_sales;
