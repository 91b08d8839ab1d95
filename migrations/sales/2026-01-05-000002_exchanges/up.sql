-- An exchange is a return and the sale that it is exchanged for. What one offsets of the other is paid
-- and refunded in a tender of its own, so that each document adds up by itself.
ALTER TABLE payments
    DROP CONSTRAINT payments_tender_check,
    ADD CONSTRAINT payments_tender_check
        CHECK (tender IN ('cash', 'card', 'voucher', 'other', 'exchange'));
ALTER TABLE refunds
    DROP CONSTRAINT refunds_tender_check,
    ADD CONSTRAINT refunds_tender_check
        CHECK (tender IN ('cash', 'card', 'voucher', 'other', 'exchange'));
ALTER TABLE returns ADD COLUMN exchange_sale_id uuid REFERENCES sales (id);
CREATE UNIQUE INDEX returns_exchange ON returns (exchange_sale_id) WHERE exchange_sale_id IS NOT NULL;
