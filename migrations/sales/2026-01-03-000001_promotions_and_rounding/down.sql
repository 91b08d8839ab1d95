-- Fails where cash was rounded: what was paid stays what was paid.
ALTER TABLE sale_lines
    DROP CONSTRAINT sale_lines_promotion,
    DROP COLUMN promotion_id,
    DROP COLUMN promotion_name,
    DROP COLUMN promotion_discount_minor;
ALTER TABLE sales
    DROP CONSTRAINT sales_paid,
    ADD CONSTRAINT sales_paid CHECK (paid_minor - change_minor = total_minor);
ALTER TABLE returns ADD CONSTRAINT returns_unrounded CHECK (rounding_minor = 0);
ALTER TABLE returns DROP COLUMN rounding_minor;
ALTER TABLE sales DROP COLUMN rounding_minor;
