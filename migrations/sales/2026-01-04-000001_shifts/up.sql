-- What sales keeps of a register: the last numbers that were given, and the shift that is open.
-- Whatever is counted at a register is counted under the lock of this row.
CREATE TABLE registers (
    store_id uuid NOT NULL,
    register_id uuid NOT NULL,
    last_receipt bigint NOT NULL DEFAULT 0 CHECK (last_receipt >= 0),
    last_z bigint NOT NULL DEFAULT 0 CHECK (last_z >= 0),
    open_shift_id uuid,
    open_currency text,
    PRIMARY KEY (store_id, register_id),
    CONSTRAINT registers_open CHECK ((open_shift_id IS NULL) = (open_currency IS NULL))
);

-- The journal of a register: its sales and returns, numbered from 1 without gaps, and the shift
-- that counted each. No foreign keys: a row is only ever written with what it refers to.
CREATE TABLE receipts (
    store_id uuid NOT NULL,
    register_id uuid NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    kind text NOT NULL CHECK (kind IN ('sale', 'return')),
    document_id uuid NOT NULL,
    shift_id uuid,
    PRIMARY KEY (store_id, register_id, number),
    CONSTRAINT receipts_document UNIQUE (document_id)
);
-- What was sold at registers before they gave numbers gets them in the order in which it was recorded.
INSERT INTO receipts (store_id, register_id, number, kind, document_id)
SELECT store_id, register_id,
    row_number() OVER (PARTITION BY store_id, register_id ORDER BY recorded_at, id), 'sale', id
FROM sales WHERE register_id IS NOT NULL AND state <> 'aborted';
INSERT INTO registers (store_id, register_id, last_receipt)
SELECT store_id, register_id, max(number) FROM receipts GROUP BY store_id, register_id;

CREATE TABLE shifts (
    id uuid PRIMARY KEY,
    store_id uuid NOT NULL,
    register_id uuid NOT NULL,
    register_code text NOT NULL,
    cashier_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'closed')),
    currency text NOT NULL,
    business_date date NOT NULL,
    opened_at timestamptz NOT NULL,
    float_minor bigint NOT NULL CHECK (float_minor >= 0),
    first_receipt bigint NOT NULL CHECK (first_receipt >= 1),
    cash_in_minor bigint NOT NULL DEFAULT 0 CHECK (cash_in_minor >= 0),
    cash_out_minor bigint NOT NULL DEFAULT 0 CHECK (cash_out_minor >= 0),
    cash_count integer NOT NULL DEFAULT 0 CHECK (cash_count >= 0),
    closed_at timestamptz,
    closed_by uuid,
    last_receipt bigint,
    z_number bigint,
    expected_minor bigint,
    counted_minor bigint CHECK (counted_minor >= 0),
    CONSTRAINT shifts_closed CHECK (
        num_nonnulls(closed_at, closed_by, last_receipt, z_number, expected_minor, counted_minor)
            = CASE state WHEN 'closed' THEN 6 ELSE 0 END)
);
CREATE UNIQUE INDEX shifts_one_open ON shifts (store_id, register_id) WHERE state = 'open';
CREATE INDEX shifts_newest ON shifts (opened_at DESC, id DESC);
CREATE INDEX shifts_history ON shifts (store_id, opened_at DESC, id DESC);
CREATE INDEX shifts_by_cashier ON shifts (cashier_id, opened_at DESC, id DESC);
CREATE INDEX shifts_by_day ON shifts (business_date, store_id);
REVOKE DELETE ON shifts FROM comptoir_sales;

-- Running totals, so that a close reads a handful of rows however much was sold. A row is a kind
-- of sum: all documents, their discounts, a tender, or a tax rate.
CREATE TABLE shift_totals (
    store_id uuid NOT NULL,
    shift_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('document', 'discount', 'tender', 'tax')),
    item text NOT NULL,
    sold_count bigint NOT NULL DEFAULT 0,
    sold_minor bigint NOT NULL DEFAULT 0,
    sold_tax_minor bigint NOT NULL DEFAULT 0,
    voided_count bigint NOT NULL DEFAULT 0,
    voided_minor bigint NOT NULL DEFAULT 0,
    voided_tax_minor bigint NOT NULL DEFAULT 0,
    returned_count bigint NOT NULL DEFAULT 0,
    returned_minor bigint NOT NULL DEFAULT 0,
    returned_tax_minor bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (store_id, shift_id, kind, item)
);
REVOKE DELETE ON shift_totals FROM comptoir_sales;

CREATE TABLE cash_movements (
    store_id uuid NOT NULL,
    shift_id uuid NOT NULL REFERENCES shifts (id),
    n integer NOT NULL CHECK (n >= 1),
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, shift_id, n)
);

-- What a shift came to, as it was closed.
CREATE TABLE z_reports (
    store_id uuid NOT NULL,
    register_id uuid NOT NULL,
    number bigint NOT NULL CHECK (number >= 1),
    shift_id uuid NOT NULL REFERENCES shifts (id),
    report jsonb NOT NULL,
    PRIMARY KEY (store_id, register_id, number),
    CONSTRAINT z_reports_shift UNIQUE (shift_id)
);
REVOKE UPDATE, DELETE ON receipts, cash_movements, z_reports FROM comptoir_sales;

-- A stored answer per request that was carried out and makes no document, under the id made of its
-- idempotency key.
CREATE TABLE answers (
    id uuid PRIMARY KEY,
    actor_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    response jsonb,
    created_at timestamptz NOT NULL
);
REVOKE DELETE ON answers FROM comptoir_sales;

ALTER TABLE returns ADD COLUMN register_id uuid;
-- The shift whose drawer gave the money of a voided sale back.
ALTER TABLE sales ADD COLUMN void_shift_id uuid,
    ADD CONSTRAINT sales_void_shift CHECK (void_shift_id IS NULL OR state = 'voided');
CREATE INDEX sales_by_void_shift ON sales (void_shift_id) WHERE void_shift_id IS NOT NULL;
