ALTER INDEX answers_pkey RENAME TO transfer_requests_pkey;
ALTER TABLE answers RENAME TO transfer_requests;
DROP TABLE discrepancies;
