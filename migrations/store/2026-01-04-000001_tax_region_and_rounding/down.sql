ALTER TABLE stores DROP COLUMN tax_region, DROP COLUMN cash_rounding_minor;
