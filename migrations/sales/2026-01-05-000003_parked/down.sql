DROP TABLE parked_sales;
