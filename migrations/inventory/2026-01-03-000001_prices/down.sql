DROP TABLE promotion_categories;
DROP TABLE promotion_products;
DROP TABLE promotion_stores;
DROP TABLE promotions;
DROP TABLE prices;
DROP TABLE tax_rates;
ALTER TABLE products DROP COLUMN tax_class;
DROP TABLE tax_classes;
