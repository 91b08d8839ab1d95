-- The catalogue belongs to the whole chain, so its tables have no store_id.

-- An adjacency list with its path beside it. Names hold no '/', so a unique path is a unique
-- name under a parent.
CREATE TABLE categories (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES categories (id),
    name text COLLATE "C" NOT NULL CHECK (name <> '' AND position('/' IN name) = 0),
    path text COLLATE "C" NOT NULL UNIQUE,
    depth integer NOT NULL CHECK (depth BETWEEN 1 AND 8),
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (parent_id <> id)
);
CREATE INDEX categories_parent ON categories (parent_id, path);

-- `barcodes` repeats the table below for reading. `search` holds the words of name and SKU, cut
-- by the module and not by PostgreSQL's parser, which takes BREAD/ROLLS for a file name.
CREATE TABLE products (
    id uuid PRIMARY KEY,
    sku text COLLATE "C" NOT NULL UNIQUE,
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    unit text NOT NULL CHECK (unit IN ('each', 'g', 'ml')),
    barcodes text[] NOT NULL,
    category_id uuid REFERENCES categories (id),
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_per bigint NOT NULL CHECK (price_per > 0),
    tax_rate bigint NOT NULL CHECK (tax_rate BETWEEN 0 AND 10000),
    cost_minor bigint CHECK (cost_minor >= 0),
    template_id uuid REFERENCES products (id),
    attributes jsonb NOT NULL,
    search tsvector NOT NULL,
    archived_at timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (template_id <> id)
);
CREATE INDEX products_name ON products (name, id);
CREATE INDEX products_archived ON products (name, id) WHERE archived_at IS NOT NULL;
CREATE INDEX products_category ON products (category_id, name, id);
CREATE INDEX products_template ON products (template_id, name, id) WHERE template_id IS NOT NULL;
-- Without a pending list a search never pays for the writes before it.
CREATE INDEX products_search ON products USING gin (search) WITH (fastupdate = off);

CREATE TABLE barcodes (
    barcode text COLLATE "C" PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products (id)
);

CREATE TABLE imports (
    id uuid PRIMARY KEY,
    actor_id uuid NOT NULL,
    dry_run boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'finished', 'aborted')),
    rows bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    failed bigint NOT NULL,
    errors jsonb NOT NULL,
    ignored_columns text[] NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);

CREATE TABLE audit (
    id uuid PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    actor_id uuid NOT NULL,
    trace_id text NOT NULL,
    action text NOT NULL,
    resource_id uuid NOT NULL,
    before jsonb,
    after jsonb
);
CREATE INDEX audit_resource ON audit (resource_id, recorded_at);
REVOKE UPDATE, DELETE ON audit FROM comptoir_inventory;

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
