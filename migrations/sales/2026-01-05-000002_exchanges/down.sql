-- Fails where goods were exchanged: without their tender the documents would not add up.
DROP INDEX returns_exchange;
ALTER TABLE returns DROP COLUMN exchange_sale_id;
ALTER TABLE refunds
    DROP CONSTRAINT refunds_tender_check,
    ADD CONSTRAINT refunds_tender_check CHECK (tender IN ('cash', 'card', 'voucher', 'other'));
ALTER TABLE payments
    DROP CONSTRAINT payments_tender_check,
    ADD CONSTRAINT payments_tender_check CHECK (tender IN ('cash', 'card', 'voucher', 'other'));
