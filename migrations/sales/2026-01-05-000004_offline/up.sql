-- Whether a sale was made while its till was offline, and recorded afterwards.
ALTER TABLE sales ADD COLUMN offline boolean NOT NULL DEFAULT false;
