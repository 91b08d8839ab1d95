-- One product by its primary key, every column.
\set p random(1, :products)
SELECT * FROM products WHERE id = nth(:p);
