-- What a product is for the tax: rates are given per class, and a product without one keeps its own.
CREATE TABLE tax_classes (
    id uuid PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE CHECK (code ~ '^[A-Za-z0-9._-]{1,64}$'),
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL
);
ALTER TABLE products ADD COLUMN tax_class text COLLATE "C" REFERENCES tax_classes (code);
CREATE INDEX products_tax_class ON products (tax_class) WHERE tax_class IS NOT NULL;

-- A rate holds until the next one of its region and class. One that has not begun may be withdrawn;
-- nothing else of it ever changes.
CREATE TABLE tax_rates (
    id uuid PRIMARY KEY,
    region text COLLATE "C" NOT NULL CHECK (region ~ '^[A-Za-z0-9._-]{1,64}$'),
    tax_class text COLLATE "C" NOT NULL REFERENCES tax_classes (code),
    rate bigint NOT NULL CHECK (rate BETWEEN 0 AND 10000),
    valid_from timestamptz NOT NULL,
    withdrawn_at timestamptz,
    version bigint NOT NULL CHECK (version >= 1),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT tax_rates_withdrawn CHECK (withdrawn_at <= valid_from)
);
CREATE UNIQUE INDEX tax_rates_start ON tax_rates (region, tax_class, valid_from)
    WHERE withdrawn_at IS NULL;

-- A price belongs to one store, or to all of them where it names none: so the store is not in its
-- key. It is never changed but for its end, and stays as history.
CREATE TABLE prices (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products (id),
    store_id uuid,
    price_minor bigint NOT NULL CHECK (price_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_per bigint NOT NULL CHECK (price_per > 0),
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    withdrawn_at timestamptz,
    version bigint NOT NULL CHECK (version >= 1),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT prices_span CHECK (valid_until > valid_from),
    CONSTRAINT prices_withdrawn CHECK (withdrawn_at <= valid_from)
);
-- Of two that began at the same moment neither would be the later one.
CREATE UNIQUE INDEX prices_start ON prices (product_id,
    coalesce(store_id, '00000000-0000-0000-0000-000000000000'::uuid), currency, valid_from)
    WHERE withdrawn_at IS NULL;
CREATE INDEX prices_newest ON prices (valid_from DESC, id DESC);
CREATE INDEX prices_of_store ON prices (store_id, valid_from DESC, id DESC);

-- Off a rate or an amount per `price_per`, at the stores that are named or at all of them.
CREATE TABLE promotions (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    rate bigint CHECK (rate BETWEEN 1 AND 10000),
    amount_minor bigint CHECK (amount_minor > 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    min_quantity bigint NOT NULL CHECK (min_quantity >= 1),
    every_store boolean NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    withdrawn_at timestamptz,
    version bigint NOT NULL CHECK (version >= 1),
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT promotions_off CHECK (num_nonnulls(rate, amount_minor) = 1),
    CONSTRAINT promotions_currency CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    CONSTRAINT promotions_span CHECK (valid_until > valid_from),
    CONSTRAINT promotions_withdrawn CHECK (withdrawn_at <= valid_from)
);
CREATE INDEX promotions_newest ON promotions (valid_from DESC, id DESC);
CREATE INDEX promotions_end ON promotions (valid_until) WHERE withdrawn_at IS NULL;
CREATE TABLE promotion_stores (
    store_id uuid NOT NULL,
    promotion_id uuid NOT NULL REFERENCES promotions (id),
    PRIMARY KEY (store_id, promotion_id)
);
CREATE INDEX promotion_stores_of ON promotion_stores (promotion_id);
CREATE TABLE promotion_products (
    promotion_id uuid NOT NULL REFERENCES promotions (id),
    product_id uuid NOT NULL REFERENCES products (id),
    PRIMARY KEY (promotion_id, product_id)
);
CREATE INDEX promotion_products_of ON promotion_products (product_id);
-- With everything below the category, wherever that is moved to.
CREATE TABLE promotion_categories (
    promotion_id uuid NOT NULL REFERENCES promotions (id),
    category_id uuid NOT NULL REFERENCES categories (id),
    PRIMARY KEY (promotion_id, category_id)
);
CREATE INDEX promotion_categories_of ON promotion_categories (category_id);

REVOKE UPDATE, DELETE ON tax_classes, promotion_stores, promotion_products, promotion_categories
    FROM comptoir_inventory;
REVOKE DELETE ON tax_rates, prices, promotions FROM comptoir_inventory;
