ALTER INDEX requests_pkey RENAME TO transfer_requests_pkey;
ALTER TABLE requests RENAME TO transfer_requests;
DROP TABLE discrepancies;
