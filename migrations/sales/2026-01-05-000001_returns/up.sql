-- A return names the store that sold, which may be another than the one that takes the goods back;
-- one without a receipt has no sale.
ALTER TABLE returns ALTER COLUMN sale_id DROP NOT NULL, ADD COLUMN sale_store_id uuid;
UPDATE returns SET sale_store_id = store_id;
ALTER TABLE returns ADD CONSTRAINT returns_sale CHECK ((sale_id IS NULL) = (sale_store_id IS NULL));

-- Lines copy what reports need, as the lines of a sale do: there may be no sale to ask. Tax and cost
-- are the shares of what came back.
ALTER TABLE return_lines
    ALTER COLUMN sale_id DROP NOT NULL,
    ALTER COLUMN line DROP NOT NULL,
    ADD COLUMN category_id uuid,
    ADD COLUMN tax_rate bigint,
    ADD COLUMN tax_minor bigint,
    ADD COLUMN cost_minor bigint;
UPDATE return_lines b SET category_id = l.category_id, tax_rate = l.tax_rate,
    tax_minor = coalesce(round(b.refund_minor::numeric * l.tax_minor / nullif(l.total_minor, 0)), 0),
    cost_minor = round(l.cost_minor::numeric * b.quantity / l.quantity)
FROM sale_lines l WHERE l.sale_id = b.sale_id AND l.line = b.line;
ALTER TABLE return_lines
    ALTER COLUMN tax_rate SET NOT NULL,
    ALTER COLUMN tax_minor SET NOT NULL,
    ADD CONSTRAINT return_lines_sale CHECK ((sale_id IS NULL) = (line IS NULL)),
    ADD CONSTRAINT return_lines_tax CHECK (tax_minor BETWEEN 0 AND refund_minor);
