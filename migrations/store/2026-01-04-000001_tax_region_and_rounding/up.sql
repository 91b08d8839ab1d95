-- Which tax rates of the catalogue hold here, and to what cash is rounded; none where NULL.
ALTER TABLE stores
    ADD COLUMN tax_region text CHECK (tax_region ~ '^[A-Za-z0-9._-]{1,64}$'),
    ADD COLUMN cash_rounding_minor bigint CHECK (cash_rounding_minor BETWEEN 1 AND 100000);
