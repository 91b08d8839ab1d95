-- A page of 50 products from anywhere in the list, by keyset; one row more tells whether another
-- page follows.
\set p random(0, :products / 50 - 1) * 50
SELECT * FROM products WHERE (name, id) > ('Bench product ' || lpad((:p)::text, 6, '0'), nth(:p)) ORDER BY name, id LIMIT 51;
