DROP TABLE answers;
DROP TABLE replenishment_transfer_lines;
DROP TABLE replenishment_transfers;
DROP TABLE replenishment_lines;
DROP TABLE replenishment_requests;
DROP TABLE replenishment_numbers;
DROP TABLE reorder_rules;
