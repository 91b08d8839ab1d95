-- The floor's own tables, beside the product's in the same database: what a sale needs at least.
--   psql -v stores=5 -v products=2000 -f schema.sql
-- Only primary keys: every index, check and document that the product has beyond these is its own
-- affair and counts against it.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS bench CASCADE;
CREATE SCHEMA bench;
SET search_path = bench;

-- pgbench draws numbers, the tables have UUIDs as keys, as the product's have.
CREATE FUNCTION nth(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN lpad(to_hex(n), 32, '0')::uuid;

-- Time in front, as in a UUIDv7, so that new rows land together in the indexes.
CREATE FUNCTION new_id() RETURNS uuid LANGUAGE sql VOLATILE
    RETURN overlay(gen_random_uuid()::text PLACING
        overlay(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            PLACING '-' FROM 9 FOR 0)
        FROM 1 FOR 13)::uuid;

CREATE TABLE levels (
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    on_hand bigint NOT NULL CHECK (on_hand >= 0),
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (store_id, product_id)
) WITH (fillfactor = 70);
INSERT INTO levels
SELECT nth(s), nth(p), 100000000, 1, now()
FROM generate_series(1, :stores) s, generate_series(1, :products) p;

CREATE TABLE sales (
    id uuid PRIMARY KEY,
    store_id uuid NOT NULL,
    cashier_id uuid NOT NULL,
    state text NOT NULL,
    number text NOT NULL,
    request_hash bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    business_date date NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    tax_minor bigint NOT NULL
);

CREATE TABLE sale_lines (
    sale_id uuid NOT NULL,
    line integer NOT NULL,
    store_id uuid NOT NULL,
    product_id uuid NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity bigint NOT NULL,
    unit_price_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    PRIMARY KEY (sale_id, line)
);

CREATE TABLE outbox (
    event_id uuid PRIMARY KEY,
    aggregate_id uuid NOT NULL,
    seq bigint NOT NULL,
    event_type text NOT NULL,
    payload jsonb NOT NULL,
    recorded_at timestamptz NOT NULL
);
