-- The same sale as one statement. Too little stock divides by zero, which undoes the whole.
\set store random(1, :stores)
\set x random(1, :products)
\set y 1 + (:x + random(1, :products - 1) - 1) % :products
WITH taken AS (
    UPDATE levels SET on_hand = on_hand - 1, version = version + 1, updated_at = now()
    WHERE store_id = nth(:store) AND product_id = ANY (ARRAY[nth(:x), nth(:y)]) AND on_hand >= 1
    RETURNING product_id
), sale AS (
    INSERT INTO sales
    SELECT new_id(), nth(:store), nth(1), 'recorded', '7ZQ4D-M2K9P',
           '\x8f2d7c3e51aa4b0c9d6e2f1077c401e58f2d7c3e51aa4b0c9d6e2f1077c401e5'::bytea,
           now(), now(), current_date, 'EUR', 498 / (count(*) = 2)::int, 80
    FROM taken
    RETURNING id
), lines AS (
    INSERT INTO sale_lines
    SELECT sale.id, row_number() OVER (), nth(:store), taken.product_id,
           'BENCH-000001', 'Bench product 000001', 1, 249, 40, 249
    FROM sale, taken
)
INSERT INTO outbox
SELECT gen_random_uuid(), sale.id, 1, 'sale.recorded.v1',
       '{"store_id": "00000000-0000-0000-0000-000000000001", "lines": [{"product_id": "00000000-0000-0000-0000-000000000001", "quantity": 1}, {"product_id": "00000000-0000-0000-0000-000000000002", "quantity": 1}]}'::jsonb,
       now()
FROM sale;
