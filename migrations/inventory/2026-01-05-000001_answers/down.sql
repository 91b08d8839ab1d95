ALTER INDEX answers_pkey RENAME TO replenishment_answers_pkey;
ALTER TABLE answers RENAME TO replenishment_answers;
