-- What the sales have done, as one JSON object. Everything but `sales` must be 0. A sale that was
-- cut off at the end of a run may leave a hold that waits for the sweeper: its goods are taken, it
-- is not recorded, and that is as it should be.
WITH moved AS (
    SELECT document_id, store_id, product_id, -sum(delta) AS quantity
    FROM store.movements
    WHERE document_type = 'sale'
    GROUP BY document_id, store_id, product_id
    HAVING sum(delta) <> 0
), sold AS (
    SELECT sale_id AS document_id, store_id, product_id, sum(quantity) AS quantity
    FROM sales.sale_lines
    GROUP BY sale_id, store_id, product_id
), compared AS (
    SELECT document_id, moved.quantity AS taken, sold.quantity AS sold
    FROM moved FULL JOIN sold USING (document_id, store_id, product_id)
), balances AS (
    SELECT store_id, product_id, sum(delta) AS on_hand
    FROM store.movements
    GROUP BY store_id, product_id
)
SELECT json_build_object(
    'sales', (SELECT count(*) FROM sales.sales WHERE state = 'recorded'),
    'sales without their 2 lines', (
        SELECT count(*) FROM sales.sales s WHERE state = 'recorded'
        AND (SELECT count(*) FROM sales.sale_lines l WHERE l.sale_id = s.id) <> 2),
    'lines whose goods were not taken', (
        SELECT count(*) FROM compared WHERE sold IS DISTINCT FROM taken AND sold IS NOT NULL),
    'goods taken for no sale', (
        SELECT count(*) FROM compared LEFT JOIN store.holds ON hold_id = document_id
        WHERE sold IS NULL AND state IS DISTINCT FROM 'held'),
    'levels that differ from their ledger', (
        SELECT count(*) FROM store.levels l FULL JOIN balances b USING (store_id, product_id)
        WHERE l.on_hand IS DISTINCT FROM b.on_hand),
    'levels below zero', (SELECT count(*) FROM store.levels WHERE on_hand < 0)
);
