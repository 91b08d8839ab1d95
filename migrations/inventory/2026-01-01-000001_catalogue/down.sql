DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE audit;
DROP TABLE imports;
DROP TABLE barcodes;
DROP TABLE products;
DROP TABLE categories;
