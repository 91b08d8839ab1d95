//! The chain of refresh tokens: rotated by one guarded statement, never read and then written.

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Binary, Bool, Nullable, Timestamptz, Uuid as SqlUuid},
};
use kernel::{
    ids::{SessionId, UserId},
    statement,
};

use crate::schema::refresh_tokens;

/// The first token of a session.
pub(crate) fn insert(
    conn: &mut PgConnection,
    token_hash: &[u8],
    session: SessionId,
    issued_at: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::token_hash.eq(token_hash),
            refresh_tokens::session_id.eq(session),
            refresh_tokens::issued_at.eq(issued_at),
        ))
        .execute(conn)
        .map(drop)
}

/// The session that a token belongs to.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct Owner {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) session_id: SessionId,
    #[diesel(sql_type = SqlUuid)]
    pub(crate) user_id: UserId,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) absolute_expires_at: DateTime<Utc>,
}

statement! {
    pub(crate) struct Rotate<'a> {
        spent: &'a [u8] => Binary,
        next: &'a [u8] => Binary,
        nonce: &'a [u8] => Binary,
        now: DateTime<Utc> => Timestamptz,
        idle_until: DateTime<Utc> => Timestamptz,
    }
    // The session is locked first, so that whoever ends it waits, or is waited for.
    "WITH p AS (SELECT {}::bytea AS spent, {}::bytea AS next, {}::bytea AS nonce, \
         {}::timestamptz AS now, {}::timestamptz AS idle_until), \
     live AS (UPDATE sessions s \
         SET last_used_at = p.now, expires_at = least(p.idle_until, s.absolute_expires_at) FROM p \
         WHERE s.id = (SELECT t.session_id FROM refresh_tokens t, p \
                 WHERE t.token_hash = p.spent AND t.used_at IS NULL) \
           AND s.ended_at IS NULL AND s.expires_at > p.now \
         RETURNING s.id AS session_id, s.user_id, s.absolute_expires_at), \
     spent AS (UPDATE refresh_tokens t \
         SET used_at = p.now, successor_nonce = p.nonce, successor_hash = p.next FROM p, live \
         WHERE t.token_hash = p.spent AND t.used_at IS NULL \
         RETURNING live.session_id, live.user_id, live.absolute_expires_at), \
     next AS (INSERT INTO refresh_tokens (token_hash, session_id, issued_at) \
         SELECT p.next, spent.session_id, p.now FROM p, spent) \
     SELECT session_id, user_id, absolute_expires_at FROM spent"
}

/// Spends a token and stores its successor. `None`, when it was spent before, is unknown, or its
/// session is over. Of many at once exactly one succeeds.
pub(crate) fn rotate(conn: &mut PgConnection, rotation: Rotate<'_>) -> QueryResult<Option<Owner>> {
    rotation.get_result(conn).optional()
}

/// A token that was not rotated just now.
#[derive(QueryableByName)]
pub(crate) struct Seen {
    #[diesel(embed)]
    pub(crate) owner: Owner,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) used_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) successor_nonce: Option<Vec<u8>>,
    #[diesel(sql_type = Bool)]
    pub(crate) successor_used: bool,
    #[diesel(sql_type = Bool)]
    pub(crate) session_live: bool,
}

statement! {
    struct Look<'a> {
        now: DateTime<Utc> => Timestamptz,
        token_hash: &'a [u8] => Binary,
    }
    "SELECT t.session_id, s.user_id, s.absolute_expires_at, t.used_at, t.successor_nonce, \
         n.used_at IS NOT NULL AS successor_used, \
         s.ended_at IS NULL AND s.expires_at > {} AS session_live \
     FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id \
     LEFT JOIN refresh_tokens n ON n.token_hash = t.successor_hash WHERE t.token_hash = {}"
}

pub(crate) fn look(
    conn: &mut PgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> QueryResult<Option<Seen>> {
    Look { now, token_hash }.get_result(conn).optional()
}
