//! Takes away, in small steps, what is of no use any more.

use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{BigInt, Integer},
};
use kernel::statement;

/// Rows per step and table.
const STEP: i64 = 1_000;
/// Ended sessions are kept so long: an address of one is known to its user's throttle.
const SESSION_DAYS: i32 = 30;
const DAY_SECONDS: i32 = 86_400;

statement! {
    struct OldSessions {
        seconds: i32 => Integer,
        step: i64 => BigInt,
    }
    "DELETE FROM sessions WHERE id IN ( \
         SELECT id FROM sessions WHERE expires_at < now() - make_interval(secs => {}) LIMIT {})"
}

statement! {
    struct OldTokens {
        seconds: i32 => Integer,
        step: i64 => BigInt,
    }
    "DELETE FROM refresh_tokens WHERE token_hash IN ( \
         SELECT token_hash FROM refresh_tokens WHERE issued_at < now() - make_interval(secs => {}) LIMIT {})"
}

statement! {
    struct OldThrottles {
        seconds: i32 => Integer,
        step: i64 => BigInt,
    }
    "DELETE FROM throttles WHERE key IN ( \
         SELECT key FROM throttles WHERE last_at < now() - make_interval(secs => {}) LIMIT {})"
}

/// One step; answers whether there may be more. A refresh token older than any session can be
/// belongs to a session that is over.
pub(crate) fn step(conn: &mut PgConnection, longest_session_seconds: i32) -> QueryResult<bool> {
    let step = STEP;
    let token_age = longest_session_seconds.saturating_add(DAY_SECONDS);
    let tokens = OldTokens {
        seconds: token_age,
        step,
    }
    .execute(conn)?;
    let sessions = OldSessions {
        seconds: SESSION_DAYS * DAY_SECONDS,
        step,
    }
    .execute(conn)?;
    let throttles = OldThrottles {
        seconds: DAY_SECONDS,
        step,
    }
    .execute(conn)?;
    Ok([tokens, sessions, throttles]
        .iter()
        .any(|n| i64::try_from(*n) == Ok(step)))
}
