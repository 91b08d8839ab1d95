CREATE TABLE users (
    id uuid PRIMARY KEY,
    -- Trimmed and in lower case.
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    name text NOT NULL,
    -- bcrypt over base64(HMAC-SHA-256(pepper, password)); the version names the pepper.
    password_hash text NOT NULL,
    pepper_version integer NOT NULL,
    -- Goes up with each new password, and not when the same one is hashed anew.
    password_version bigint NOT NULL DEFAULT 1,
    archived_at timestamptz,
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- A role at one store, or at every store where store_id is null. Positions keep the order given.
CREATE TABLE grants (
    user_id uuid NOT NULL REFERENCES users (id),
    position integer NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'manager', 'cashier', 'clerk', 'auditor')),
    store_id uuid,
    PRIMARY KEY (user_id, position)
);
CREATE UNIQUE INDEX grants_once ON grants (user_id, role, store_id) WHERE store_id IS NOT NULL;
CREATE UNIQUE INDEX grants_everywhere_once ON grants (user_id, role) WHERE store_id IS NULL;
CREATE INDEX grants_by_store ON grants (store_id, role, user_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    user_agent text,
    address text,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    -- The earlier of the idle and the absolute limit; each refresh moves it.
    expires_at timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    CHECK (expires_at <= absolute_expires_at)
);
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The chain of refresh tokens of a session. A spent one stays, so that its reuse is noticed.
CREATE TABLE refresh_tokens (
    -- SHA-256 of the token, which itself is stored nowhere.
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL,
    used_at timestamptz,
    -- With the spent token and the server's key, makes the successor once more within the grace.
    successor_nonce bytea,
    successor_hash bytea,
    CHECK ((used_at IS NULL) = (successor_nonce IS NULL)),
    CHECK ((used_at IS NULL) = (successor_hash IS NULL))
);
CREATE INDEX refresh_tokens_by_age ON refresh_tokens (issued_at);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Failed sign-ins, by account and by address. The key is a SHA-256, so that made-up e-mail
-- addresses of any length cost 32 bytes.
CREATE TABLE throttles (
    key bytea PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    since timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    locked_until timestamptz NOT NULL
);
CREATE INDEX throttles_by_time ON throttles (last_at);

-- Who changed what about whom. The rows of one subject are a chain: each hash covers the row and
-- the hash before it.
CREATE TABLE audit (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid NOT NULL,
    action text NOT NULL,
    subject_id uuid NOT NULL,
    store_id uuid,
    before jsonb,
    after jsonb,
    trace_id text NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    UNIQUE (subject_id, seq)
);
REVOKE UPDATE, DELETE ON audit FROM comptoir_auth;

CREATE TABLE outbox (
    event_id uuid PRIMARY KEY,
    aggregate_type text NOT NULL,
    aggregate_id uuid NOT NULL,
    seq bigint NOT NULL,
    event_type text NOT NULL,
    payload jsonb NOT NULL,
    actor_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT '-infinity',
    published_at timestamptz,
    parked_at timestamptz,
    UNIQUE (aggregate_id, seq)
);
CREATE INDEX outbox_due ON outbox (recorded_at, aggregate_id, seq)
    WHERE published_at IS NULL AND parked_at IS NULL;
CREATE TABLE inbox (aggregate_id uuid PRIMARY KEY, last_seq bigint NOT NULL);
