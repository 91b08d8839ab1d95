-- What a product cost, from when on: a row whenever that changes. `version` is the product's, so that
-- they follow each other; NULL is "not known any more".
CREATE TABLE product_costs (
    product_id uuid NOT NULL REFERENCES products (id),
    version bigint NOT NULL CHECK (version >= 1),
    since timestamptz NOT NULL,
    cost_minor bigint CHECK (cost_minor >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    price_per bigint NOT NULL CHECK (price_per > 0),
    PRIMARY KEY (product_id, version)
);

-- The trail has every version of every product, so the history is read from it.
INSERT INTO product_costs (product_id, version, since, cost_minor, currency, price_per)
SELECT product_id, version, since, cost_minor, currency, price_per FROM (
    SELECT *, lag((cost_minor, currency, price_per)::text) OVER (
        PARTITION BY product_id ORDER BY version) AS before
    FROM (
        SELECT a.subject_id AS product_id, (a.after ->> 'version')::bigint AS version,
            a.recorded_at AS since, (a.after ->> 'cost_minor')::bigint AS cost_minor,
            a.after -> 'price' ->> 'currency' AS currency,
            (a.after ->> 'price_per')::bigint AS price_per
        FROM audit a JOIN products p ON p.id = a.subject_id
        WHERE a.action LIKE 'product.%' AND a.after IS NOT NULL) versions) changes
WHERE CASE WHEN before IS NULL THEN cost_minor IS NOT NULL
    ELSE before <> (cost_minor, currency, price_per)::text END;

-- Should the trail not tell how it came to what it is now.
INSERT INTO product_costs (product_id, version, since, cost_minor, currency, price_per)
SELECT p.id, p.version, p.updated_at, p.cost_minor, p.currency, p.price_per FROM products p
LEFT JOIN LATERAL (
    SELECT c.* FROM product_costs c WHERE c.product_id = p.id ORDER BY c.version DESC LIMIT 1) c ON true
WHERE (c.cost_minor IS NOT NULL OR p.cost_minor IS NOT NULL)
    AND (c.cost_minor, c.currency, c.price_per) IS DISTINCT FROM (p.cost_minor, p.currency, p.price_per)
ON CONFLICT (product_id, version) DO NOTHING;

REVOKE UPDATE, DELETE ON product_costs FROM comptoir_inventory;
