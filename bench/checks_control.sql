-- A check that cannot fail proves nothing: damages the data in every way that checks.sql looks
-- for, lets it look, and takes the damage back. Every count must come out above 0.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
CREATE TEMPORARY TABLE victims ON COMMIT DROP AS
SELECT id, row_number() OVER () AS n
FROM (SELECT id FROM sales.sales WHERE state = 'recorded' LIMIT 3) AS chosen;
DELETE FROM sales.sale_lines WHERE line = 1 AND sale_id = (SELECT id FROM victims WHERE n = 1);
UPDATE sales.sale_lines SET quantity = quantity + 1
WHERE sale_id = (SELECT id FROM victims WHERE n = 2);
UPDATE store.holds SET state = 'consumed', resolved_at = coalesce(resolved_at, now())
WHERE hold_id IN (SELECT id FROM victims);
UPDATE store.levels SET on_hand = -1, may_go_negative = true
WHERE (store_id, product_id) = (SELECT store_id, product_id FROM store.levels LIMIT 1);
\ir checks.sql
ROLLBACK;
