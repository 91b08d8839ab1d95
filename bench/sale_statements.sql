-- The ideal sale, statement by statement: 2 guarded stock updates, 1 sale, 2 lines, 1 outbox row.
-- Products in key order, so that no two sales wait for each other in a circle.
\set store random(1, :stores)
\set x random(1, :products)
\set y 1 + (:x + random(1, :products - 1) - 1) % :products
\set a least(:x, :y)
\set b greatest(:x, :y)
BEGIN;
UPDATE levels SET on_hand = on_hand - 1, version = version + 1, updated_at = now() WHERE store_id = nth(:store) AND product_id = nth(:a) AND on_hand >= 1;
UPDATE levels SET on_hand = on_hand - 1, version = version + 1, updated_at = now() WHERE store_id = nth(:store) AND product_id = nth(:b) AND on_hand >= 1;
INSERT INTO sales VALUES (new_id(), nth(:store), nth(1), 'recorded', '7ZQ4D-M2K9P', '\x8f2d7c3e51aa4b0c9d6e2f1077c401e58f2d7c3e51aa4b0c9d6e2f1077c401e5', now(), now(), current_date, 'EUR', 498, 80) RETURNING id \gset
INSERT INTO sale_lines VALUES (:id, 1, nth(:store), nth(:a), 'BENCH-000001', 'Bench product 000001', 1, 249, 40, 249);
INSERT INTO sale_lines VALUES (:id, 2, nth(:store), nth(:b), 'BENCH-000002', 'Bench product 000002', 1, 249, 40, 249);
INSERT INTO outbox VALUES (gen_random_uuid(), :id, 1, 'sale.recorded.v1', '{"store_id": "00000000-0000-0000-0000-000000000001", "lines": [{"product_id": "00000000-0000-0000-0000-000000000001", "quantity": 1}, {"product_id": "00000000-0000-0000-0000-000000000002", "quantity": 1}]}', now());
COMMIT;
