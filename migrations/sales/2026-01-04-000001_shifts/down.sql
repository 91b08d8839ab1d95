ALTER TABLE sales DROP COLUMN void_shift_id;
ALTER TABLE returns DROP COLUMN register_id;
DROP TABLE answers;
DROP TABLE z_reports;
DROP TABLE cash_movements;
DROP TABLE shift_totals;
DROP TABLE shifts;
DROP TABLE receipts;
DROP TABLE registers;
