-- The stored answers of all that is done once, whatever it is about.
ALTER TABLE replenishment_answers RENAME TO answers;
ALTER INDEX replenishment_answers_pkey RENAME TO answers_pkey;
