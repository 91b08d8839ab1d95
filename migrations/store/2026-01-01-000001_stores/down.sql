DROP TABLE audit;
DROP TABLE registers;
DROP TABLE stores;
DROP TABLE inbox;
DROP TABLE outbox;
