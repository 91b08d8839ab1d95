-- What cash was rounded by: owed in all is the total and this.
ALTER TABLE sales
    ADD COLUMN rounding_minor bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT sales_paid,
    ADD CONSTRAINT sales_paid CHECK (paid_minor - change_minor = total_minor + rounding_minor);
ALTER TABLE returns ADD COLUMN rounding_minor bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT returns_rounding CHECK (refund_minor + rounding_minor >= 0);

-- The part of a line's discount that a promotion gave, and which.
ALTER TABLE sale_lines
    ADD COLUMN promotion_id uuid,
    ADD COLUMN promotion_name text,
    ADD COLUMN promotion_discount_minor bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT sale_lines_promotion CHECK (
        promotion_discount_minor BETWEEN 0 AND discount_minor
        AND (promotion_id IS NULL) = (promotion_name IS NULL)
        AND (promotion_id IS NULL) = (promotion_discount_minor = 0));
