-- Fails where goods came back without a receipt: such a return has no sale to name.
ALTER TABLE return_lines
    DROP CONSTRAINT return_lines_tax,
    DROP CONSTRAINT return_lines_sale,
    DROP COLUMN cost_minor,
    DROP COLUMN tax_minor,
    DROP COLUMN tax_rate,
    DROP COLUMN category_id,
    ALTER COLUMN line SET NOT NULL,
    ALTER COLUMN sale_id SET NOT NULL;
ALTER TABLE returns
    DROP CONSTRAINT returns_sale,
    DROP COLUMN sale_store_id,
    ALTER COLUMN sale_id SET NOT NULL;
