DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE audit;
DROP TABLE throttles;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE grants;
DROP TABLE users;
