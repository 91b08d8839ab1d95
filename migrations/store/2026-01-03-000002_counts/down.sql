-- Fails where counts have moved stock: the ledger keeps what happened.
ALTER TABLE movements
    DROP CONSTRAINT movements_reason_check,
    DROP CONSTRAINT movements_document_type_check,
    ADD CONSTRAINT movements_reason_check CHECK (reason IN (
        'sale', 'sale_aborted', 'void', 'return', 'opening', 'delivery', 'correction', 'damaged',
        'shrinkage', 'found', 'expired', 'other', 'transfer_out', 'transfer_in')),
    ADD CONSTRAINT movements_document_type_check CHECK (document_type IN (
        'sale', 'return', 'adjustment', 'transfer'));
DROP TABLE count_entries;
DROP TABLE count_lines;
DROP TABLE counts;
